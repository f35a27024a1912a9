use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

const SECRET: &str = "canary~7f/+?\"&- secret";

fn canaries() -> Canaries {
    Canaries::new([("the token", SECRET)])
}

#[track_caller]
fn seen(haystack: impl AsRef<[u8]>, encoding: &str) {
    let sightings = canaries().search("a text", haystack.as_ref());
    assert!(sightings.iter().any(|sighting| sighting.encoding == encoding), "{encoding}: {sightings:?}");
}

#[test]
fn sees_every_encoding() {
    seen(format!("x{SECRET}x"), "as it is");
    seen(STANDARD.encode(SECRET), "base64");
    seen(STANDARD.encode(format!("client:{SECRET}")), "base64");
    seen(STANDARD.encode(format!("client-{SECRET}:more")), "base64");
    seen(STANDARD.encode(format!("a-client:{SECRET}!")), "base64");
    seen(URL_SAFE_NO_PAD.encode(format!("{{\"t\":\"{SECRET}\"}}")), "base64url");
    seen("63616e6172797e37662f2b3f22262d20736563726574", "hex");
    seen("X'63616E6172797E37662F2B3F22262D20736563726574'", "HEX");
    seen("?t=canary~7f%2F%2B%3F%22%26-%20secret", "URL-encoded");
    seen("?t=canary%7E7f%2F%2B%3F%22%26%2D%20secret", "URL-encoded to the last");
    seen(url::form_urlencoded::Serializer::new(String::new()).append_pair("t", SECRET).finish(), "form-encoded");
    seen(serde_json::json!({ "t": SECRET }).to_string(), "escaped");
    seen("<p>canary~7f/+?&quot;&amp;- secret</p>", "escaped for HTML");
    seen(format!("{:?}", SECRET.as_bytes()), "a list of numbers");
    seen(serde_json::json!(SECRET.as_bytes()).to_string(), "a JSON list of numbers");
    seen(SECRET.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(), "UTF-16");
    seen(SECRET.chars().rev().collect::<String>(), "reversed");
}

#[test]
fn sees_nothing_in_what_only_looks_alike() {
    let text = format!("{} {}", &SECRET[..SECRET.len() - 1], SECRET.to_uppercase());
    assert_eq!(canaries().search("a text", text.as_bytes()), []);
    canaries().assert_absent("a text", &text);
}

#[test]
fn reads_folders_to_the_bottom_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("a/b")).unwrap();
    fs::write(folder.path().join("a/clean"), "nothing here").unwrap();
    fs::write(folder.path().join("a/b/dirty"), format!("....{SECRET}")).unwrap();
    let search = canaries().search_files(folder.path()).unwrap();
    assert_eq!((search.files, search.bytes), (2, 12 + 4 + SECRET.len()));
    let [sighting] = &search.sightings[..] else { panic!("{search:?}") };
    assert_eq!((sighting.offset, sighting.encoding), (4, "as it is"));
    assert!(sighting.place.ends_with("a/b/dirty"));
    assert!(!sighting.to_string().contains(SECRET));
}

#[test]
fn a_search_that_reads_nothing_fails() {
    let folder = tempfile::tempdir().unwrap();
    assert!(canaries().search_files(folder.path()).is_err());
    assert!(canaries().search_files(&folder.path().join("missing")).is_err());
}

#[test]
#[should_panic(expected = "secrets in clear:\nthe token (as it is) in the log at byte 3")]
fn an_assertion_names_the_secret_and_the_place() {
    canaries().assert_absent("the log", &format!("-> {SECRET}"));
}
