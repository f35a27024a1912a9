//! The violations of manifests of the device flow, the implicit grant and OAuth 1.0.

use super::*;

const DEVICE: &str = "id: acme
name: Acme
auth:
  type: oauth2
  grant: device_code
  device_authorization_url: https://acme.example/device
  token_url: https://acme.example/token
";
const IMPLICIT: &str = "id: acme
name: Acme
auth:
  type: oauth2
  grant: implicit
  authorization_url: https://acme.example/authorize
";
const OAUTH1: &str = "id: acme
name: Acme
auth:
  type: oauth1
  request_token_url: https://acme.example/initiate
  authorization_url: https://acme.example/authorize
  token_url: https://acme.example/token
";

#[test]
fn the_bases_are_fine() {
    assert_eq!(lint(DEVICE), []);
    assert_eq!(lint(OAUTH1), []);
    // It says what it is, and nothing else.
    let found = lint(IMPLICIT);
    assert_eq!(found.iter().map(|found| found.code).collect::<Vec<_>>(), ["legacy_grant"]);
    assert!(parse(IMPLICIT).is_ok());
}

/// With the implicit grant each finding stands beside the warning that it is a legacy one.
#[test]
fn what_the_implicit_grant_would_ignore_is_refused() {
    let members = [
        ("token_url", "https://acme.example/token"),
        ("token_body", "json"),
        ("refresh_url", "https://acme.example/refresh"),
        ("recovery_class", "S"),
        ("grace", "5"),
        ("reuse_penalty", "true"),
        ("rate_limit", "{requests: 1, seconds: 1}"),
        ("pkce_disabled_reason", "none"),
        ("client_authentication", "none"),
        ("token_headers", "{a: b}"),
        ("device_authorization_url", "https://acme.example/device"),
        ("idle_limit", "5"),
    ];
    for (member, value) in members {
        let found = lint(&format!("{IMPLICIT}  {member}: {value}\n"));
        let told = found.iter().any(|found| found.code == "ignored_member" && found.path == format!("/auth/{member}"));
        assert!(told, "{member}: {found:#?}");
    }
    let revokes = format!("{IMPLICIT}  revocation_url: https://acme.example/revoke\n  client_authentication: none\n");
    assert!(parse(&revokes).is_ok(), "{:#?}", lint(&revokes));
    for (list, name) in
        [("", "access_token"), ("", "refresh_token"), ("  token_response: {access_token: /jwt}\n", "jwt")]
    {
        let kept = format!("{IMPLICIT}{list}  callback: {{keep: {{a: {name}}}}}\n");
        let at =
            |code| lint(&kept).iter().any(|found| (found.code, found.path.as_str()) == (code, "/auth/callback/keep/a"));
        assert!(at("exposes_token"), "{name}: {:#?}", lint(&kept));
    }
    assert!(parse(&format!("{IMPLICIT}  callback: {{keep: {{a: account}}}}\n")).is_ok());
    let posted = format!("{IMPLICIT}  authorization_params: {{response_mode: query}}\n");
    assert!(lint(&posted).iter().any(|found| found.code == "bad_parameter"));
}

pub(super) fn violations() -> Vec<(Code, &'static str, String)> {
    use Code::*;
    let device = |lines: &str| format!("{DEVICE}{lines}\n");
    let oauth1 = |lines: &str| format!("{OAUTH1}{lines}\n");
    vec![
        (
            MissingMember,
            "/auth/device_authorization_url",
            DEVICE.replace("auth:", "‸auth:").replace("  device_authorization_url: https://acme.example/device\n", ""),
        ),
        (IgnoredMember, "/auth/authorization_url", device("  ‸authorization_url: https://acme.example/a")),
        (IgnoredMember, "/auth/pkce_disabled_reason", device("  ‸pkce_disabled_reason: none")),
        (IgnoredMember, "/auth/callback", device("  ‸callback: {keep: {a: b}}")),
        (ReservedParameter, "/auth/token_params/device_code", device("  token_params: {‸device_code: x}")),
        (ReservedParameter, "/auth/authorization_params/scope", device("  authorization_params: {‸scope: x}")),
        (
            IgnoredMember,
            "/auth/device_authorization_url",
            DEVICE.replace("device_code", "client_credentials").replace("  device_auth", "  ‸device_auth"),
        ),
        (
            MissingMember,
            "/auth/request_token_url",
            OAUTH1.replace("  type", "  ‸type").replace("  request_token_url: https://acme.example/initiate\n", ""),
        ),
        (UnknownMember, "/auth/default_scopes", oauth1("  ‸default_scopes: [a]")),
        (UnknownMember, "/auth/refresh_url", oauth1("  ‸refresh_url: https://acme.example/r")),
        (WrongType, "/auth/signature_method", oauth1("  signature_method: ‸RSA-SHA1")),
        (
            BadUrl,
            "/auth/token_url",
            OAUTH1.replace("token_url: https://acme.example/token", "token_url: ‸http://127.0.0.1/token")
                + "  signature_method: PLAINTEXT\n",
        ),
        (BadHeader, "/auth/realm", oauth1("  realm: ‸'a\"b'")),
        (
            ReservedParameter,
            "/auth/request_token_params/oauth_callback",
            oauth1("  request_token_params: {‸oauth_callback: x}"),
        ),
        (BadParameter, "/auth/authorization_params/a b", oauth1("  authorization_params: {‸a b: x}")),
        (UnknownVariable, "/auth/authorization_params/a", oauth1("  authorization_params: {a: ‸'{b}'}")),
        (ExposesToken, "/auth/token_response/extra/a", oauth1("  token_response: {extra: {a: ‸/oauth_token_secret}}")),
        (BadPointer, "/auth/token_response/extra/a", oauth1("  token_response: {extra: {a: ‸user_id}}")),
        (IgnoredMember, "/scopes", oauth1("‸scopes: {a: b}")),
        (IgnoredMember, "/api/headers", oauth1("api:\n  base_url: https://acme.example\n  ‸headers: {a: b}")),
    ]
}
