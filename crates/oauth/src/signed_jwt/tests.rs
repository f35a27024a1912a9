use super::*;
use crate::testing::ScriptedTransport;
use crate::{ClientRegistration, Given, MintError, carried_token, check_pasted_key, mint, verification_of_token};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use mortise_connectors::{Manifest, Values, parse};
use mortise_domain::ScopeSet;

/// RFC 7515 appendix A.3.1.
const P256: &str = r#"{"kty":"EC","crv":"P-256","kid":"own","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
const PUBLIC: [&str; 2] =
    ["f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"];
const NOW: i64 = 1_800_000_000;

fn manifest(jwt: &str) -> Manifest {
    let text = format!(
        "id: acme\nname: Acme\nauth:\n  type: signed_jwt\n  credentials:\n    id: {{type: text, title: Id}}\n    \
         key: {{type: secret, title: Key}}\n    pin: {{type: secret, title: PIN}}\n  jwt: {jwt}\n  \
         verification: {{url: 'https://{{shop}}.acme.example/me'}}\nvariables: {{shop: {{type: host_label, title: Shop}}}}\n\
         api:\n  base_url: https://{{shop}}.acme.example\n  headers: {{Authorization: 'Ghost {{access_token}}', x-pin: '{{pin}}'}}\n"
    );
    parse(&text).unwrap_or_else(|found| panic!("{found:#?}"))
}

fn given(key: &str) -> Credentials {
    let all = [("id", "id-1"), ("key", key), ("pin", "canary-pin")];
    all.into_iter().map(|(name, value)| (name.to_owned(), PastedSecret::new(value))).collect()
}

fn values() -> Values {
    Values::from([("shop".to_owned(), "demo".to_owned())])
}

async fn made(jwt: &str, key: &str) -> Result<TokenGrant, MintError> {
    let (manifest, values, scopes, credentials) = (manifest(jwt), values(), ScopeSet::default(), given(key));
    let provider = Provider { manifest: &manifest, values: &values };
    let client = ClientRegistration { client_id: "", secret: None, redirect_uri: "", signer: None, dpop_key: None };
    // A script without a reply: whatever is sent fails.
    let transport = ScriptedTransport::new();
    let now = Timestamp::from_timestamp(NOW, 0).expect("a time");
    let given = Given { credentials: &credentials, scopes: &scopes };
    let made = mint(&transport, &provider, &client, &given, Duration::from_secs(1), now).await;
    assert!(transport.take_requests().is_empty(), "nobody is asked");
    made
}

fn read(grant: &TokenGrant, key: &DecodingKey, algorithm: Algorithm) -> (Header, Value) {
    let token = grant.access_token.expose();
    let mut rules = Validation::new(algorithm);
    rules.required_spec_claims.clear();
    (rules.validate_exp, rules.validate_aud) = (false, false);
    (decode_header(token).expect("a header"), decode(token, key, &rules).expect("a good signature").claims)
}

#[tokio::test]
async fn a_token_says_what_the_manifest_has_and_nothing_else() {
    let grant = made(
        "{algorithm: ES256, key: '{key}', key_id: 'k-{id}', issuer: '{id}', subject: user, audience: '{shop}-v1', \
         claims: {scope: 'GET /v1/apps'}, lifetime: 1200}",
        P256,
    );
    let grant = grant.await.expect("a token");
    let public = DecodingKey::from_ec_components(PUBLIC[0], PUBLIC[1]).expect("a key");
    let (header, claims) = read(&grant, &public, Algorithm::ES256);
    assert_eq!((header.typ.as_deref(), header.kid.as_deref()), (Some("JWT"), Some("k-id-1")));
    let expected = json!({
        "iss": "id-1", "sub": "user", "aud": "demo-v1", "scope": "GET /v1/apps", "iat": NOW, "exp": NOW + 1200,
    });
    assert_eq!(claims, expected);
    assert_eq!((grant.token_type.as_str(), grant.lifetime), ("signed_jwt", Some(Duration::from_secs(1200))));
    assert!(grant.refresh_token.is_none() && grant.granted_scopes.is_none() && grant.extra.is_empty());
}

#[tokio::test]
async fn what_is_left_out_is_not_said() {
    let grant = made("{algorithm: ES256, key: '{key}', issuer: '{id}'}", P256).await.expect("a token");
    let public = DecodingKey::from_ec_components(PUBLIC[0], PUBLIC[1]).expect("a key");
    let (header, claims) = read(&grant, &public, Algorithm::ES256);
    assert_eq!(header.kid.as_deref(), Some("own"), "what the key itself says");
    assert_eq!(claims, json!({"iss": "id-1", "iat": NOW, "exp": NOW + 300}));
}

#[tokio::test]
async fn a_shared_key_is_read_as_it_is_written() {
    let table: [(&str, &str, &[u8]); 4] = [
        ("{algorithm: HS256, key: '{key}', issuer: '{id}'}", "0aFF", b"0aFF"),
        ("{algorithm: HS256, key: '{key}', key_encoding: hex, issuer: '{id}'}", "0aFF", b"\x0a\xff"),
        ("{algorithm: HS256, key: '{key}', key_encoding: base64, issuer: '{id}'}", "Cv8=", b"\x0a\xff"),
        ("{algorithm: HS256, key: '{id}||{key}', issuer: '{id}'}", "0aFF", b"id-1||0aFF"),
    ];
    for (jwt, key, bytes) in table {
        let grant = made(jwt, key).await.expect("a token");
        assert_eq!(read(&grant, &DecodingKey::from_secret(bytes), Algorithm::HS256).1["iss"], "id-1", "{jwt}");
    }
}

#[tokio::test]
async fn what_is_no_key_is_refused_by_its_name_and_not_repeated() {
    let hex = "{algorithm: HS256, key: '{key}', key_encoding: hex, issuer: '{id}'}";
    let base64 = "{algorithm: HS256, key: '{key}', key_encoding: base64, issuer: '{id}'}";
    let private = "{algorithm: ES256, key: '{key}', issuer: '{id}'}";
    let encoded = |what| KeyFault::NotEncoded(what);
    for (jwt, key, fault) in [
        (hex, "canary", encoded("hexadecimal digits, two for each byte")),
        (hex, "0a0", encoded("hexadecimal digits, two for each byte")),
        (hex, "0é0", encoded("hexadecimal digits, two for each byte")),
        (base64, "canary!", encoded("base64")),
        (private, "canary", KeyFault::NotAKey),
        (
            "{algorithm: RS256, key: '{key}', issuer: '{id}'}",
            P256,
            KeyFault::OtherAlgorithm(mortise_connectors::SigningAlgorithm::Rs256),
        ),
    ] {
        let Err(MintError::Protocol(ProtocolError::PastedKey { credential, fault: told })) = made(jwt, key).await
        else {
            panic!("{jwt} takes {key}");
        };
        assert_eq!((credential.as_str(), told), ("key", fault));
        assert!(!fault.to_string().contains("canary"));
        let checked = check_pasted_key(&manifest(jwt).auth, &given(key));
        assert_eq!(checked, Err(("key".to_owned(), fault)), "and so it is before anything is signed");
    }
    assert_eq!(check_pasted_key(&manifest(private).auth, &given(P256)), Ok(()));
}

#[tokio::test]
async fn calls_carry_the_token_and_what_is_kept_beside_it() {
    let jwt = "{algorithm: ES256, key: '{key}', issuer: '{id}'}";
    let grant = made(jwt, P256).await.expect("a token");
    assert_eq!(grant.kept.keys().collect::<Vec<_>>(), ["pin"], "the key is not kept beside the token");
    let (manifest, values) = (manifest(jwt), values());
    let provider = Provider { manifest: &manifest, values: &values };
    let carried = carried_token(&provider, &grant.access_token, &grant.kept).expect("filled in").expect("carried");
    let token = grant.access_token.expose();
    let shown: Vec<_> =
        carried.headers.iter().map(|(name, value)| (name.as_str(), value.expose().to_owned())).collect();
    let ghost = format!("Ghost {token}");
    assert_eq!(shown, [("authorization", ghost.clone()), ("x-pin", "canary-pin".to_owned())]);
    let tried = verification_of_token(&provider, &grant.access_token, &grant.kept).expect("built").expect("a call");
    assert_eq!(tried.url.as_str(), "https://demo.acme.example/me");
    assert_eq!(crate::fixture::header(&tried, "authorization"), Some(ghost.as_str()));
}
