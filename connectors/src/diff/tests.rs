use super::*;
use crate::parse;
use std::collections::BTreeMap;

const OLD: &str = r#"{
  "id": "acme", "name": "Acme",
  "auth": {
    "type": "oauth2", "grant": "authorization_code",
    "authorization_url": "https://{shop}.acme.example/authorize", "token_url": "https://{shop}.acme.example/token",
    "default_scopes": ["read"], "token_params": {"a": "1"}, "rate_limit": {"requests": 5, "seconds": 1},
    "token_response": {"extra": {"shop": "/shop"}}
  },
  "variables": {
    "shop": {"type": "host_label", "title": "Shop"},
    "region": {"type": "enum", "title": "Region", "values": ["eu", "us"], "default": "eu"}
  },
  "scopes": {"read": "Read"}, "api": {"base_url": "https://api-{region}.acme.example"}
}"#;

fn manifest(text: &str) -> Manifest {
    parse(text).unwrap_or_else(|found| panic!("{found:#?}\n{text}"))
}

/// What changes when `pointer` of the old manifest is set; null takes it away.
fn changed(pointer: &str, value: Value) -> Vec<Change> {
    let old = manifest(OLD);
    let mut new: Value = serde_json::from_str(OLD).expect("JSON");
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let members = new.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
    if value.is_null() {
        members.remove(name)
    } else {
        members.insert(name.to_owned(), value)
    };
    diff(&old, &manifest(&new.to_string()))
}

#[test]
fn equal_manifests_differ_in_nothing() {
    assert_eq!(diff(&manifest(OLD), &manifest(OLD)), []);
}

#[test]
fn every_kind_of_change_says_what_it_means_for_running_connections() {
    use serde_json::json;
    let other_type = json!({"type": "path_segment", "title": "Shop"});
    for (pointer, value, path, effect) in [
        ("/auth/token_url", json!("https://{shop}.acme.example/v2/token"), "/auth/token_url", Effect::Requests),
        ("/auth/token_url", json!("https://{shop}.evil.example/token"), "/auth/token_url", Effect::Host),
        ("/auth/token_url", json!("https://{shop}.acme.example:444/token"), "/auth/token_url", Effect::Host),
        (
            "/auth/authorization_url",
            json!("https://{shop}.acme.example/v2"),
            "/auth/authorization_url",
            Effect::Consent,
        ),
        ("/auth/authorization_url", json!("https://login.acme.example/v2"), "/auth/authorization_url", Effect::Host),
        ("/auth/refresh_url", json!("https://{shop}.acme.example/refresh"), "/auth/refresh_url", Effect::Requests),
        ("/auth/refresh_url", json!("https://refresh.acme.example/refresh"), "/auth/refresh_url", Effect::Host),
        (
            "/auth/revocation_url",
            json!("https://{shop}.acme.example/revoke"),
            "/auth/revocation_url",
            Effect::Revocation,
        ),
        ("/auth/revocation_url", json!("https://revoke.acme.example/"), "/auth/revocation_url", Effect::Host),
        ("/auth/client_authentication", json!("client_secret_basic"), "/auth/client_authentication", Effect::Requests),
        ("/auth/refresh_params", json!({"b": "2"}), "/auth/refresh_params", Effect::Requests),
        ("/auth/token_params", json!({"a": "2"}), "/auth/token_params/a", Effect::Consent),
        ("/auth/default_scopes", json!(["read", "write"]), "/auth/default_scopes", Effect::Consent),
        (
            "/auth/token_response",
            json!({"extra": {"shop": "/name"}}),
            "/auth/token_response/extra/shop",
            Effect::Replies,
        ),
        ("/auth/recovery_class", json!("N"), "/auth/recovery_class", Effect::Schedule),
        ("/auth/rate_limit", json!({"requests": 6, "seconds": 1}), "/auth/rate_limit/requests", Effect::Budget),
        ("/name", json!("Acme 2"), "/name", Effect::Shown),
        ("/id", json!("acme-2"), "/id", Effect::Breaks),
        ("/scopes", json!({"read": "Read", "write": "Write"}), "/scopes/write", Effect::Shown),
        ("/scopes", Value::Null, "/scopes/read", Effect::Shown),
        ("/api/base_url", json!("https://api-{region}.acme.example/v2"), "/api/base_url", Effect::Fetch),
        ("/variables/region/values", json!(["eu", "us", "jp"]), "/variables/region/values", Effect::Consent),
        ("/variables/region/values", json!(["eu"]), "/variables/region/values", Effect::Breaks),
        ("/variables/region/default", json!("us"), "/variables/region/default", Effect::Consent),
        ("/variables/region/title", json!("Where"), "/variables/region/title", Effect::Shown),
        ("/variables/plan", json!({"type": "path_segment", "title": "Plan"}), "/variables/plan", Effect::Breaks),
        (
            "/variables/plan",
            json!({"type": "path_segment", "title": "Plan", "default": "free"}),
            "/variables/plan",
            Effect::Requests,
        ),
    ] {
        let changes = changed(pointer, value.clone());
        assert_eq!(changes.len(), 1, "{pointer} {value}: {changes:#?}");
        assert_eq!((changes[0].path.as_str(), changes[0].effect), (path, effect), "{pointer} {value}");
    }
    let used_in_a_path = OLD.replace("https://{shop}.acme.example", "https://acme.example/{shop}");
    let mut new: Value = serde_json::from_str(&used_in_a_path).expect("JSON");
    new["variables"]["shop"] = other_type;
    let effects = diff(&manifest(&used_in_a_path), &manifest(&new.to_string()));
    assert_eq!(effects.iter().map(|change| change.effect).collect::<Vec<_>>(), [Effect::Breaks]);
}

#[test]
fn without_codes_the_exchange_is_what_running_connections_send() {
    let text = r#"{"id": "a", "name": "A", "auth": {"type": "oauth2", "grant": "client_credentials",
                   "token_url": "https://a.example/token", "token_params": {"a": "1"}}}"#;
    let changes = diff(&manifest(text), &manifest(&text.replace(r#""1""#, r#""2""#)));
    assert_eq!(changes[0].effect, Effect::Requests);
}

#[test]
fn what_customers_paste_counts_by_what_they_would_have_to_paste_anew() {
    let text = r#"{"id": "a", "name": "A", "api": {"base_url": "https://a.example", "headers": {"x-key": "{key}"}}, "auth": {
        "type": "api_key", "credentials": {"key": {"type": "secret", "title": "Key"}},
        "verification": {"url": "https://a.example/me"}}}"#;
    for (from, to, path, effect) in [
        ("\"Key\"", "\"The key\"", "/auth/credentials/key/title", Effect::Shown),
        (
            "\"title\": \"Key\"",
            "\"title\": \"Key\", \"pattern\": \"[a-z]+\"",
            "/auth/credentials/key/pattern",
            Effect::Consent,
        ),
        ("/me", "/you", "/auth/verification/url", Effect::Consent),
        ("a.example/me", "b.example/me", "/auth/verification/url", Effect::Host),
        ("{key}", "k {key}", "/api/headers/x-key", Effect::Fetch),
    ] {
        let changes = diff(&manifest(text), &manifest(&text.replace(from, to)));
        let told: Vec<_> = changes.iter().map(|change| (change.path.as_str(), change.effect)).collect();
        assert_eq!(told, [(path, effect)]);
    }
    let more = text.replace("\"headers\": {", "\"headers\": {\"x-id\": \"{id}\", ");
    let more =
        more.replace("\"credentials\": {", "\"credentials\": {\"id\": {\"type\": \"text\", \"title\": \"Id\"}, ");
    let changes = diff(&manifest(text), &manifest(&more));
    assert_eq!((changes[0].path.as_str(), changes[0].effect), ("/auth/credentials/id", Effect::Breaks));
}

#[test]
fn the_gravest_comes_first_and_both_values_are_told() {
    let text = OLD.replace("\"Acme\"", "\"Acme 2\"").replace("evil", "x").replace("/token\"", "/token2\"");
    let changes = diff(&manifest(OLD), &manifest(&text));
    let told: Vec<_> = changes.iter().map(|change| (change.path.as_str(), change.effect)).collect();
    assert_eq!(told, [("/auth/token_url", Effect::Requests), ("/name", Effect::Shown)]);
    assert_eq!(changes[1].before, Some(Value::from("Acme")));
    assert_eq!(changes[1].after, Some(Value::from("Acme 2")));
}

/// A member that nobody classified would count as part of the requests: right for some, and never by oversight.
#[test]
fn every_effect_has_a_word_and_a_meaning_of_its_own() {
    let all = [
        Effect::Breaks,
        Effect::Host,
        Effect::Requests,
        Effect::Replies,
        Effect::Schedule,
        Effect::Fetch,
        Effect::Budget,
        Effect::Consent,
        Effect::Revocation,
        Effect::Shown,
    ];
    let words: BTreeMap<_, _> = all.iter().map(|effect| (effect.as_str(), effect.meaning())).collect();
    assert_eq!(words.len(), all.len());
    let reference = include_str!("../../../docs/manifests-reference.md");
    for word in words.keys() {
        assert!(reference.contains(&format!("| `{word}` | ")), "docs/manifests-reference.md lacks `{word}`");
    }
}

#[test]
fn a_change_of_a_login_says_whether_passwords_go_elsewhere() {
    use serde_json::json;
    let text = r#"{
      "id": "acme", "name": "Acme",
      "auth": {
        "type": "two_step",
        "credentials": {"p": {"type": "secret", "title": "P"}},
        "steps": [{"url": "https://acme.example/login", "params": {"p": "{p}"}}],
        "refresh": [{"url": "https://acme.example/refresh", "params": {"t": "{refresh_token}"}}],
        "revocation": {"url": "https://acme.example/logout"}
      }
    }"#;
    let login = |url: &str| json!([{"url": url, "params": {"p": "{p}"}}]);
    let both = json!({"q": {"type": "text", "title": "Q"}, "p": {"type": "secret", "title": "P"}});
    let with_both = json!([{"url": "https://acme.example/login", "params": {"p": "{p}", "q": "{q}"}}]);
    for (changes, path, effect) in [
        (vec![("/auth/steps", login("https://acme.example/v2/login"))], "/auth/steps", Effect::Requests),
        (vec![("/auth/steps", login("https://evil.example/login"))], "/auth/steps", Effect::Host),
        (vec![("/auth/refresh", Value::Null)], "/auth/refresh", Effect::Breaks),
        (
            vec![("/auth/revocation", json!({"url": "https://acme.example/out"}))],
            "/auth/revocation/url",
            Effect::Revocation,
        ),
        (vec![("/auth/revocation", json!({"url": "https://evil.example/out"}))], "/auth/revocation/url", Effect::Host),
        (vec![("/auth/credentials", both), ("/auth/steps", with_both)], "/auth/credentials/q", Effect::Breaks),
        (vec![("/auth/default_lifetime", json!(60))], "/auth/default_lifetime", Effect::Schedule),
        (vec![("/auth/recovery_class", json!("S"))], "/auth/recovery_class", Effect::Schedule),
    ] {
        let old = manifest(text);
        let mut new: Value = serde_json::from_str(text).expect("JSON");
        for (pointer, value) in changes {
            let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
            let members = new.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
            if value.is_null() {
                members.remove(name)
            } else {
                members.insert(name.to_owned(), value)
            };
        }
        let found = diff(&old, &manifest(&new.to_string()));
        let first = found.first().map(|change| (change.path.as_str(), change.effect));
        assert_eq!(first, Some((path, effect)), "{found:#?}");
    }
}
