use super::*;
use crate::{Manifest, tree};
use std::collections::BTreeSet;

/// Every member set to something that is not its default.
const FULL: &str = r#"{
  "id": "acme", "name": "Acme", "description": "d", "docs_url": "https://a.example/",
  "categories": ["crm"], "provenance": {"sources": 2, "confidence": "agreed", "checked": "2026-11-21"},
  "auth": {
    "type": "oauth2", "grant": "authorization_code", "authorization_url": "u", "device_authorization_url": "u", "token_url": "u", "refresh_url": "u",
    "revocation_url": "u", "issuer": "i", "authorization_response_iss_parameter_supported": true,
    "client_authentication": "none", "token_body": "json", "scope_separator": ",", "default_scopes": ["a"],
    "authorization_params": {"a": "b"}, "token_params": {"a": "b"}, "refresh_params": {"a": "b"},
    "token_headers": {"a": "b"}, "pkce_disabled_reason": "r",
    "token_response": {
      "access_token": "/1", "token_type": "/2", "token_type_optional": true, "refresh_token": "/3", "expires_in": "/4",
      "scope": "/5", "error": "/6", "ok": "/7", "ok_value": "0", "extra": {"a": "/8"},
      "refresh_expires_in": "/9", "error_detail": "/10",
      "expires_in_unit": "milliseconds", "expires_at": "/11", "alternate": "/12", "strip_prefix": "x",
      "further": {"a": {"access_token": "/13", "refresh_token": "/14", "expires_in": "/15", "scope": "/16"}}
    },
    "default_lifetime": 1, "refresh_margin": 2, "recovery_class": "G", "grace": 3,
    "kills_prior_access_token": true, "refresh_window": 0, "idle_limit": 4, "absolute_limit": 5, "max_live": 6,
    "mint_rate": {"requests": 7, "seconds": 8}, "reuse_penalty": true, "rate_limit": {"requests": 9, "seconds": 10},
    "concurrency": 11, "introspection_url": "u",
    "refresh_errors": {"permanent": ["a"], "transient": ["b"], "throttled": ["c"], "app": ["d"]},
    "authorization_request": {
      "names": {"client_id": "a", "redirect_uri": "b", "response_type": "c", "scope": "d"}, "omit": ["response_type"],
      "response_type": "auth_code", "fragment": "f", "route": "r"
    },
    "token_request": {
      "method": "GET", "grant_type": "g", "omit": ["client_id"], "names": {
        "assertion": "h", "client_assertion": "k", "client_assertion_type": "l", "client_id": "a", "client_secret": "b", "code": "c", "code_verifier": "d", "grant_type": "e",
        "password": "i", "redirect_uri": "f", "scope": "g", "username": "j"
      }
    },
    "refresh_request": {
      "method": "POST", "grant_type": "g", "omit": ["client_secret"],
      "names": {
        "client_assertion": "e", "client_assertion_type": "f", "client_id": "a", "client_secret": "b", "grant_type": "c",
        "refresh_token": "d"
      }
    },
    "client_assertion": {"audience": "a", "issuer": "b", "algorithm": "ES256", "key_id": "c", "lifetime": 1},
    "resource": "r", "pushed_authorization_request_url": "u", "dpop": true, "client_certificate": true,
    "client_id_header": "h", "client_secret_header": "h",
    "callback": {
      "code": "c", "keep": {"a": "b"}, "expect": {"a": "b"},
      "hmac": {"parameter": "h", "except": ["s"], "timestamp": "t"}
    },
    "long_lived_exchange": {"url": "u", "grant_type": "g", "token_parameter": "t", "method": "GET"},
    "identity": {"url": "u", "fields": {"a": "/b"}},
    "retry_hint": {"header": "h", "unit": "milliseconds"},
    "credentials": {"c": {"type": "document", "title": "t", "description": "d", "pattern": "a", "example": "a"}},
    "username": "a", "password": "b",
    "assertion": {
      "issuer": "a", "subject": "b", "audience": "c", "lifetime": 1, "claims": {"a": "b"}, "scope_claim": "d",
      "algorithm": "ES256", "key_id": "e", "key": "c"
    },
    "token_exchange": {
      "subject_token": "a", "subject_token_type": "b", "actor_token": "c", "actor_token_type": "d",
      "requested_token_type": "e", "audience": "f"
    }, "registration_url": "u",
    "discovery": {"issuer": "i", "url": "u", "protected_resource": "r"}
  },
  "variables": {"v": {"type": "enum", "title": "t", "description": "d", "values": ["a"], "default": "a"}},
  "scopes": {"s": "m"},
  "api": {"base_url": "u"}
}"#;

/// The same for what is pasted.
const FULL_API_KEY: &str = r#"{
  "id": "acme", "name": "Acme",
  "auth": {
    "type": "api_key",
    "credentials": {"c": {"type": "text", "title": "t", "description": "d", "pattern": "a", "example": "a"}},
    "key": "c", "verification": {"method": "POST", "url": "u", "status": [404]}
  },
  "variables": {"v": {"type": "domain", "title": "t", "suffix": "a.example"}},
  "api": {"base_url": "u", "headers": {"a": "b"}, "query": {"a": "b"}, "fields": {"f": {"type": "url", "suffixes": ["s"]}}}
}"#;
const FULL_OAUTH1: &str = r#"{
  "id": "acme", "name": "Acme",
  "auth": {
    "type": "oauth1", "request_token_url": "u", "authorization_url": "u", "token_url": "u",
    "signature_method": "HMAC-SHA256", "realm": "r", "request_token_params": {"a": "b"}, "authorization_params": {"a": "b"},
    "token_response": {"extra": {"a": "/b"}}
  },
  "api": {"base_url": "u", "headers": {"a": "b"}, "query": {"a": "b"}, "fields": {"f": {"type": "url", "suffixes": ["s"]}}}
}"#;
const FULL_BASIC: &str = r#"{
  "id": "acme", "name": "Acme",
  "auth": {
    "type": "basic",
    "credentials": {"c": {"type": "text", "title": "t", "description": "d", "pattern": "a", "example": "a"}},
    "username": "a", "password": "b", "verification": {"method": "POST", "url": "u", "status": [404]}
  },
  "api": {"base_url": "u", "headers": {"a": "b"}, "query": {"a": "b"}, "fields": {"f": {"type": "url", "suffixes": ["s"]}}}
}"#;
const FULL_TWO_STEP: &str = r#"{
  "id": "acme", "name": "Acme",
  "auth": {
    "type": "two_step",
    "credentials": {"c": {"type": "text", "title": "t", "description": "d", "pattern": "a", "example": "a"}},
    "steps": [{
      "method": "GET", "url": "u", "headers": {"a": "b"}, "basic": {"username": "a", "password": "b", "scheme": "ID"}, "body": "json",
      "params": {"a": "b"}, "literals": {"c": "1"}, "xml": "x", "take": {"d": "/e"}
    }],
    "token_response": {
      "access_token": "/1", "refresh_token": "/2", "expires_in": "/3", "expires_in_unit": "milliseconds",
      "expires_at": "/4", "refresh_expires_in": "/5", "error": "/6", "error_detail": "/7", "ok": "/8",
      "extra": {"a": "/9"}, "strip_prefix": "x"
    },
    "refresh": [{
      "method": "GET", "url": "u", "headers": {"a": "b"}, "basic": {"username": "a", "password": "b", "scheme": "ID"}, "body": "xml",
      "params": {"a": "b"}, "literals": {"c": "1"}, "xml": "x", "take": {"d": "/e"}
    }],
    "recovery_class": "S",
    "revocation": {
      "method": "GET", "url": "u", "headers": {"a": "b"}, "basic": {"username": "a", "password": "b", "scheme": "ID"}, "body": "query",
      "params": {"a": "b"}, "literals": {"c": "1"}, "xml": "x"
    },
    "default_lifetime": 1, "refresh_margin": 2, "kills_prior_access_token": true,
    "refresh_errors": {"permanent": ["a"], "transient": ["b"], "throttled": ["c"]},
    "mint_rate": {"requests": 7, "seconds": 8}, "rate_limit": {"requests": 9, "seconds": 10}, "concurrency": 11,
    "retry_hint": {"header": "h", "unit": "milliseconds"}
  },
  "api": {"base_url": "u", "headers": {"a": "b"}, "query": {"a": "b"}, "fields": {"f": {"type": "url", "suffixes": ["s"]}}}
}"#;
const FULL_SIGNED_JWT: &str = r#"{
  "id": "acme", "name": "Acme",
  "auth": {
    "type": "signed_jwt",
    "credentials": {"c": {"type": "text", "title": "t", "description": "d", "pattern": "a", "example": "a"}},
    "jwt": {
      "algorithm": "HS256", "key": "k", "key_encoding": "hex", "key_id": "i", "issuer": "a", "subject": "b", "audience": "c",
      "claims": {"a": "b"}, "lifetime": 60
    },
    "verification": {"method": "POST", "url": "u", "status": [404]}
  },
  "api": {"base_url": "u", "headers": {"a": "b"}, "query": {"a": "b"}, "fields": {"f": {"type": "url", "suffixes": ["s"]}}}
}"#;
const ALL: [(&str, &str); 6] = [
    ("oauth2", FULL),
    ("oauth1", FULL_OAUTH1),
    ("api_key", FULL_API_KEY),
    ("basic", FULL_BASIC),
    ("two_step", FULL_TWO_STEP),
    ("signed_jwt", FULL_SIGNED_JWT),
];

fn shaped(text: &str) -> Read {
    read(&tree::read(text).0.expect("a tree"))
}

/// Pointers of all members in a mode, with `*` for names of the author's choice.
fn members(shape: &Shape, mode: &str, path: &str, all: &mut BTreeSet<String>) {
    match shape {
        Shape::OneOf(modes) => {
            let fields = modes.iter().find(|one| one.word == mode).expect("the mode").fields;
            members(&Shape::Record(fields), mode, path, all);
        }
        Shape::Record(fields) => fields.iter().for_each(|field| {
            let path = format!("{path}/{}", field.name);
            members(field.shape, mode, &path, all);
            all.insert(path);
        }),
        Shape::Map(inner) => members(inner, mode, &format!("{path}/*"), all),
        Shape::List(inner) => members(inner, mode, path, all),
        Shape::Id | Shape::Text | Shape::Flag | Shape::Whole | Shape::Count | Shape::Word(_) => {}
    }
}

fn all_members(mode: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    members(&table::MANIFEST, mode, "", &mut all);
    all
}

/// Where a member is in the full manifests.
fn concrete(path: &str) -> String {
    let path = path.replace("/variables/*", "/variables/v").replace("/credentials/*", "/credentials/c");
    let path = path.replace("/api/fields/*", "/api/fields/f").replace("/further/*", "/further/a");
    // Of a list, the first shows what the others may have.
    path.replace("/auth/steps/", "/auth/steps/0/").replace("/auth/refresh/", "/auth/refresh/0/")
}

#[test]
fn the_table_and_the_types_have_the_same_members() {
    for (mode, full) in ALL {
        let read = shaped(full);
        assert!(read.findings.is_empty() && read.broken.is_empty(), "{mode}");
        let manifest: Manifest = serde_json::from_value(read.value.clone()).expect("a manifest");
        assert_eq!(serde_json::to_value(&manifest).expect("JSON"), serde_json::from_str::<Value>(full).expect("JSON"));
        // What has nothing to do with the mode, the first of them shows.
        let shows = |path: &&String| mode == "oauth2" || path.starts_with("/auth") || path.starts_with("/api");
        for path in all_members(mode).iter().filter(shows) {
            let other = mode == "oauth2" && (path.starts_with("/api/") || path.ends_with("/suffix"));
            let there = read.value.pointer(&concrete(path)).is_some();
            assert!(there || other && path != "/api/base_url", "the full manifest of {mode} lacks {path}");
        }
    }
}

#[test]
fn every_word_of_the_table_is_a_value_of_the_types() {
    for (path, words) in [
        ("/provenance/confidence", vec!["documented", "agreed", "single"]),
        ("/auth/grant", vec!["authorization_code", "client_credentials", "device_code", "implicit"]),
        (
            "/auth/client_authentication",
            vec![
                "client_secret_basic",
                "client_secret_post",
                "none",
                "client_secret_as_user",
                "client_secret_header",
                "private_key_jwt",
                "client_secret_jwt",
                "tls_client_auth",
                "self_signed_tls_client_auth",
            ],
        ),
        ("/auth/token_body", vec!["form", "json", "query"]),
        ("/auth/token_request/method", vec!["POST", "GET"]),
        ("/auth/token_request/omit/0", vec!["client_id", "grant_type", "redirect_uri"]),
        ("/auth/refresh_request/omit/0", vec!["client_id", "client_secret", "grant_type"]),
        ("/auth/authorization_request/omit/0", vec!["redirect_uri", "response_type"]),
        ("/auth/token_response/expires_in_unit", vec!["seconds", "milliseconds"]),
        ("/auth/retry_hint/unit", vec!["seconds", "milliseconds", "unix_seconds"]),
        ("/auth/recovery_class", vec!["N", "M", "G", "U", "S", "F"]),
        ("/variables/v/type", vec!["host_label", "domain", "enum", "path_segment", "text"]),
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
    for (full, path) in ALL.into_iter().flat_map(|(mode, full)| all_members(mode).into_iter().map(move |p| (full, p))) {
        for broken in ["null", "true", "7", "[]", "{}", "\"?\"", "[[]]", "{\"a\": {}}"] {
            let mut value: Value = serde_json::from_str(full).expect("JSON");
            let Some(member) = value.pointer_mut(&concrete(&path)) else { continue };
            *member = serde_json::from_str(broken).expect("JSON");
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
    let reference = include_str!("../../../docs/manifests-reference.md");
    for path in ALL.into_iter().flat_map(|(mode, _)| all_members(mode)) {
        let shown = path.trim_start_matches('/').replace('/', ".").replace('*', "NAME");
        assert!(reference.contains(&format!("| `{shown}` |")), "docs/manifests-reference.md has no row for `{shown}`");
    }
}
