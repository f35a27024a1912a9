//! What goes out signed, read as a provider reads it: with the public half, and suspicious of what it saw before.

use crate::fixture::{Fixture, header};
use crate::testing::{ScriptedTransport, body_params};
use crate::{
    ClientRegistration, FailureClass, Outbound, Reply, client_credentials, code_exchange, identity, refresh,
    request_identity, request_refresh, request_revocation, request_token, revocation,
};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use mortise_domain::{
    AccessToken, AuthorizationCode, ClientSecret, DpopKey, PkceVerifier, RefreshToken, ScopeSet, Timestamp,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// RFC 7515 appendix A.3.1.
const KEY: &str = r#"{"kty":"EC","crv":"P-256","kid":"k1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
const PUBLIC: [&str; 2] =
    ["f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"];
const NOW: i64 = 1_800_000_000;

/// Header and claims, if the signature is good.
fn read(token: &str, key: &DecodingKey, algorithm: Algorithm) -> (Header, Value) {
    let mut validation = Validation::new(algorithm);
    (validation.validate_exp, validation.validate_aud) = (false, false);
    validation.required_spec_claims.clear();
    let read = jsonwebtoken::decode::<Value>(token, key, &validation).expect("a good signature");
    (read.header, read.claims)
}

fn asserted(request: &Outbound) -> (Header, Value) {
    let key = DecodingKey::from_ec_components(PUBLIC[0], PUBLIC[1]).expect("a key");
    read(&body_params(request)["client_assertion"], &key, Algorithm::ES256)
}

/// The proof of a request, by the key that it brings (RFC 9449 section 4.3).
fn proven(request: &Outbound) -> (Jwk, Value) {
    let proof = header(request, "dpop").expect("a proof");
    let jwk = jsonwebtoken::decode_header(proof).expect("a header").jwk.expect("a key");
    assert!(!serde_json::to_string(&jwk).expect("JSON").contains("\"d\""), "the private half stays here");
    let (header, claims) = read(proof, &DecodingKey::from_jwk(&jwk).expect("a key"), Algorithm::ES256);
    assert_eq!(header.typ.as_deref(), Some("dpop+jwt"));
    assert_eq!(claims["iat"], NOW);
    (jwk, claims)
}

fn signing(changes: Value) -> Fixture {
    let mut all = json!({"client_authentication": "private_key_jwt"});
    all.as_object_mut().expect("an object").extend(changes.as_object().cloned().expect("an object"));
    Fixture::new(all)
}

fn exchange(fixture: &Fixture, client: &ClientRegistration<'_>) -> Outbound {
    let (code, verifier) = (AuthorizationCode::new("code-1"), PkceVerifier::new("verifier-1"));
    code_exchange(&fixture.provider(), client, &code, &verifier).expect("a request")
}

fn tokens(token_type: &str) -> Value {
    json!({"access_token": "at-1", "token_type": token_type, "refresh_token": "rt-1", "expires_in": 60})
}

fn challenge(nonce: &str) -> Reply {
    let body = json!({"error": "use_dpop_nonce"}).to_string();
    Reply { dpop_nonce: Some(nonce.to_owned()), ..Reply::new(400, Some("application/json"), body) }
}

#[tokio::test]
async fn an_assertion_says_who_for_whom_and_until_when() {
    let key = ClientSecret::new(KEY);
    let named = json!({"audience": "https://{subdomain}.acme.example", "issuer": "team-{subdomain}", "key_id": "k-{subdomain}", "lifetime": 300});
    let issuer = "https://acme.example";
    for (changes, iss, aud, kid, life) in [
        (json!({}), "client-1", "https://shop.acme.example/oauth/token", "k1", 60),
        (json!({"issuer": issuer}), "client-1", issuer, "k1", 60),
        (json!({"issuer": issuer, "client_assertion": named}), "team-shop", "https://shop.acme.example", "k-shop", 300),
    ] {
        let (fixture, transport) = (signing(changes), ScriptedTransport::new());
        let client = ClientRegistration { secret: Some(&key), ..fixture.client() };
        transport.json(200, &tokens("bearer"));
        request_token(&transport, exchange(&fixture, &client), fixture.provider().manifest).await.expect("a grant");
        let sent = transport.take_requests().remove(0);
        let params = body_params(&sent);
        assert_eq!(params["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        assert_eq!((params["client_id"].as_str(), params["code"].as_str()), ("client-1", "code-1"));
        assert!(!params.contains_key("client_secret") && header(&sent, "authorization").is_none());
        let (header, claims) = asserted(&sent);
        assert_eq!(header.kid.as_deref(), Some(kid));
        let mut claims = claims.as_object().cloned().expect("an object");
        let jti = claims.remove("jti").expect("a jti");
        assert!(jti.as_str().is_some_and(|jti| jti.len() == 22), "{jti}");
        let expected = json!({"iss": iss, "sub": "client-1", "aud": aud, "iat": NOW, "exp": NOW + life});
        assert_eq!(Value::Object(claims), expected);
    }
}

#[tokio::test]
async fn no_two_requests_carry_the_same_assertion() {
    let (key, fixture, transport) = (
        ClientSecret::new(KEY),
        signing(json!({"revocation_url": "https://acme.example/r"})),
        ScriptedTransport::new(),
    );
    let client = ClientRegistration { secret: Some(&key), ..fixture.client() };
    let token = AccessToken::new("at-1");
    for _ in 0..3 {
        transport.json(200, &json!({}));
        let request =
            revocation(&fixture.provider(), &client, crate::PresentedToken::Access(&token)).expect("no fault");
        request_revocation(&transport, request.expect("a request")).await.expect("an end");
    }
    let seen: BTreeSet<_> = transport.take_requests().iter().map(|sent| asserted(sent).1["jti"].to_string()).collect();
    assert_eq!(seen.len(), 3);
}

#[tokio::test]
async fn a_shared_secret_signs_and_is_not_sent() {
    let fixture =
        signing(json!({"client_authentication": "client_secret_jwt", "client_assertion": {"algorithm": "HS512"}}));
    let transport = ScriptedTransport::new();
    transport.json(200, &tokens("bearer"));
    request_token(&transport, exchange(&fixture, &fixture.client()), fixture.provider().manifest)
        .await
        .expect("a grant");
    let sent = transport.take_requests().remove(0);
    assert!(!String::from_utf8_lossy(&sent.body).contains(crate::fixture::CLIENT_SECRET));
    let key = DecodingKey::from_secret(crate::fixture::CLIENT_SECRET.as_bytes());
    assert_eq!(read(&body_params(&sent)["client_assertion"], &key, Algorithm::HS512).1["sub"], "client-1");
}

#[tokio::test]
async fn an_assertion_stands_where_the_other_parameters_stand() {
    let key = ClientSecret::new(KEY);
    let renamed = json!({"names": {"client_assertion": "client_secret"}, "omit": ["client_assertion_type"]});
    for (changes, name) in [
        (json!({"token_body": "json"}), "client_assertion"),
        (json!({"token_body": "query"}), "client_assertion"),
        (json!({"token_request": {"method": "GET"}}), "client_assertion"),
        (json!({"token_request": renamed}), "client_secret"),
    ] {
        let (fixture, transport) = (signing(changes), ScriptedTransport::new());
        let client = ClientRegistration { secret: Some(&key), ..fixture.client() };
        transport.json(200, &tokens("bearer"));
        request_token(&transport, exchange(&fixture, &client), fixture.provider().manifest).await.expect("a grant");
        let sent = transport.take_requests().remove(0);
        let mut params = body_params(&sent);
        params.extend(sent.url.query_pairs().into_owned());
        let key = DecodingKey::from_ec_components(PUBLIC[0], PUBLIC[1]).expect("a key");
        assert_eq!(read(&params[name], &key, Algorithm::ES256).1["sub"], "client-1", "{name}");
        assert_eq!(params.contains_key("client_assertion_type"), name == "client_assertion");
        assert_eq!(params["code"], "code-1");
    }
}

#[test]
fn a_secret_that_is_no_key_makes_no_request() {
    let fixture = signing(json!({}));
    let (code, verifier) = (AuthorizationCode::new("c"), PkceVerifier::new("v"));
    let refused = code_exchange(&fixture.provider(), &fixture.client(), &code, &verifier).expect_err("no key");
    assert!(refused.to_string().contains("this is no private key"), "{refused}");
}

#[tokio::test]
async fn a_challenge_for_a_nonce_is_answered_once_and_with_everything_new() {
    let (key, fixture, transport) = (ClientSecret::new(KEY), signing(json!({"dpop": true})), ScriptedTransport::new());
    let client = ClientRegistration { secret: Some(&key), ..fixture.client() };
    transport.reply(challenge("n-1")).json(200, &tokens("DPoP"));
    let grant =
        request_token(&transport, exchange(&fixture, &client), fixture.provider().manifest).await.expect("a grant");
    let sent = transport.take_requests();
    let [(first, before), (second, after)] = [proven(&sent[0]), proven(&sent[1])];
    assert_eq!(first, second, "one key");
    assert_eq!((&before["nonce"], after["nonce"].as_str()), (&Value::Null, Some("n-1")));
    assert_eq!(
        (after["htm"].as_str(), after["htu"].as_str()),
        (Some("POST"), Some("https://shop.acme.example/oauth/token"))
    );
    assert_ne!(before["jti"], after["jti"]);
    assert_ne!(asserted(&sent[0]).1["jti"], asserted(&sent[1]).1["jti"], "the first may be spent");
    assert_eq!(grant.token_type.as_str(), "dpop");
    // What is kept is the private half of what was shown; a refresh goes on with it, and with the nonce that was told last.
    let kept = grant.dpop_key.expect("a key");
    let client = ClientRegistration { dpop_key: Some(&kept), ..client };
    let request = refresh(&fixture.provider(), &client, &RefreshToken::new("rt-1")).expect("a request");
    transport.reply(Reply {
        dpop_nonce: Some("n-2".into()),
        ..Reply::new(200, Some("application/json"), tokens("DPoP").to_string())
    });
    let at = Timestamp::from_timestamp(NOW, 0).expect("an instant");
    let renewed = request_refresh(&transport, request, fixture.provider().manifest, at).await.expect("a grant");
    let (third, claims) = proven(&transport.take_requests()[0]);
    assert_eq!((third, claims["nonce"].as_str()), (first, Some("n-1")));
    assert_eq!(renewed.dpop_key.expect("a key").expose(), kept.expose());
    // And a nonce that is no good though it was just told is not tried again.
    let request = refresh(&fixture.provider(), &client, &RefreshToken::new("rt-1")).expect("a request");
    transport.reply(challenge("n-3")).reply(challenge("n-4"));
    let refused = request_refresh(&transport, request, fixture.provider().manifest, at).await.expect_err("no grant");
    assert_eq!(refused.failure.class, FailureClass::Unknown, "{refused}");
    let nonces: Vec<_> = transport.take_requests().iter().map(|sent| proven(sent).1["nonce"].clone()).collect();
    assert_eq!(nonces, ["n-2", "n-3"]);
}

#[tokio::test]
async fn every_connection_has_a_key_of_its_own() {
    let (fixture, transport) = (Fixture::new(json!({"dpop": true})), ScriptedTransport::new());
    let mut keys = BTreeSet::new();
    for _ in 0..3 {
        transport.json(200, &tokens("dpop"));
        let request = exchange(&fixture, &fixture.client());
        let grant = request_token(&transport, request, fixture.provider().manifest).await.expect("a grant");
        keys.insert(grant.dpop_key.expect("a key").expose().to_owned());
    }
    assert_eq!(keys.len(), 3);
}

/// T02: what was to be bound and is not, and what is bound though nobody asked.
#[tokio::test]
async fn a_token_of_another_type_than_asked_for_is_refused() {
    for (dpop, token_type, good) in [
        (true, json!("DPoP"), true),
        (true, json!("dpop"), true),
        (true, json!("Bearer"), false),
        (true, Value::Null, false),
        (false, json!("DPoP"), false),
        (false, json!("bearer"), true),
    ] {
        let changes =
            if dpop { json!({"dpop": true}) } else { json!({"token_response": {"token_type_optional": false}}) };
        let (fixture, transport) = (Fixture::new(changes), ScriptedTransport::new());
        let mut reply = tokens("");
        reply["token_type"] = token_type.clone();
        transport.json(200, &reply);
        let answer =
            request_token(&transport, exchange(&fixture, &fixture.client()), fixture.provider().manifest).await;
        assert_eq!(answer.is_ok(), good, "{dpop} {token_type}: {answer:?}");
    }
}

#[tokio::test]
async fn a_bound_token_is_shown_with_a_proof_of_it() {
    let fixture = Fixture::new(
        json!({"dpop": true, "identity": {"url": "https://acme.example/me?x=1", "fields": {"account": "/sub"}}}),
    );
    let (transport, key) = (ScriptedTransport::new(), DpopKey::new(KEY));
    let client = ClientRegistration { dpop_key: Some(&key), ..fixture.client() };
    // RFC 9449 section 7.1.
    let token = AccessToken::new("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU");
    let request = identity(&fixture.provider(), &client, &token).expect("no fault").expect("a request");
    let line = "DPoP error=\"use_dpop_nonce\", error_description=\"x\"".to_owned();
    transport.reply(Reply { www_authenticate: Some(line), dpop_nonce: Some("n".into()), ..Reply::new(401, None, "") });
    transport.json(200, &json!({"sub": "someone"}));
    let fields = request_identity(&transport, request, fixture.provider().manifest).await.expect("fields");
    assert_eq!(fields["account"], "someone");
    let sent = transport.take_requests();
    assert_eq!(header(&sent[1], "authorization"), Some("DPoP Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"));
    let (_, claims) = proven(&sent[1]);
    assert_eq!(claims["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    assert_eq!(
        (claims["htm"].as_str(), claims["htu"].as_str(), claims["nonce"].as_str()),
        (Some("GET"), Some("https://acme.example/me"), Some("n"))
    );
}

#[tokio::test]
async fn what_was_built_to_be_shown_is_not_sent() {
    let (fixture, transport) = (signing(json!({"grant": "client_credentials"})), ScriptedTransport::new());
    let client = ClientRegistration { signer: None, ..fixture.client() };
    let request = client_credentials(&fixture.provider(), &client, &ScopeSet::default()).expect("a request");
    let failure = request_token(&transport, request, fixture.provider().manifest).await.expect_err("nothing to send");
    assert_eq!(failure.class, FailureClass::NotSent);
    assert!(transport.take_requests().is_empty());
}

#[test]
fn the_resource_is_said_wherever_tokens_are_asked_for_and_nowhere_else() {
    let fixture = Fixture::new(
        json!({"resource": "https://{subdomain}.api.example/", "revocation_url": "https://acme.example/r"}),
    );
    let (provider, client) = (fixture.provider(), fixture.client());
    let resource = |request: &Outbound| body_params(request).get("resource").cloned();
    let told = Some("https://shop.api.example/".to_owned());
    assert_eq!(resource(&exchange(&fixture, &client)), told);
    assert_eq!(resource(&refresh(&provider, &client, &RefreshToken::new("r")).expect("a request")), told);
    let token = AccessToken::new("a");
    let ended =
        revocation(&provider, &client, crate::PresentedToken::Access(&token)).expect("no fault").expect("a request");
    assert_eq!(resource(&ended), None);
    let (state, verifier) = (mortise_domain::StateToken::new("s"), PkceVerifier::new("v"));
    let url = crate::authorization_url(&provider, &client, &ScopeSet::default(), &state, &verifier).expect("a URL");
    assert_eq!(url.query_pairs().find(|(name, _)| name == "resource").map(|(_, value)| value.into_owned()), told);
}
