use super::*;
use crate::{Manifest, tree};
use std::collections::BTreeSet;

/// Every member set to something that is not its default.
const FULL: &str = r#"{
  "id": "acme", "name": "Acme", "description": "d", "docs_url": "https://a.example/",
  "auth": {
    "type": "oauth2", "grant": "authorization_code", "authorization_url": "u", "token_url": "u", "refresh_url": "u",
    "revocation_url": "u", "issuer": "i", "authorization_response_iss_parameter_supported": true,
    "client_authentication": "none", "token_body": "json", "scope_separator": ",", "default_scopes": ["a"],
    "authorization_params": {"a": "b"}, "token_params": {"a": "b"}, "refresh_params": {"a": "b"},
    "token_headers": {"a": "b"}, "pkce_disabled_reason": "r",
    "token_response": {
      "access_token": "/1", "token_type": "/2", "token_type_optional": true, "refresh_token": "/3", "expires_in": "/4",
      "scope": "/5", "error": "/6", "ok": "/7", "extra": {"a": "/8"},
      "refresh_expires_in": "/9", "error_detail": "/10"
    },
    "default_lifetime": 1, "refresh_margin": 2, "recovery_class": "G", "grace": 3,
    "kills_prior_access_token": true, "refresh_window": 0, "idle_limit": 4, "absolute_limit": 5, "max_live": 6,
    "mint_rate": {"requests": 7, "seconds": 8}, "reuse_penalty": true, "rate_limit": {"requests": 9, "seconds": 10},
    "concurrency": 11, "introspection_url": "u",
    "refresh_errors": {"permanent": ["a"], "transient": ["b"], "throttled": ["c"], "app": ["d"]}
  },
  "variables": {"v": {"type": "enum", "title": "t", "description": "d", "values": ["a"], "default": "a"}},
  "scopes": {"s": "m"},
  "api": {"base_url": "u"}
}"#;

fn shaped(text: &str) -> Read {
    read(&tree::read(text).0.expect("a tree"))
}

/// Pointers of all members, with `*` for names of the author's choice.
fn members(shape: &Shape, path: &str, all: &mut BTreeSet<String>) {
    match shape {
        Shape::Record(fields) => fields.iter().for_each(|field| {
            let path = format!("{path}/{}", field.name);
            members(field.shape, &path, all);
            all.insert(path);
        }),
        Shape::Map(inner) => members(inner, &format!("{path}/*"), all),
        Shape::Id | Shape::Text | Shape::Flag | Shape::Whole | Shape::Count | Shape::Word(_) | Shape::List(_) => {}
    }
}

fn all_members() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    members(&table::MANIFEST, "", &mut all);
    all
}

#[test]
fn the_table_and_the_types_have_the_same_members() {
    let read = shaped(FULL);
    assert!(read.findings.is_empty() && read.broken.is_empty());
    let manifest: Manifest = serde_json::from_value(read.value.clone()).expect("a manifest");
    assert_eq!(serde_json::to_value(&manifest).expect("JSON"), serde_json::from_str::<Value>(FULL).expect("JSON"));
    for path in all_members() {
        let concrete = path.replace("/variables/*", "/variables/v");
        assert!(read.value.pointer(&concrete).is_some(), "the full manifest lacks {path}");
    }
}

#[test]
fn every_word_of_the_table_is_a_value_of_the_types() {
    for (path, words) in [
        ("/auth/grant", vec!["authorization_code", "client_credentials"]),
        ("/auth/client_authentication", vec!["client_secret_basic", "client_secret_post", "none"]),
        ("/auth/token_body", vec!["form", "json"]),
        ("/auth/recovery_class", vec!["N", "M", "G", "U", "S", "F"]),
        ("/variables/v/type", vec!["host_label", "enum", "path_segment"]),
    ] {
        for word in words {
            let mut value: Value = serde_json::from_str(FULL).expect("JSON");
            *value.pointer_mut(path).expect("a member") = Value::from(word);
            let read = shaped(&value.to_string());
            assert!(read.findings.is_empty(), "{path} {word}");
            assert!(serde_json::from_value::<Manifest>(read.value).is_ok(), "{path} {word}");
        }
    }
}

#[test]
fn whatever_is_broken_the_rest_still_reads_as_a_manifest() {
    let mut texts: Vec<_> =
        ["{}", "[]", "{auth: {}}", "{auth: 1, id: [], variables: {a: {}, b: 2}, api: {}}"].map(str::to_owned).into();
    for path in all_members() {
        for broken in ["null", "true", "7", "[]", "{}", "\"?\"", "[[]]", "{\"a\": {}}"] {
            let mut value: Value = serde_json::from_str(FULL).expect("JSON");
            let path = path.replace("/variables/*", "/variables/v");
            *value.pointer_mut(&path).expect("a member") = serde_json::from_str(broken).expect("JSON");
            texts.push(value.to_string());
        }
    }
    for text in texts {
        let read = shaped(&text);
        let manifest = serde_json::from_value::<Manifest>(read.value);
        assert!(manifest.is_ok(), "{manifest:?}\n{text}");
        assert!(!read.findings.is_empty() || read.broken.is_empty(), "nothing is dropped in silence: {text}");
    }
}

#[test]
fn every_member_is_in_the_reference() {
    let reference = include_str!("../../../docs/manifests.md");
    for path in all_members() {
        let shown = path.trim_start_matches('/').replace('/', ".").replace("variables.*", "variables.NAME");
        assert!(reference.contains(&format!("| `{shown}` |")), "docs/manifests.md has no row for `{shown}`");
    }
}
