//! The second safeguard by itself: values go past the types here.

use super::*;

fn strays(template: &str, value: &str) -> bool {
    let values = Values::from([("v".to_owned(), value.to_owned())]);
    agreeing_url(template, &values, |_| false).is_err()
}

#[test]
fn e06_the_second_safeguard_stands_without_the_first() {
    let host = "https://{v}.acme.example:8443/token?a=b";
    for value in [
        "evil.com/",
        "evil.com#",
        "evil.com?",
        "a@evil.com",
        "a:b@c",
        "x.y",
        "x\\y",
        "x。y",
        ":8080",
        "",
        "%0d%0a",
        "a b",
        "a\tb",
        "a\nb",
        "a%2eb",
    ] {
        assert!(strays(host, value), "{value:?}");
    }
    let path = "https://acme.example/t/{v}/token";
    for value in ["..", ".", "a/b", "..%2f..", "%2e%2e", "a?b", "a#b", "a\\b", "a\nb", "a\tb", "ä"] {
        assert!(strays(path, value), "{value:?}");
    }
    for value in ["shop", "Shop", "a-b", "0"] {
        assert!(!strays(host, value) && !strays(path, value), "{value:?}");
    }
}

#[test]
fn values_do_not_stand_in_for_each_other() {
    let values = Values::from([("a".to_owned(), PLACEHOLDER.to_owned()), ("b".to_owned(), "x".to_owned())]);
    let url = agreeing_url("https://{a}.acme.example/{b}/{a}", &values, |_| false);
    assert_eq!(url.map(String::from), Ok(format!("https://{PLACEHOLDER}.acme.example/x/{PLACEHOLDER}")));
    let queried = |value: &str| {
        let values = Values::from([("b".to_owned(), value.to_owned())]);
        agreeing_url("https://acme.example/?q={b}", &values, |_| false).map(String::from)
    };
    assert_eq!(queried("x"), Ok("https://acme.example/?q=x".to_owned()));
    for bad in ["x&y", "x&y=z", "x#y", "", "%26"] {
        assert_eq!(queried(bad), Err(TemplateError::Strays), "{bad}");
    }
}

#[test]
fn braces() {
    for bad in ["{", "}", "{}", "{a", "a}", "{a}}", "{{a}}", "{A}", "{a b}", "{a-b}"] {
        assert_eq!(parts(bad).err(), Some(TemplateError::Brace), "{bad}");
    }
    let good = parts("x{a}y{b_1}").expect("parts");
    assert_eq!((good.literals, good.names), (vec!["x", "y", ""], vec!["a", "b_1"]));
}

#[test]
fn e07_texts_take_values_as_they_are_but_no_control_characters() {
    let values = |value: &str| Values::from([("v".to_owned(), value.to_owned())]);
    assert_eq!(expand_text("a {v}!", &values("b&c={v}")), Ok("a b&c={v}!".to_owned()));
    for bad in ["\r\nX: y", "\0", "\u{85}", "\u{1b}"] {
        assert_eq!(expand_text("{v}", &values(bad)), Err(TemplateError::Control), "{bad:?}");
    }
    assert_eq!(expand_text("{w}", &values("")), Err(TemplateError::NoValue("w".to_owned())));
    assert_eq!(expand_text("{v}{v}", &values(&"x".repeat(9000))), Err(TemplateError::TooLong));
}

#[test]
fn labels_and_segments() {
    for good in ["a", "A1", "a--b", &"x".repeat(63)] {
        assert!(is_host_label(good), "{good}");
    }
    for bad in ["", "-a", "a-", "a.b", "a_b", "xn--bcher-kva", "XN--x", "é", &"x".repeat(64)] {
        assert!(!is_host_label(bad), "{bad}");
    }
    for good in ["a", "a.b", "...", "~x_-", &"x".repeat(128)] {
        assert!(is_path_segment(good), "{good}");
    }
    for bad in ["", ".", "..", "%41", "a/b", "a;b", "a b", "é", &"x".repeat(129)] {
        assert!(!is_path_segment(bad), "{bad}");
    }
}
