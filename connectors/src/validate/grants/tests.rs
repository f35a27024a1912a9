//! Grants without a consent page: what each may say, with the code and the place of what it may not.

use crate::{RenewedBy, canonical_json, lint, parse};

/// A manifest with `grant`, more members of `auth`, a line each, and more of its own.
fn manifest(grant: &str, lines: &[&str], own: &str) -> String {
    let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    format!(
        "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: {grant}\n  token_url: https://acme.example/t\n{lines}{own}"
    )
}

fn found_with(grant: &str, lines: &[&str], own: &str) -> Vec<String> {
    let found = lint(&manifest(grant, lines, own));
    found.into_iter().map(|d| format!("{} {}", d.code, d.path.trim_start_matches("/auth/"))).collect()
}

fn found(grant: &str, lines: &[&str]) -> Vec<String> {
    found_with(grant, lines, "")
}

const KEY: &str = "credentials: {mail: {type: text, title: M}, key: {type: document, title: K}}";
const SIGNED: &str = "assertion: {issuer: '{mail}', key: key}";

#[test]
fn the_smallest_of_each() {
    assert_eq!(found("password", &[]), ["legacy_grant grant"], "a warning");
    assert!(parse(&manifest("password", &[], "")).is_ok());
    assert_eq!(found("saml2_bearer", &[]), [""; 0]);
    assert_eq!(found("token_exchange", &[]), [""; 0]);
    assert_eq!(found("jwt_bearer", &[KEY, SIGNED]), [""; 0]);
    assert_eq!(found("jwt_bearer", &["client_authentication: none", "assertion: {issuer: '{client_id}'}"]), [""; 0]);
}

#[test]
fn what_is_asked_for_and_what_renews() {
    let read = |grant, lines: &[&str]| parse(&manifest(grant, lines, "")).unwrap_or_else(|found| panic!("{found:#?}"));
    let table: &[(&str, &[&str], &[&str], RenewedBy)] = &[
        ("password", &[], &["password", "username"], RenewedBy::Credentials),
        ("saml2_bearer", &[], &["assertion"], RenewedBy::Credentials),
        ("token_exchange", &[], &["subject_token"], RenewedBy::Credentials),
        ("jwt_bearer", &[KEY, SIGNED], &["key", "mail"], RenewedBy::Credentials),
        ("jwt_bearer", &["client_authentication: none", "assertion: {issuer: x}"], &[], RenewedBy::Client),
    ];
    for (grant, lines, names, renewal) in table {
        let manifest = read(grant, lines);
        let asked: Vec<_> = manifest.auth.asks().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        assert_eq!((asked.as_slice(), manifest.auth.renewal()), (*names, Some(*renewal)), "{grant}");
    }
    let text = canonical_json(&read("password", &[]));
    assert!(!text.contains("credentials") && !text.contains("username"), "what is not said is not written: {text}");
}

#[test]
fn what_is_refused() {
    let own_secret = "client_authentication: none";
    let table: &[(&str, &[&str], &[&str])] = &[
        // Members of another grant.
        ("client_credentials", &[KEY], &["ignored_member credentials"]),
        ("client_credentials", &[SIGNED], &["ignored_member assertion"]),
        ("saml2_bearer", &["username: x"], &["ignored_member username"]),
        ("saml2_bearer", &["token_exchange: {audience: x}"], &["ignored_member token_exchange"]),
        ("token_exchange", &["password: x"], &["ignored_member password"]),
        // Members of the way by a browser.
        ("saml2_bearer", &["authorization_url: https://acme.example/a"], &["ignored_member authorization_url"]),
        ("saml2_bearer", &["pkce_disabled_reason: x"], &["ignored_member pkce_disabled_reason"]),
        ("saml2_bearer", &["callback: {code: x}"], &["ignored_member callback"]),
        ("saml2_bearer", &["absolute_limit: 9"], &["ignored_member absolute_limit"]),
        // What is sent.
        ("token_exchange", &["token_params: {audience: x}"], &["reserved_parameter token_params/audience"]),
        ("saml2_bearer", &["token_params: {assertion: x}"], &["reserved_parameter token_params/assertion"]),
        ("saml2_bearer", &["token_request: {names: {username: x}}"], &["ignored_member token_request/names/username"]),
        (
            "saml2_bearer",
            &["token_request: {names: {assertion: scope}}"],
            &["bad_parameter token_request/names/assertion"],
        ),
        (
            "token_exchange",
            &["token_request: {grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange'}"],
            &["ignored_member token_request/grant_type"],
        ),
        // Credentials.
        (
            "token_exchange",
            &["credentials: {a: {type: text, title: A}}", "token_exchange: {subject_token: '{a}'}"],
            &["no_credentials credentials"],
        ),
        (
            "token_exchange",
            &["credentials: {a: {type: secret, title: A}}", "token_exchange: {subject_token: x}"],
            &["unused_credential credentials/a"],
        ),
        (
            "token_exchange",
            &["token_exchange: {subject_token: '{b}'}"],
            &["unused_credential credentials/subject_token", "unknown_variable token_exchange/subject_token"],
        ),
        (
            "saml2_bearer",
            &["credentials: {a: {type: secret, title: A}, b: {type: secret, title: B}}"],
            &["bad_value credentials"],
        ),
        // Assertions.
        ("jwt_bearer", &[own_secret], &["missing_member assertion"]),
        ("jwt_bearer", &[own_secret, "assertion: {}"], &["missing_member assertion/issuer"]),
        ("jwt_bearer", &["assertion: {issuer: x}"], &["bad_value client_authentication"]),
        (
            "jwt_bearer",
            &["client_authentication: client_secret_basic", "assertion: {issuer: x}"],
            &["bad_value client_authentication"],
        ),
        (
            "jwt_bearer",
            &[KEY, "assertion: {issuer: '{mail}', key: mail}"],
            &["unused_credential credentials/key", "bad_value assertion/key"],
        ),
        ("jwt_bearer", &[KEY, "assertion: {issuer: '{mail}{key}', key: key}"], &["exposes_token assertion/issuer"]),
        ("jwt_bearer", &[own_secret, "assertion: {issuer: x, lifetime: 3601}"], &["out_of_range assertion/lifetime"]),
        (
            "jwt_bearer",
            &[own_secret, "assertion: {issuer: x, claims: {aud: x}}"],
            &["reserved_parameter assertion/claims/aud"],
        ),
        (
            "jwt_bearer",
            &[own_secret, "assertion: {issuer: x, scope_claim: exp}"],
            &["reserved_parameter assertion/scope_claim"],
        ),
        (
            "jwt_bearer",
            &[own_secret, "assertion: {issuer: x, claims: {s: x}, scope_claim: s}"],
            &["bad_parameter assertion/claims/s"],
        ),
        (
            "jwt_bearer",
            &[own_secret, "assertion: {issuer: x, scope_claim: s}", "token_request: {names: {scope: x}}"],
            &["ignored_member token_request/names/scope"],
        ),
        ("jwt_bearer", &[own_secret, "assertion: {issuer: '{client}'}"], &["unknown_variable assertion/issuer"]),
        ("jwt_bearer", &[own_secret, "assertion: {issuer: '{x'}"], &["bad_template assertion/issuer"]),
        // Tokens.
        ("token_exchange", &["token_exchange: {actor_token: x}"], &["missing_member token_exchange/actor_token_type"]),
        (
            "token_exchange",
            &["token_exchange: {actor_token_type: 'a:b'}"],
            &["ignored_member token_exchange/actor_token_type"],
        ),
        (
            "token_exchange",
            &["token_exchange: {requested_token_type: jwt}"],
            &["bad_parameter token_exchange/requested_token_type"],
        ),
    ];
    for (grant, lines, expected) in table {
        assert_eq!(found(grant, lines), *expected, "{grant} {lines:?}");
    }
}

#[test]
fn a_variable_stands_for_whom_a_token_is() {
    let lines = ["client_authentication: none", "assertion: {issuer: '{client_id}', subject: '{user}'}"];
    let own = "variables: {user: {type: text, title: U}}\n";
    assert_eq!(found_with("jwt_bearer", &lines, own), [""; 0], "it is used");
    let taken = "variables: {user: {type: text, title: U}, client_id: {type: text, title: C}}\n";
    assert_eq!(found_with("jwt_bearer", &lines, taken), ["bad_variable /variables/client_id"]);
}

#[test]
fn a_document_does_not_fit_into_a_header() {
    let manifest = "id: a\nname: A\nauth:\n  type: api_key\n  credentials: {k: {type: document, title: K}}\napi: \
                    {base_url: 'https://a.example', headers: {x: '{k}'}}\n";
    let found: Vec<_> = lint(manifest).into_iter().map(|d| format!("{} {}", d.code, d.path)).collect();
    assert_eq!(found, ["bad_value /auth/credentials/k/type"]);
}
