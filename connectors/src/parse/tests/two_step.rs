//! The violations of manifests that change credentials for a token.

use super::*;

const LOGIN: &str = "id: acme
name: Acme
auth:
  type: two_step
  credentials:
    user: {type: text, title: User}
    password: {type: secret, title: Password}
  steps:
    - url: https://acme.example/login
      params: {user: '{user}', password: '{password}'}
";

fn login(old: &str, new: &str) -> String {
    assert!(LOGIN.contains(old), "{old}");
    LOGIN.replacen(old, new, 1)
}

fn step(lines: &str) -> String {
    format!("{LOGIN}      {lines}\n")
}

fn auth(lines: &str) -> String {
    format!("{LOGIN}  {lines}\n")
}

/// With one more step.
fn then(lines: &str) -> String {
    format!("{LOGIN}    - url: https://acme.example/token\n      {lines}\n")
}

pub(super) fn violations() -> Vec<(Code, &'static str, String)> {
    use Code::*;
    let refresh = |lines: &str| auth(&format!("refresh:\n    - url: https://acme.example/r\n      {lines}"));
    let five_more = format!("{LOGIN}{}", "    - url: https://acme.example/x\n".repeat(5));
    vec![
        // Members of other modes, and such as these have none of.
        (UnknownMember, "/auth/token_url", auth("‸token_url: https://acme.example/t")),
        (UnknownMember, "/auth/verification", auth("‸verification: {url: 'https://acme.example/me'}")),
        (UnknownMember, "/auth/token_response/scope", auth("token_response: {‸scope: /s}")),
        (UnknownMember, "/auth/refresh_errors/app", auth("refresh_errors: {‸app: [a]}")),
        (UnknownMember, "/auth/revocation/take", auth("revocation: {url: 'https://acme.example/x', ‸take: {a: /b}}")),
        (IgnoredMember, "/scopes", format!("{LOGIN}‸scopes: {{read: Read}}\n")),
        // How many requests, and where they go.
        (
            TooMany,
            "/auth/steps",
            five_more.replace("    - url: https://acme.example/login", "    ‸- url: https://acme.example/login"),
        ),
        (BadUrl, "/auth/steps/0/url", login("https://acme.example/login", "‸http://acme.example/login")),
        (UnknownVariable, "/auth/steps/0/url", login("https://acme.example/login", "‸https://acme.example/{user}")),
        (BadUrl, "/auth/revocation/url", auth("revocation: {url: ‸acme}")),
        (
            MissingMember,
            "/auth/steps/0/url",
            login("    - url: https://acme.example/login\n      params", "    - ‸params"),
        ),
        // What is known when a request is sent.
        (
            UnknownVariable,
            "/auth/steps/0/params/session",
            login("{user: '{user}',", "{user: '{user}', session: ‸'{session}',") + "      take: {session: /s}\n",
        ),
        (
            UnknownVariable,
            "/auth/steps/0/params/token",
            login("{user: '{user}',", "{user: '{user}', token: ‸'{access_token}',"),
        ),
        (
            UnknownVariable,
            "/auth/revocation/params/p",
            auth("revocation: {url: 'https://acme.example/x', params: {p: ‸'{password}'}}"),
        ),
        (UnknownVariable, "/auth/steps/1/headers/x-a", then("headers: {x-a: ‸'{refresh_token}'}")),
        (BadTemplate, "/auth/steps/0/params/user", login("'{user}'", "‸'{user'")),
        (
            UnusedCredential,
            "/auth/credentials/user",
            login("    user: {type", "    ‸user: {type").replace("user: '{user}', ", ""),
        ),
        // What is taken.
        (IgnoredMember, "/auth/steps/0/take/session", step("take: {‸session: /s}")),
        (BadVariable, "/auth/steps/0/take/user", step("take: {‸user: /s}")),
        (BadVariable, "/auth/steps/0/take/access_token", step("take: {‸access_token: /s}")),
        (BadVariable, "/auth/steps/0/take/A", step("take: {‸A: /s}")),
        (
            BadPointer,
            "/auth/steps/0/take/s",
            then("headers: {x-s: '{s}'}").replace(
                "    - url: https://acme.example/token",
                "      take: {s: ‸s}\n    - url: https://acme.example/token",
            ),
        ),
        // How requests are written.
        (IgnoredMember, "/auth/steps/0/body", step("method: GET\n      ‸body: json")),
        (IgnoredMember, "/auth/steps/0/literals", step("‸literals: {a: 'true'}")),
        (IgnoredMember, "/auth/steps/0/xml", step("‸xml: <a/>")),
        (
            IgnoredMember,
            "/auth/steps/0/params",
            login("      params", "      ‸params") + "      body: xml\n      xml: '<a>{user}{password}</a>'\n",
        ),
        (
            MissingMember,
            "/auth/steps/0/xml",
            login("      params: {user: '{user}', password: '{password}'}\n", "").replace("    - url", "    - ‸url")
                + "      headers: {x-u: '{user}', x-p: '{password}'}\n      body: xml\n",
        ),
        (BadParameter, "/auth/steps/0/literals/a", step("body: json\n      literals: {a: ‸tru}")),
        (BadParameter, "/auth/steps/0/literals/user", step("body: json\n      literals: {‸user: 'true'}")),
        (BadParameter, "/auth/steps/0/literals/~1user~1a", step("body: json\n      literals: {‸/user/a: 'true'}")),
        (BadParameter, "/auth/steps/0/params/a b", login("{user: '{user}',", "{user: '{user}', ‸a b: c,")),
        (
            BadParameter,
            "/auth/steps/0/params/user",
            login("/login", "/login?user=1").replace("{user: '{user}'", "{‸user: '{user}'") + "      body: query\n",
        ),
        (ReservedHeader, "/auth/steps/0/headers/content-type", step("headers: {‸content-type: a}")),
        (
            ReservedHeader,
            "/auth/steps/0/headers/Authorization",
            step("basic: {username: u, password: p}\n      headers: {‸Authorization: a}"),
        ),
        (BadTemplate, "/auth/steps/0/basic/username", step("basic: {username: ‸'a:b', password: p}")),
        // What calls carry.
        (MissingMember, "/api/headers", format!("{LOGIN}‸api: {{base_url: 'https://acme.example'}}\n")),
        (
            UnknownVariable,
            "/api/headers/x",
            format!(
                "{LOGIN}api: {{base_url: 'https://acme.example', headers: {{a: '{{access_token}}', x: ‸'{{refresh_token}}'}}}}\n"
            ),
        ),
        // What belongs to a refresh token.
        (IgnoredMember, "/auth/recovery_class", auth("‸recovery_class: S")),
        (IgnoredMember, "/auth/token_response/refresh_token", auth("token_response: {‸refresh_token: /r}")),
        (MissingMember, "/auth/refresh", auth("refresh:\n    ‸- url: https://acme.example/r")),
        (UnknownVariable, "/auth/refresh/0/params/a", refresh("params: {r: '{refresh_token}', a: ‸'{nothing}'}")),
        // Limits.
        (OutOfRange, "/auth/default_lifetime", auth("default_lifetime: ‸0")),
        (BadRate, "/auth/mint_rate/requests", auth("mint_rate: {requests: ‸0, seconds: 1}")),
        (BadError, "/auth/refresh_errors/permanent/0", auth("refresh_errors: {permanent: [‸'no code']}")),
        (ReservedHeader, "/auth/retry_hint/header", auth("retry_hint: {header: ‸Host}")),
    ]
}
