//! The violations of manifests whose customers' keys sign tokens.

use super::*;

const SIGNED: &str = "id: acme
name: Acme
auth:
  type: signed_jwt
  credentials:
    id: {type: text, title: Key id}
    key: {type: secret, title: Key}
  jwt:
    algorithm: HS256
    issuer: '{id}'
api:
  base_url: https://acme.example
  headers: {Authorization: 'Bearer {access_token}'}
";

fn signed(old: &str, new: &str) -> String {
    assert!(SIGNED.contains(old), "{old}");
    SIGNED.replacen(old, new, 1)
}

/// With more in `jwt`.
fn jwt(line: &str) -> String {
    signed("api:\n", &format!("    {line}\napi:\n"))
}

/// With a second secret.
fn two(line: &str) -> String {
    jwt(line).replacen("  jwt:\n", "    pin: {type: secret, title: PIN}\n  jwt:\n", 1)
}

pub(super) fn violations() -> Vec<(Code, &'static str, String)> {
    use Code::*;
    vec![
        // Members of other modes, and such as this one has none of.
        (UnknownMember, "/auth/assertion", signed("  jwt:", "  ‸assertion: {issuer: x}\n  jwt:")),
        (UnknownMember, "/auth/steps", signed("  jwt:", "  ‸steps: []\n  jwt:")),
        (UnknownMember, "/auth/jwt/scope_claim", jwt("‸scope_claim: scope")),
        (IgnoredMember, "/scopes", format!("{SIGNED}‸scopes: {{read: Read}}\n")),
        (MissingMember, "/auth/jwt/algorithm", signed("    algorithm: HS256\n    issuer", "    ‸issuer")),
        (WrongType, "/auth/jwt/algorithm", signed("HS256", "‸none")),
        // What signs.
        (
            NoCredentials,
            "/auth/credentials",
            signed("credentials:\n    id", "credentials:\n    ‸id").replace("secret", "text"),
        ),
        (MissingMember, "/auth/jwt/key", two("subject: '{id}'").replace("  jwt:", "  ‸jwt:")),
        (IgnoredMember, "/auth/jwt/key", jwt("‸key: '{key}'")),
        (BadValue, "/auth/jwt/key", jwt("key: ‸'{id}'")),
        (BadTemplate, "/auth/jwt/key", jwt("key: ‸'{key'")),
        (UnknownVariable, "/auth/jwt/key", jwt("key: ‸'{key}{salt}'")),
        (BadValue, "/auth/jwt/key", jwt("key: ‸'{id}{key}'").replace("HS256", "RS256")),
        (IgnoredMember, "/auth/jwt/key_encoding", jwt("‸key_encoding: hex").replace("HS256", "RS256")),
        (BadValue, "/auth/credentials/key/type", signed("secret", "‸document")),
        // What it says.
        (ExposesToken, "/auth/jwt/issuer", signed("'{id}'", "‸'{id}{key}'")),
        (ExposesToken, "/auth/jwt/key_id", jwt("key_id: ‸'{key}'")),
        (ExposesToken, "/auth/jwt/claims/a", jwt("claims: {a: ‸'{key}'}")),
        (UnknownVariable, "/auth/jwt/audience", jwt("audience: ‸'{nobody}'")),
        (BadTemplate, "/auth/jwt/subject", jwt("subject: ‸'{id'")),
        (BadText, "/auth/jwt/subject", jwt("subject: ‸''")),
        (ReservedParameter, "/auth/jwt/claims/jti", jwt("claims: {‸jti: a}")),
        (ReservedParameter, "/auth/jwt/claims/iss", jwt("claims: {‸iss: a}")),
        (OutOfRange, "/auth/jwt/lifetime", jwt("lifetime: ‸59")),
        (OutOfRange, "/auth/jwt/lifetime", jwt("lifetime: ‸3601")),
        (
            UnusedCredential,
            "/auth/credentials/id",
            signed("    id: {", "    ‸id: {").replace("    issuer: '{id}'\n", ""),
        ),
        (UnusedCredential, "/auth/credentials/pin", two("key: '{key}'").replace("    pin", "    ‸pin")),
        // How calls carry it.
        (MissingMember, "/api/headers", signed("{Authorization: 'Bearer {access_token}'}", "‸{x: a}")),
        (UnknownVariable, "/api/headers/x", signed("{access_token}'}", "{access_token}', x: ‸'{refresh_token}'}")),
        (
            BadStatus,
            "/auth/verification/status/0",
            signed("api:\n", "  verification: {url: 'https://acme.example/me', status: [‸401]}\napi:\n"),
        ),
        (BadUrl, "/auth/verification/url", signed("api:\n", "  verification: {url: ‸acme}\napi:\n")),
    ]
}

#[test]
fn without_an_api_nobody_knows_how_calls_carry_it() {
    let (text, _) = SIGNED.split_once("api:\n").expect("an api");
    let found: Vec<_> = lint(text).into_iter().map(|found| (found.code, found.path)).collect();
    assert_eq!(found, [("missing_member", "/api".to_owned())]);
}

#[test]
fn what_is_fine() {
    let table = [
        SIGNED.to_owned(),
        two("key: '{key}'\n    subject: '{id}'")
            .replace("'Bearer {access_token}'", "'Bearer {access_token}', x-pin: '{pin}'"),
        two("key: '{id}||{key}.{pin}'\n    key_encoding: text"),
        jwt("key_encoding: base64\n    lifetime: 60"),
        signed("secret", "document").replace("HS256", "EdDSA"),
    ];
    for text in table {
        assert_eq!(lint(&text), [], "{text}");
    }
}
