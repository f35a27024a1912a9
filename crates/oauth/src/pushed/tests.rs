use super::*;
use crate::fixture::{Fixture, header};
use crate::testing::{ScriptedTransport, body_params};
use crate::{authorization_url, pushed_authorization_url};
use serde_json::json;
use std::collections::BTreeMap;

fn fixture(changes: Value) -> Fixture {
    let mut all = json!({"pushed_authorization_request_url": "https://{subdomain}.acme.example/par"});
    all.as_object_mut().expect("an object").extend(changes.as_object().cloned().expect("an object"));
    Fixture::new(all)
}

fn pushed(fixture: &Fixture) -> Outbound {
    let (state, verifier) = (StateToken::new("state-1"), PkceVerifier::new("verifier-1"));
    let scopes = ScopeSet::parse("read write", " ");
    let request = pushed_authorization(&fixture.provider(), &fixture.client(), &scopes, &state, &verifier);
    request.expect("no fault").expect("a request")
}

#[test]
fn what_is_pushed_is_what_the_url_would_have_said_and_the_clients_proof() {
    for changes in [
        json!({"authorization_params": {"prompt": "consent"}, "resource": "https://api.acme.example/"}),
        json!({"client_authentication": "client_secret_basic"}),
        json!({"authorization_request": {"names": {"scope": "scopes"}}, "client_authentication": "none"}),
        json!({"authorization_request": {"names": {"client_id": "app"}}}),
    ] {
        let fixture = fixture(changes.clone());
        let (state, verifier) = (StateToken::new("state-1"), PkceVerifier::new("verifier-1"));
        let scopes = ScopeSet::parse("read write", " ");
        let url = authorization_url(&fixture.provider(), &fixture.client(), &scopes, &state, &verifier).expect("a URL");
        let told: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        let request = pushed(&fixture);
        assert_eq!(request.url.as_str(), "https://shop.acme.example/par");
        let mut params = body_params(&request);
        let method = changes.get("client_authentication").and_then(Value::as_str);
        assert_eq!(params.remove("client_secret").is_some(), method.is_none());
        assert_eq!(header(&request, "authorization").is_some(), method == Some("client_secret_basic"));
        // Who proves itself by the body has the name of the token endpoint there too.
        if told.contains_key("app") {
            assert_eq!(params.remove("client_id").as_deref(), Some("client-1"));
        }
        assert_eq!(params, told);
        assert_eq!(params["code_challenge_method"], "S256");
    }
}

#[test]
fn the_browser_carries_a_name_for_it_and_nothing_else() {
    let fixture = fixture(json!({"authorization_request": {"names": {"client_id": "app"}, "fragment": "f"}}));
    let url = pushed_authorization_url(&fixture.provider(), &fixture.client(), "urn:ietf:params:oauth:request_uri:a&b")
        .expect("a URL");
    let expected = "https://shop.acme.example/oauth/authorize?app=client-1&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Aa%26b#f";
    assert_eq!(url.as_str(), expected);
}

#[tokio::test]
async fn only_a_sensible_name_is_taken() {
    let long = "x".repeat(2001);
    for (status, body, good) in [
        (201, json!({"request_uri": "urn:x:1", "expires_in": 60}), true),
        (200, json!({"request_uri": "urn:x:1"}), true),
        (201, json!({"request_uri": ""}), false),
        (201, json!({"request_uri": "a b"}), false),
        (201, json!({"request_uri": "a\u{0}b"}), false),
        (201, json!({"request_uri": 7}), false),
        (201, json!({"request_uri": long}), false),
        (201, json!({}), false),
        (400, json!({"error": "invalid_request", "request_uri": "urn:x:1"}), false),
        (302, json!({"request_uri": "urn:x:1"}), false),
    ] {
        let transport = ScriptedTransport::new();
        transport.json(status, &body);
        let answer = request_pushed_authorization(&transport, pushed(&fixture(json!({})))).await;
        assert_eq!(answer.as_deref().ok(), good.then_some("urn:x:1"), "{status} {body}");
    }
}

#[test]
fn without_an_address_nothing_is_pushed() {
    let fixture = Fixture::new(json!({}));
    let (state, verifier) = (StateToken::new("s"), PkceVerifier::new("v"));
    let request = pushed_authorization(&fixture.provider(), &fixture.client(), &ScopeSet::default(), &state, &verifier);
    assert!(request.expect("no fault").is_none());
}
