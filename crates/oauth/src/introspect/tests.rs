use super::*;
use crate::Reply;
use crate::fixture::{Fixture, REFRESH_TOKEN, header};
use crate::testing::{ScriptedTransport, body_params};
use mortise_domain::{AccessToken, RefreshToken};
use serde_json::json;

const JSON: &str = "application/json";

fn fixture() -> Fixture {
    Fixture::new(json!({"introspection_url": "https://{subdomain}.acme.example/introspect", "token_body": "json"}))
}

fn asked(fixture: &Fixture, token: PresentedToken<'_>) -> Outbound {
    introspection(&fixture.provider(), &fixture.client(), token).expect("no fault").expect("a request")
}

async fn told(status: u16, body: &str) -> Result<Introspection, Failure> {
    let transport = ScriptedTransport::new();
    transport.reply(Reply::new(status, Some(JSON), body));
    let token = RefreshToken::new(REFRESH_TOKEN);
    request_introspection(&transport, asked(&fixture(), PresentedToken::Refresh(&token))).await
}

fn now() -> Timestamp {
    Timestamp::from_timestamp(2000, 0).expect("an instant")
}

#[test]
fn the_request_is_a_form_with_the_token_a_hint_and_the_clients_proof() {
    let access = AccessToken::new("access-1");
    let request = asked(&fixture(), PresentedToken::Access(&access));
    assert_eq!(request.url.as_str(), "https://shop.acme.example/introspect");
    assert_eq!(header(&request, "content-type"), Some("application/x-www-form-urlencoded"));
    let params = body_params(&request);
    let names: Vec<_> = params.keys().map(String::as_str).collect();
    assert_eq!(names, ["client_id", "client_secret", "token", "token_type_hint"]);
    assert_eq!((params["token"].as_str(), params["token_type_hint"].as_str()), ("access-1", "access_token"));
    let refresh = RefreshToken::new(REFRESH_TOKEN);
    let params = body_params(&asked(&fixture(), PresentedToken::Refresh(&refresh)));
    assert_eq!((params["token"].as_str(), params["token_type_hint"].as_str()), (REFRESH_TOKEN, "refresh_token"));
}

#[test]
fn a_provider_without_the_endpoint_is_not_asked() {
    let none = Fixture::new(json!({}));
    let access = AccessToken::new("access-1");
    let request = introspection(&none.provider(), &none.client(), PresentedToken::Access(&access));
    assert!(request.expect("no fault").is_none());
}

#[tokio::test]
async fn a_reply_tells_life_and_lifetime() {
    let table = [
        (r#"{"active":true,"exp":5000,"iat":1400}"#, true, Some(3000)),
        (r#"{"active":true,"exp":5000}"#, true, Some(3000)),
        (r#"{"active":true,"exp":"5000"}"#, true, Some(3000)),
        (r#"{"active":true,"exp":2600,"iat":2100}"#, true, Some(500)),
        (r#"{"active":true,"iat":1400}"#, true, None),
        (r#"{"active":true}"#, true, None),
        (r#"{"active":true,"exp":1999}"#, true, None),
        (r#"{"active":true,"exp":[5000]}"#, true, None),
        (r#"{"active":true,"exp":"soon"}"#, true, None),
        (r#"{"active":false}"#, false, None),
        (r#"{"active":false,"exp":5000}"#, false, None),
    ];
    for (body, active, life) in table {
        let told = told(200, body).await.expect(body);
        assert_eq!((told.active, told.lifetime(now()).map(|life| life.as_secs())), (active, life), "{body}");
    }
}

#[tokio::test]
async fn a_reply_that_does_not_say_plainly_says_nothing() {
    let table = [
        (200, "{}", FailureClass::Ambiguous),
        (200, r#"{"active":"true"}"#, FailureClass::Ambiguous),
        (200, r#"{"active":1}"#, FailureClass::Ambiguous),
        (200, r#"{"active":null}"#, FailureClass::Ambiguous),
        (200, r#"{"active":true,"active":false}"#, FailureClass::Ambiguous),
        (200, "", FailureClass::Ambiguous),
        (200, "<html>", FailureClass::Ambiguous),
        (200, r#"{"error":"invalid_client"}"#, FailureClass::AppMisconfigured),
        (401, "", FailureClass::AppMisconfigured),
        (404, "<html>", FailureClass::Ambiguous),
        (429, "", FailureClass::Throttled),
        (500, "", FailureClass::Ambiguous),
    ];
    for (status, body, class) in table {
        assert_eq!(told(status, body).await.expect_err(body).class, class, "{status} {body}");
    }
}

#[tokio::test]
async fn an_echoed_token_does_not_come_back() {
    let body = json!({"error": REFRESH_TOKEN}).to_string();
    let failure = told(400, &body).await.expect_err("an error");
    assert!(!format!("{failure} {failure:?}").contains("canary"));
}
