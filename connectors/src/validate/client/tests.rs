//! What is refused of keys, certificates and bound tokens, with the code and the place of the finding.

use crate::{canonical_json, lint, parse};

const SIGNED: &str = "client_authentication: private_key_jwt";
const SHARED: &str = "client_authentication: client_secret_jwt";

/// A manifest with more members of `auth`, a line each.
fn manifest(grant: &str, lines: &[&str]) -> String {
    let authorize = match grant {
        "authorization_code" => "  authorization_url: https://acme.example/a\n",
        _ => "",
    };
    let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    format!(
        "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: {grant}\n{authorize}  \
         token_url: https://acme.example/t\n{lines}variables:\n  v: {{type: text, title: V, default: v}}\n"
    )
}

/// Codes and places, but for the variable that is there for those that use it.
fn found(grant: &str, lines: &[&str]) -> Vec<String> {
    let all = lint(&manifest(grant, lines)).into_iter();
    let told = all.map(|d| format!("{} {}", d.code, d.path.trim_start_matches("/auth/")));
    told.filter(|told| told != "unused_variable /variables/v").collect()
}

#[test]
fn what_is_refused() {
    let table: &[(&[&str], &str)] = &[
        (&["client_assertion: {lifetime: 30}"], "ignored_member client_assertion"),
        (&[SIGNED, "client_assertion: {lifetime: 0}"], "bad_parameter client_assertion/lifetime"),
        (&[SIGNED, "client_assertion: {lifetime: 301}"], "bad_parameter client_assertion/lifetime"),
        (&[SIGNED, "client_assertion: {algorithm: HS256}"], "bad_parameter client_assertion/algorithm"),
        (&[SIGNED, "client_assertion: {algorithm: none}"], "wrong_type client_assertion/algorithm"),
        (&[SHARED, "client_assertion: {algorithm: ES256}"], "bad_parameter client_assertion/algorithm"),
        (&[SHARED, "client_assertion: {algorithm: HS256}"], "ignored_member client_assertion/algorithm"),
        (&[SIGNED, "client_assertion: {audience: '{nobody}'}"], "unknown_variable client_assertion/audience"),
        (&[SIGNED, "client_assertion: {key_id: '{'}"], "bad_template client_assertion/key_id"),
        (&[SIGNED, r#"client_assertion: {issuer: "a\tb"}"#], "bad_parameter client_assertion/issuer"),
        (&[SIGNED, "client_assertion: {subject: x}"], "unknown_member client_assertion/subject"),
        (&["token_request: {names: {client_assertion: x}}"], "ignored_member token_request/names/client_assertion"),
        (&["token_request: {omit: [client_assertion_type]}"], "ignored_member token_request/omit/0"),
        (&["resource: api"], "bad_url resource"),
        (&["resource: 'https://api.acme.example/#x'"], "bad_url resource"),
        (&["resource: 'https://api.acme.example/ x'"], "bad_url resource"),
        (&["resource: 'https://api.acme.example/{nobody}'"], "unknown_variable resource"),
        (&["authorization_params: {resource: x}"], "reserved_parameter authorization_params/resource"),
        (&["pushed_authorization_request_url: http://acme.example/par"], "bad_url pushed_authorization_request_url"),
        (
            &["dpop: true", "token_response: {token_type_optional: true}"],
            "ignored_member token_response/token_type_optional",
        ),
        (
            &["dpop: true", "long_lived_exchange: {url: 'https://acme.example/l', grant_type: x, token_parameter: y}"],
            "bad_parameter long_lived_exchange",
        ),
        (&["client_authentication: tls_client_auth", "revocation_url: http://localhost/r"], "bad_url revocation_url"),
        (&[SIGNED, "callback: {hmac: {parameter: h}}"], "no_credentials callback/hmac"),
        (
            &["client_authentication: tls_client_auth", "callback: {hmac: {parameter: h}}"],
            "no_credentials callback/hmac",
        ),
    ];
    for (lines, expected) in table {
        assert_eq!(found("authorization_code", lines), [*expected], "{lines:?}");
    }
    let pushed = ["pushed_authorization_request_url: https://acme.example/par"];
    assert_eq!(found("client_credentials", &pushed), ["ignored_member pushed_authorization_request_url"]);
}

#[test]
fn what_is_taken() {
    let table: &[&[&str]] = &[
        &[SIGNED],
        &[
            SIGNED,
            "client_assertion: {audience: 'https://{v}', issuer: '{v}', key_id: '{v}', algorithm: PS512, lifetime: 300}",
        ],
        &[SIGNED, "issuer: https://acme.example"],
        &[SIGNED, "token_request: {names: {client_assertion: client_secret}, omit: [client_assertion_type]}"],
        &[SHARED, "client_assertion: {algorithm: HS512}", "resource: 'urn:acme:{v}'"],
        &["client_authentication: self_signed_tls_client_auth", "dpop: true"],
    ];
    for lines in table {
        for grant in ["authorization_code", "client_credentials"] {
            assert_eq!(found(grant, lines), Vec::<String>::new(), "{grant} {lines:?}");
        }
    }
    let pushed =
        ["pushed_authorization_request_url: https://acme.example/par", "callback: {hmac: {parameter: h}}", SHARED];
    assert_eq!(found("authorization_code", &pushed), Vec::<String>::new());
}

#[test]
fn what_is_not_said_is_not_in_the_canonical_text() {
    let plain = parse(&manifest("authorization_code", &[])).expect("a manifest");
    for member in ["client_assertion", "resource", "pushed_authorization_request_url", "dpop"] {
        assert!(!canonical_json(&plain).contains(member), "{member}");
    }
}
