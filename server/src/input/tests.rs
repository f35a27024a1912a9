use super::body::{Body as _, Json, OrEmpty};
use super::query::{Nothing, read};
use crate::problem::Problem;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    name: String,
    #[serde(default)]
    list: Vec<Kind>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    One,
    Two,
}

fn refused(body: &str) -> String {
    let problem = Json::<Sent>::read("application/json", body.as_bytes()).err().expect("refused");
    format!("{problem:?}")
}

#[test]
fn what_fits_is_read() {
    let Json(sent) = Json::<Sent>::read("application/json", br#"{"name": "x", "list": ["one", "two"]}"#).expect("fits");
    assert_eq!(sent.name, "x");
    assert!(matches!(sent.list[..], [Kind::One, Kind::Two]));
    assert!(OrEmpty::<Nothing>::read("application/json", b"").is_ok());
    assert!(read::<Nothing>("").is_ok());
}

#[test]
fn pointers_lead_to_the_fault() {
    for (body, pointer) in [
        (r#"{"name": 1}"#, "/name"),
        (r#"{}"#, "/name"),
        (r#"{"name": "x", "list": ["three"]}"#, "/list/0"),
        (r#"{"name": "x", "a/b~c": 1}"#, "/a~1b~0c"),
        (r#"{"name": "x", "name": "y"}"#, "/name"),
        (r#"["x", []]"#, ""),
    ] {
        let said = refused(body);
        assert!(said.contains(&format!("pointer: \"{pointer}\"")), "{body}: {said}");
    }
}

#[test]
fn values_are_not_repeated() {
    for body in [
        r#"{"name": ["canary"]}"#,
        r#"{"name": "x", "list": "canary"}"#,
        r#"{"name": "x", "list": ["canary"]}"#,
        r#"{"name": "x", "list": ["canary`, expected `one"]}"#,
        r#"{"name": 424242}"#,
        r#""canary""#,
        r#"{"name": "x", "list": "canary \", expected canary"}"#,
    ] {
        let said = refused(body);
        assert!(!said.contains("canary") && !said.contains("424242"), "{body}: {said}");
    }
}

#[test]
fn queries_are_strict() {
    let problem: Problem = read::<Nothing>("x=1").expect_err("nothing is taken");
    assert!(format!("{problem:?}").contains("unknown field `x`"));
}
