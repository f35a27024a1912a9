use super::*;
use crate::fixture::Fixture;
use crate::testing::{ScriptedTransport, body_params};
use crate::{MintError, check_client_secret, grant_request, mint, request_token};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use mortise_domain::ScopeSet;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use url::form_urlencoded;

/// RFC 7515 appendix A.3.1.
const KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
const PUBLIC: [&str; 2] =
    ["f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"];
const NOW: i64 = 1_800_000_000;

fn given(pairs: &[(&str, &str)]) -> Credentials {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), PastedSecret::new(*value))).collect()
}

/// The request's parameters, and the values that must not come back.
fn asked(changes: serde_json::Value, credentials: &[(&str, &str)]) -> (BTreeMap<String, String>, Vec<String>) {
    let fixture = Fixture::new(changes);
    let credentials = given(credentials);
    let scopes = ScopeSet::parse("read", " ");
    let given = Given { credentials: &credentials, scopes: &scopes };
    let request = grant_request(&fixture.provider(), &fixture.client(), &given).expect("a request");
    assert_eq!(request.url.as_str(), "https://shop.acme.example/oauth/token");
    let params = form_urlencoded::parse(&request.body).into_owned().collect();
    (params, request.secrets.iter().map(|secret| secret.to_string()).collect())
}

fn pairs(params: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn a_password_goes_to_the_token_endpoint_and_nowhere_else() {
    let manifest = json!({
        "grant": "password", "password": "{password}{security_token}",
        "credentials": {
            "username": {"type": "text", "title": "User"}, "password": {"type": "secret", "title": "Password"},
            "security_token": {"type": "secret", "title": "Token"},
        },
        "default_scopes": ["write"], "token_request": {"names": {"username": "user"}}, "token_params": {"site": "{subdomain}"},
    });
    let pasted = [("username", "ada"), ("password", "canary-p"), ("security_token", "canary-t")];
    let (params, secrets) = asked(manifest, &pasted);
    let expected = [
        ("client_id", "client-1"),
        ("client_secret", "canary-client-secret"),
        ("grant_type", "password"),
        ("password", "canary-pcanary-t"),
        ("scope", "read write"),
        ("site", "shop"),
        ("user", "ada"),
    ];
    assert_eq!(pairs(&params), expected);
    assert!(secrets.contains(&"canary-pcanary-t".to_owned()), "a provider that repeats the password is caught");
}

#[test]
fn a_saml_assertion_is_base64url_however_it_was_pasted() {
    // `<a>?~ÿ</a>` needs both characters in which the two alphabets differ.
    let xml = "<a>\u{3f}\u{7e}\u{ff}\u{ff}>></a>";
    let plain = base64::engine::general_purpose::STANDARD.encode(xml);
    let (front, back) = plain.split_at(8);
    let wrapped = format!("{front}\r\n{back}\n");
    let safe = URL_SAFE_NO_PAD.encode(xml);
    assert_ne!(plain.trim_end_matches('='), safe, "the example shows something");
    for pasted in [xml, &plain, &wrapped, &safe] {
        let (params, secrets) = asked(json!({"grant": "saml2_bearer"}), &[("assertion", pasted)]);
        assert_eq!(params["assertion"], safe, "{pasted}");
        assert_eq!(params["grant_type"], "urn:ietf:params:oauth:grant-type:saml2-bearer");
        assert!(secrets.contains(&safe));
    }
}

#[test]
fn a_token_is_exchanged_for_another() {
    let least = json!({"grant": "token_exchange", "client_authentication": "client_secret_basic"});
    let (params, secrets) = asked(least, &[("subject_token", "canary-subject")]);
    let expected = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("scope", "read"),
        ("subject_token", "canary-subject"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
    ];
    assert_eq!(pairs(&params), expected);
    assert!(secrets.contains(&"canary-subject".to_owned()));
    let most = json!({
        "grant": "token_exchange", "client_authentication": "client_secret_basic",
        "credentials": {
            "mine": {"type": "secret", "title": "t"}, "theirs": {"type": "secret", "title": "t"},
        },
        "token_exchange": {
            "subject_token": "{mine}", "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "actor_token": "{theirs}", "actor_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "audience": "https://{subdomain}.api.example",
        },
    });
    let (params, secrets) = asked(most, &[("mine", "canary-a"), ("theirs", "canary-b")]);
    let expected = [
        ("actor_token", "canary-b"),
        ("actor_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ("audience", "https://shop.api.example"),
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("scope", "read"),
        ("subject_token", "canary-a"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
    ];
    assert_eq!(pairs(&params), expected);
    assert!(secrets.contains(&"canary-b".to_owned()));
}

#[test]
fn what_was_not_pasted_is_not_sent() {
    let fixture = Fixture::new(json!({"grant": "password"}));
    let (credentials, scopes) = (given(&[("username", "ada")]), ScopeSet::default());
    let given = Given { credentials: &credentials, scopes: &scopes };
    let refused = grant_request(&fixture.provider(), &fixture.client(), &given);
    assert!(matches!(refused, Err(ProtocolError::Template(TemplateError::NoValue(name))) if name == "password"));
}

/// The claims and the header of the assertion in a request as it went out, whose signature the public half accepts.
async fn signed(
    fixture: &Fixture,
    client: &ClientRegistration<'_>,
    credentials: &[(&str, &str)],
) -> (Value, Header, Outbound) {
    let credentials = given(credentials);
    let scopes = ScopeSet::parse("read write", " ");
    let given = Given { credentials: &credentials, scopes: &scopes };
    let request = grant_request(&fixture.provider(), client, &given).expect("a request");
    let transport = ScriptedTransport::new();
    transport.json(200, &json!({"access_token": "at-1", "token_type": "bearer"}));
    request_token(&transport, request, fixture.provider().manifest).await.expect("a token");
    let sent = transport.take_requests().pop().expect("a request");
    let assertion = body_params(&sent)["assertion"].clone();
    let mut validation = Validation::new(Algorithm::ES256);
    (validation.validate_exp, validation.validate_aud) = (false, false);
    validation.required_spec_claims.clear();
    let key = DecodingKey::from_ec_components(PUBLIC[0], PUBLIC[1]).expect("a key");
    let read = jsonwebtoken::decode::<Value>(&assertion, &key, &validation).expect("a good signature");
    (read.claims, read.header, sent)
}

fn without_jti(mut claims: Value) -> Value {
    let jti = claims.as_object_mut().and_then(|claims| claims.remove("jti"));
    assert!(jti.is_some_and(|jti| jti.as_str().is_some_and(|jti| jti.len() >= 20)));
    claims
}

#[tokio::test]
async fn an_assertion_is_signed_with_the_customers_key() {
    let fixture = Fixture::new(json!({
        "grant": "jwt_bearer", "client_authentication": "none", "token_request": {"omit": ["client_id"]},
        "credentials": {"mail": {"type": "text", "title": "M"}, "key": {"type": "document", "title": "K"}},
        "assertion": {
            "issuer": "{mail}", "subject": "user-{subdomain}", "audience": "https://{subdomain}.acme.example",
            "lifetime": 60, "claims": {"box_sub_type": "enterprise", "app": "{client_id}"}, "scope_claim": "scp",
            "key_id": "k-{mail}", "key": "key",
        },
    }));
    let (claims, header, sent) = signed(&fixture, &fixture.public_client(), &[("mail", "robot"), ("key", KEY)]).await;
    assert_eq!(
        without_jti(claims),
        json!({
            "iss": "robot", "sub": "user-shop", "aud": "https://shop.acme.example", "iat": NOW, "exp": NOW + 60,
            "box_sub_type": "enterprise", "app": "client-1", "scp": "read write",
        })
    );
    assert_eq!((header.alg, header.kid.as_deref()), (Algorithm::ES256, Some("k-robot")));
    let params = body_params(&sent);
    let names: Vec<_> = params.keys().map(String::as_str).collect();
    assert_eq!(names, ["assertion", "grant_type"], "the scopes stand in the claim, and the key nowhere");
    assert_eq!(params["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
}

#[tokio::test]
async fn an_assertion_is_signed_with_the_apps_key() {
    let fixture = Fixture::new(json!({
        "grant": "jwt_bearer", "client_authentication": "none", "assertion": {"issuer": "{client_id}"},
    }));
    let key = ClientSecret::new(KEY);
    let client = ClientRegistration { secret: Some(&key), ..fixture.public_client() };
    let (claims, _, sent) = signed(&fixture, &client, &[]).await;
    let expected =
        json!({"iss": "client-1", "aud": "https://shop.acme.example/oauth/token", "iat": NOW, "exp": NOW + 300});
    assert_eq!(without_jti(claims), expected);
    assert_eq!(body_params(&sent)["scope"], "read write");
    assert!(!String::from_utf8_lossy(&sent.body).contains("jpsQ"), "the key itself is not sent");
}

#[test]
fn what_is_no_key_signs_nothing() {
    let fixture = Fixture::new(json!({
        "grant": "jwt_bearer", "client_authentication": "none",
        "credentials": {"key": {"type": "document", "title": "K"}}, "assertion": {"issuer": "x", "key": "key"},
    }));
    let auth = &fixture.provider().manifest.auth;
    assert_eq!(check_pasted_key(auth, &given(&[("key", KEY)])), Ok(()));
    assert_eq!(check_pasted_key(auth, &given(&[("key", "canary")])), Err(("key".to_owned(), KeyFault::NotAKey)));
    let (credentials, scopes) = (given(&[("key", "canary")]), ScopeSet::default());
    let given = Given { credentials: &credentials, scopes: &scopes };
    let refused = grant_request(&fixture.provider(), &fixture.client(), &given).err();
    let text = refused.map(|error| error.to_string()).unwrap_or_default();
    assert!(text.contains("`key` is not the key") && !text.contains("canary"), "{text}");
    let own = Fixture::new(json!({
        "grant": "jwt_bearer", "client_authentication": "none", "assertion": {"issuer": "x", "algorithm": "RS256"},
    }));
    let auth = own.provider().manifest.oauth2().expect("OAuth 2").clone();
    let refused = check_client_secret(&auth, &ClientSecret::new(KEY)).map_err(|error| error.to_string());
    assert!(refused.is_err_and(|text| text.contains("not for RS256")), "a key of another kind");
}

#[tokio::test]
async fn a_token_that_is_not_good_is_told_from_a_fault_of_ours() {
    let table = [
        (json!({"grant": "token_exchange"}), "invalid_request", FailureClass::GrantRejected),
        (json!({"grant": "token_exchange"}), "invalid_target", FailureClass::Unknown),
        (
            json!({"grant": "token_exchange", "refresh_errors": {"transient": ["invalid_request"]}}),
            "invalid_request",
            FailureClass::Ambiguous,
        ),
        (json!({"grant": "saml2_bearer"}), "invalid_request", FailureClass::Unknown),
        (json!({"grant": "saml2_bearer"}), "invalid_grant", FailureClass::GrantRejected),
    ];
    for (changes, code, class) in table {
        let fixture = Fixture::new(changes.clone());
        let (credentials, scopes) =
            (given(&[("subject_token", "canary-0"), ("assertion", "canary-0")]), ScopeSet::default());
        let given = Given { credentials: &credentials, scopes: &scopes };
        let transport = ScriptedTransport::new();
        transport.json(400, &json!({"error": code}));
        let (patience, now) = (std::time::Duration::from_secs(9), mortise_domain::Timestamp::default());
        let refused = mint(&transport, &fixture.provider(), &fixture.client(), &given, patience, now).await;
        let Err(MintError::Refused(refused)) = refused else { panic!("{changes} {code}") };
        assert_eq!(refused.failure.class, class, "{changes} {code}");
    }
}
