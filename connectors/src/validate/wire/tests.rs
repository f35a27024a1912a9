//! Members that say how a provider writes: what each must not say, with the code and the place of the finding.

use crate::{canonical_json, lint, parse};

/// A manifest with more members of `auth`, a line each.
fn manifest(lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    format!(
        "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: authorization_code\n  \
         authorization_url: https://acme.example/a?w=1\n  token_url: https://acme.example/t\n{lines}"
    )
}

fn found(lines: &[&str]) -> Vec<String> {
    lint(&manifest(lines)).into_iter().map(|d| format!("{} {}", d.code, d.path.trim_start_matches("/auth/"))).collect()
}

#[test]
fn what_is_refused() {
    let table: &[(&[&str], &str)] = &[
        (
            &["authorization_request: {names: {client_id: 'a b'}}"],
            "bad_parameter authorization_request/names/client_id",
        ),
        (
            &["authorization_request: {names: {client_id: client_id}}"],
            "ignored_member authorization_request/names/client_id",
        ),
        (
            &["authorization_request: {names: {client_id: state}}"],
            "bad_parameter authorization_request/names/client_id",
        ),
        (
            &["authorization_request: {names: {client_id: code_challenge}}"],
            "bad_parameter authorization_request/names/client_id",
        ),
        (&["authorization_request: {names: {client_id: w}}"], "bad_parameter authorization_request/names/client_id"),
        (
            &["authorization_request: {names: {client_id: x, scope: x}}"],
            "bad_parameter authorization_request/names/scope",
        ),
        (&["authorization_request: {names: {state: x}}"], "unknown_member authorization_request/names/state"),
        (&["authorization_request: {names: {code: x}}"], "unknown_member authorization_request/names/code"),
        (&["authorization_request: {omit: [state]}"], "wrong_type authorization_request/omit/0"),
        (
            &["authorization_request: {omit: [response_type, response_type]}"],
            "ignored_member authorization_request/omit/1",
        ),
        (
            &["authorization_request: {omit: [response_type], names: {response_type: x}}"],
            "ignored_member authorization_request/names/response_type",
        ),
        (&["authorization_request: {response_type: code}"], "ignored_member authorization_request/response_type"),
        (&["authorization_request: {response_type: token}"], "bad_parameter authorization_request/response_type"),
        (
            &["authorization_request: {response_type: code id_token}"],
            "bad_parameter authorization_request/response_type",
        ),
        (&["authorization_request: {fragment: '#x'}"], "bad_parameter authorization_request/fragment"),
        (&["authorization_request: {route: '/a?b'}"], "bad_parameter authorization_request/route"),
        (&["authorization_request: {route: ''}"], "bad_parameter authorization_request/route"),
        (&["authorization_request: {route: /a, fragment: b}"], "ignored_member authorization_request/fragment"),
        (&["authorization_request: {fragment: ''}"], "bad_parameter authorization_request/fragment"),
        (
            &["authorization_request: {names: {client_id: app}}", "authorization_params: {app: x}"],
            "reserved_parameter authorization_params/app",
        ),
        (
            &["token_request: {names: {client_id: app}}", "token_params: {app: x}"],
            "reserved_parameter token_params/app",
        ),
        (
            &["token_request: {names: {client_id: app}}", "refresh_params: {app: x}"],
            "reserved_parameter refresh_params/app",
        ),
        (
            &["refresh_request: {names: {refresh_token: t}}", "refresh_params: {t: x}"],
            "reserved_parameter refresh_params/t",
        ),
        (&["token_request: {names: {code: grant_type}}"], "bad_parameter token_request/names/code"),
        (&["token_request: {names: {scope: x}}"], "ignored_member token_request/names/scope"),
        (
            &["token_request: {names: {client_secret: x}}", "client_authentication: none"],
            "ignored_member token_request/names/client_secret",
        ),
        (
            &["token_request: {names: {client_id: x}}", "client_authentication: client_secret_basic"],
            "ignored_member token_request/names/client_id",
        ),
        (
            &["token_request: {names: {code_verifier: x}}", "pkce_disabled_reason: r"],
            "ignored_member token_request/names/code_verifier",
        ),
        (
            &["token_request: {omit: [client_id]}", "client_authentication: client_secret_as_user"],
            "ignored_member token_request/omit/0",
        ),
        (&["token_request: {omit: [code]}"], "wrong_type token_request/omit/0"),
        (&["token_request: {grant_type: authorization_code}"], "ignored_member token_request/grant_type"),
        (&["token_request: {grant_type: 'a b'}"], "bad_parameter token_request/grant_type"),
        (&["token_request: {method: PUT}"], "wrong_type token_request/method"),
        (&["token_request: {method: GET}", "token_body: json"], "ignored_member token_body"),
        (&["token_request: {method: GET}", "token_body: query"], "ignored_member token_body"),
        (&["refresh_request: {grant_type: refresh_token}"], "ignored_member refresh_request/grant_type"),
        (&["refresh_request: {omit: [refresh_token]}"], "wrong_type refresh_request/omit/0"),
        (
            &["refresh_request: {omit: [client_secret]}", "client_authentication: client_secret_basic"],
            "ignored_member refresh_request/omit/0",
        ),
        (
            &["refresh_request: {names: {refresh_token: client_id}}"],
            "bad_parameter refresh_request/names/refresh_token",
        ),
        (&["token_request: {names: {client_id: refresh_token}}"], "bad_parameter token_request/names/client_id"),
        (
            &["token_request: {names: {client_id: x, client_secret: x}}"],
            "bad_parameter token_request/names/client_secret",
        ),
        (&["client_secret_header: x-key"], "ignored_member client_secret_header"),
        (&["client_authentication: client_secret_header"], "missing_member client_secret_header"),
        (
            &["client_authentication: client_secret_header", "client_secret_header: Cookie"],
            "reserved_header client_secret_header",
        ),
        (&["client_id_header: 'a b'"], "bad_header client_id_header"),
        (&["client_id_header: X-Id", "token_headers: {x-id: a}"], "bad_header client_id_header"),
        (
            &["client_id_header: x", "client_authentication: client_secret_header", "client_secret_header: X"],
            "bad_header client_secret_header",
        ),
        (&["callback: {code: code}"], "ignored_member callback/code"),
        (&["callback: {code: state}"], "bad_parameter callback/code"),
        (&["callback: {keep: {'a b': x}}"], "bad_parameter callback/keep/a b"),
        (&["callback: {keep: {a: state}}"], "bad_parameter callback/keep/a"),
        (&["callback: {keep: {a: code}}"], "exposes_token callback/keep/a"),
        (&["callback: {code: auth_code, keep: {a: auth_code}}"], "exposes_token callback/keep/a"),
        (&["callback: {expect: {state: x}}"], "bad_parameter callback/expect/state"),
        (&["callback: {expect: {shop: ''}}"], "bad_parameter callback/expect/shop"),
        (&["callback: {expect: {shop: '{shop}'}}"], "unknown_variable callback/expect/shop"),
        (&["callback: {hmac: {}}"], "missing_member callback/hmac/parameter"),
        (&["callback: {hmac: {parameter: state}}"], "bad_parameter callback/hmac/parameter"),
        (&["callback: {hmac: {parameter: hmac, except: [hmac]}}"], "bad_parameter callback/hmac/except/0"),
        (&["callback: {hmac: {parameter: hmac, except: [code]}}"], "bad_parameter callback/hmac/except/0"),
        (
            &["callback: {keep: {shop: shop}, hmac: {parameter: hmac, except: [shop]}}"],
            "bad_parameter callback/hmac/except/0",
        ),
        (&["callback: {hmac: {parameter: hmac, except: [t], timestamp: t}}"], "bad_parameter callback/hmac/timestamp"),
        (&["callback: {hmac: {parameter: hmac}}", "client_authentication: none"], "no_credentials callback/hmac"),
        (
            &["long_lived_exchange: {url: 'http://acme.example/', grant_type: g, token_parameter: t}"],
            "bad_url long_lived_exchange/url",
        ),
        (
            &["long_lived_exchange: {url: 'https://acme.example/', grant_type: '', token_parameter: t}"],
            "bad_parameter long_lived_exchange/grant_type",
        ),
        (
            &["long_lived_exchange: {url: 'https://acme.example/', grant_type: g, token_parameter: client_id}"],
            "bad_parameter long_lived_exchange/token_parameter",
        ),
        (&["identity: {url: 'https://{x}.acme.example/', fields: {a: /b}}"], "unknown_variable identity/url"),
        (&["identity: {url: 'https://acme.example/', fields: {}}"], "missing_member identity/fields"),
        (&["identity: {url: 'https://acme.example/', fields: {a: b}}"], "bad_pointer identity/fields/a"),
        (&["callback: {keep: {a: b}}", "token_response: {extra: {a: /c}}"], "bad_parameter callback/keep/a"),
        (
            &["identity: {url: 'https://acme.example/', fields: {a: /b}}", "callback: {keep: {a: b}}"],
            "bad_parameter identity/fields/a",
        ),
        (&["retry_hint: {header: Retry-After}"], "ignored_member retry_hint/header"),
        (&["retry_hint: {header: ''}"], "bad_header retry_hint/header"),
        (&["retry_hint: {header: x, unit: minutes}"], "wrong_type retry_hint/unit"),
        (&["token_response: {strip_prefix: '{'}"], "bad_text token_response/strip_prefix"),
        (&["token_response: {strip_prefix: ''}"], "bad_text token_response/strip_prefix"),
        (&["token_response: {expires_at: ends}"], "bad_pointer token_response/expires_at"),
        (&["token_response: {alternate: ''}"], "bad_pointer token_response/alternate"),
        (&["token_response: {alternate: /user, extra: {a: /user}}"], "exposes_token token_response/extra/a"),
        (
            &["token_response: {alternate: /user, extra: {a: /user/access_token}}"],
            "exposes_token token_response/extra/a",
        ),
    ];
    for (lines, expected) in table {
        assert_eq!(found(lines), [*expected], "{lines:?}");
    }
}

#[test]
fn what_is_accepted() {
    let table: &[&[&str]] = &[
        &[
            "authorization_request: {names: {client_id: client_key, scope: scopes}, omit: [response_type], fragment: /x?y}",
        ],
        &[
            "token_request: {method: GET, names: {client_id: appid, client_secret: secret, code: auth_code}, omit: [redirect_uri]}",
        ],
        &["token_request: {method: GET}", "token_body: json", "refresh_request: {method: POST}"],
        &[
            "token_request: {names: {client_id: app}}",
            "refresh_request: {names: {client_id: appid, refresh_token: app}}",
        ],
        &["refresh_request: {grant_type: g, names: {refresh_token: client_id}, omit: [client_id, client_secret]}"],
        &[
            "client_authentication: client_secret_header",
            "client_secret_header: secret_key",
            "client_id_header: client-id",
        ],
        &["client_authentication: client_secret_as_user", "token_body: query"],
        &[
            "callback: {code: auth_code, keep: {realm_id: realmId}, expect: {v: '1'}, hmac: {parameter: hmac, except: [signature], timestamp: t}}",
        ],
        &["long_lived_exchange: {url: 'https://acme.example/', grant_type: g, token_parameter: t, method: GET}"],
        &["identity: {url: 'https://acme.example/', fields: {account: /0/id}}", "max_live: 5"],
        &["retry_hint: {header: x-ratelimit-reset, unit: unix_seconds}"],
        &[
            "token_response: {refresh_token: /access_token, strip_prefix: '&&&START&&&', alternate: /user, extra: {a: /user/id}}",
        ],
    ];
    for lines in table {
        assert_eq!(found(lines), Vec::<String>::new(), "{lines:?}");
    }
}

#[test]
fn what_client_credentials_have_no_use_for() {
    let text = |line: &str| {
        format!(
            "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: client_credentials\n  token_url: https://acme.example/t\n  {line}\n"
        )
    };
    let found = |line: &str| lint(&text(line)).into_iter().map(|d| (d.code, d.path)).collect::<Vec<_>>();
    for (member, line) in [
        ("authorization_request", "authorization_request: {fragment: x}"),
        ("authorization_request", "authorization_request: {route: /x}"),
        ("refresh_request", "refresh_request: {grant_type: x}"),
        ("callback", "callback: {keep: {a: b}}"),
        ("long_lived_exchange", "long_lived_exchange: {url: 'https://a.example/', grant_type: g, token_parameter: t}"),
        ("identity", "identity: {url: 'https://a.example/', fields: {a: /b}}"),
    ] {
        assert_eq!(found(line), [("ignored_member", format!("/auth/{member}"))], "{line}");
    }
    assert_eq!(
        found("token_request: {names: {code: x}}"),
        [("ignored_member", "/auth/token_request/names/code".to_owned())]
    );
    assert_eq!(found("token_request: {grant_type: account_credentials, names: {scope: s}}"), []);
}

#[test]
fn what_is_not_said_is_not_in_the_canonical_text() {
    let plain = canonical_json(&parse(&manifest(&[])).expect("a manifest"));
    for member in
        ["_request", "callback", "_header", "long_lived", "identity", "retry", "unit", "expires_at", "alternate"]
    {
        assert!(!plain.contains(member), "{member}: {plain}");
    }
    let said = canonical_json(&parse(&manifest(&["retry_hint: {header: x, unit: seconds}"])).expect("a manifest"));
    assert!(said.contains(r#""retry_hint":{"header":"x"}"#), "{said}");
}
