//! The violations of manifests whose customers paste credentials, and of the variables that stand in hosts.

use super::*;

const KEY: &str = "id: acme
name: Acme
auth:
  type: api_key
  credentials:
    key: {type: secret, title: Key}
api:
  base_url: https://acme.example
  headers: {Authorization: 'Bearer {key}'}
";

fn with_key(old: &str, new: &str) -> String {
    assert!(KEY.contains(old), "{old}");
    KEY.replacen(old, new, 1)
}

fn basic(lines: &str) -> String {
    format!("id: acme\nname: Acme\nauth:\n  type: basic\n{lines}\n")
}

pub(super) fn violations() -> Vec<(Code, &'static str, String)> {
    use Code::*;
    let credential = |members: &str| with_key("title: Key", &format!("title: Key, {members}"));
    let status = |status: &str| {
        with_key("api:\n", &format!("  verification: {{url: 'https://acme.example/me', status: [{status}]}}\napi:\n"))
    };
    let domain = |url: &str, members: &str| {
        format!(
            "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: client_credentials\n  token_url: {url}\nvariables:\n  d: {{type: domain, title: D{members}}}\n"
        )
    };
    vec![
        // Each mode has members of its own.
        (UnknownMember, "/auth/token_url", with_key("api:\n", "  ‸token_url: https://acme.example/t\napi:\n")),
        (UnknownMember, "/auth/username", with_key("api:\n", "  ‸username: '{key}'\napi:\n")),
        (UnknownMember, "/auth/key", basic("  ‸key: password")),
        (UnknownMember, "/auth/grant", basic("  ‸grant: authorization_code")),
        (IgnoredMember, "/auth/credentials", plus("  ‸credentials: {a: {type: secret, title: A}}")),
        (
            LegacyGrant,
            "/auth/grant",
            "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: ‸password\n  token_url: https://acme.example/t\n"
                .to_owned(),
        ),
        (WrongType, "/auth/type", with_key("type: api_key", "type: ‸apikey")),
        (MissingMember, "/auth/type", with_key("  type: api_key\n  credentials", "  ‸credentials")),
        (
            MissingMember,
            "/auth/credentials",
            with_key("  type: api_key\n  credentials:\n    key: {type: secret, title: Key}\n", "  ‸type: api_key\n"),
        ),
        (IgnoredMember, "/api/headers", plus("api: {base_url: 'https://acme.example', ‸headers: {a: b}}")),
        (IgnoredMember, "/api/query", plus("api: {base_url: 'https://acme.example', ‸query: {a: b}}")),
        (IgnoredMember, "/scopes", with_key("api:\n", "‸scopes: {read: Read}\napi:\n")),
        // What is asked for.
        (TooMany, "/auth/credentials", basic("  credentials: ‸{}\n  username: u\n  password: p")),
        (NoCredentials, "/auth/credentials", with_key("    key: {type: secret", "    ‸key: {type: text")),
        (
            BadVariable,
            "/auth/credentials/Key",
            KEY.replace("key: {type", "‸Key: {type").replace("Bearer {key}", "Bearer x"),
        ),
        (
            BadVariable,
            "/auth/credentials/scopes",
            KEY.replace("key: {type", "‸scopes: {type").replace("{key}", "{scopes}"),
        ),
        (
            BadVariable,
            "/auth/credentials/key",
            with_key("    key", "    ‸key") + "variables: {key: {type: text, title: T}}\n",
        ),
        (BadText, "/auth/credentials/key/title", with_key("title: Key", "title: ‸''")),
        (BadPattern, "/auth/credentials/key/pattern", credential("pattern: ‸'a)|(b'")),
        (BadPattern, "/auth/credentials/key/pattern", credential("pattern: ‸'(?=a)b'")),
        (BadPattern, "/auth/credentials/key/pattern", credential("pattern: ‸'(a{1000}){1000}'")),
        (BadPattern, "/auth/credentials/key/pattern", credential("pattern: ‸''")),
        (BadValue, "/auth/credentials/key/example", credential("pattern: '[a-z]+', example: ‸A1")),
        (BadStatus, "/auth/verification/status/1", status("200, ‸401")),
        (BadStatus, "/auth/verification/status/0", status("‸302")),
        (BadStatus, "/auth/verification/status/0", status("‸500")),
        (
            BadUrl,
            "/auth/verification/url",
            with_key("api:\n", "  verification: {url: ‸'http://acme.example/me'}\napi:\n"),
        ),
        (
            UnknownVariable,
            "/auth/verification/url",
            with_key("api:\n", "  verification: {url: ‸'https://acme.example/{key}'}\napi:\n"),
        ),
        // Where it goes.
        (UnusedCredential, "/auth/credentials/key", with_key("    key", "    ‸key").replace("{key}", "x")),
        (UnknownVariable, "/api/headers/Authorization", with_key("'Bearer {key}'", "‸'Bearer {key} {kay}'")),
        (BadTemplate, "/api/headers/x", with_key("{key}'}", "{key}', x: ‸'{'}")),
        (ReservedHeader, "/api/headers/Host", with_key("{key}'}", "{key}', ‸Host: evil.example}")),
        (
            ReservedHeader,
            "/api/headers/Authorization",
            basic("api: {base_url: 'https://acme.example', headers: {‸Authorization: x}}"),
        ),
        (BadHeader, "/api/headers/a b", with_key("{key}'}", "{key}', ‸a b: x}")),
        (BadParameter, "/api/query/a b", with_key("  headers", "  query: {‸a b: x}\n  headers")),
        (BadTemplate, "/auth/username", basic("  username: ‸'{username}:x'")),
        (
            MissingMember,
            "/auth/key",
            KEY.replace("  credentials:\n", "  credentials:\n    b: {type: secret, title: B}\n")
                .replace("{key}", "{key}{b}")
                .replace("auth:", "‸auth:"),
        ),
        (IgnoredMember, "/auth/key", with_key("api:\n", "  ‸key: key\napi:\n")),
        (BadValue, "/auth/key", with_key("api:\n", "  key: ‸other\napi:\n")),
        // Hosts.
        (
            MissingMember,
            "/variables/d/suffix",
            domain("https://{d}/t", "").replace("d: {type: domain", "‸d: {type: domain"),
        ),
        (BadValue, "/variables/d/suffix", domain("https://{d}/t", ", suffix: ‸com")),
        (BadValue, "/variables/d/suffix", domain("https://{d}/t", ", suffix: ‸.acme.example")),
        (BadUrl, "/auth/token_url", domain("‸https://{d}.acme.example/t", ", suffix: acme.example")),
        (BadUrl, "/auth/token_url", domain("‸https://x.{d}/t", ", suffix: acme.example")),
        (BadDefault, "/variables/d/default", domain("https://{d}/t", ", suffix: acme.example, default: ‸evil.example")),
        (
            IgnoredMember,
            "/variables/d/suffix",
            domain("https://{d}.acme.example/t", ", suffix: ‸acme.example").replace("type: domain", "type: host_label"),
        ),
        (BadUrl, "/auth/token_url", domain("‸https://acme.example/{d}", "").replace("type: domain", "type: text")),
        (
            BadUrl,
            "/auth/token_url",
            domain("‸https://a.{d}/t", ", values: [com, c/d]").replace("type: domain", "type: enum"),
        ),
        (BadUrl, "/auth/token_url", domain("‸https://{d}/t", ", values: [com]").replace("type: domain", "type: enum")),
    ]
}

#[test]
fn what_is_right_passes() {
    let host = |variable: &str, url: &str| {
        format!(
            "id: acme\nname: Acme\nauth: {{type: oauth2, grant: client_credentials, token_url: '{url}'}}\nvariables:\n  d: {{title: D, {variable}}}\n"
        )
    };
    for text in [
        KEY.to_owned(),
        basic(""),
        basic("  username: x\n  credentials: {password: {type: secret, title: P}}"),
        with_key("title: Key", "title: Key, pattern: 'k-[0-9]{2}', example: k-00"),
        with_key("headers: {Authorization: 'Bearer {key}'}", "query: {api_key: '{key}'}"),
        host("type: domain, suffix: my.acme.example, default: a.b.my.acme.example", "https://{d}/t"),
        host("type: domain, suffix: acme.example", "https://{d}:8443/t/x"),
        host("type: enum, values: [com, co.uk]", "https://accounts.acme.{d}/t"),
        host("type: enum, values: [eu.acme.example, acme.example]", "https://{d}/t"),
    ] {
        assert_eq!(lint(&text), [], "{text}");
    }
}

#[test]
fn a_member_of_another_mode_says_where_it_belongs() {
    let says = |text: &str| lint(text).first().map(|d| d.message.clone()).unwrap_or_default();
    insta::assert_snapshot!(says(&basic("  token_url: x")), @"`token_url` has no use with this `type`: it belongs to `type: oauth2` or `type: oauth1`");
    insta::assert_snapshot!(says(&plus("  verification: {}")), @"`verification` has no use with this `type`: it belongs to `type: api_key` or `type: basic` or `type: signed_jwt`");
    insta::assert_snapshot!(says(&with_key("api_key", "apikey")), @"use `oauth2`, `oauth1`, `api_key`, `basic`, `two_step` or `signed_jwt`, not `apikey`");
}
