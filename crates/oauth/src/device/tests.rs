//! The codes that a provider gives, and what it says when it is asked about one.

use super::*;
use crate::Reply;
use crate::fixture::{CLIENT_SECRET, Fixture, header, manifest};
use crate::testing::{ScriptedTransport, body_params};
use serde_json::{Value, json};

const DEVICE_CODE: &str = "canary-device-code-GmRhmhcxhw";

fn device(changes: Value) -> Value {
    let mut all =
        json!({"grant": "device_code", "device_authorization_url": "https://{subdomain}.acme.example/device"});
    all.as_object_mut().expect("an object").extend(changes.as_object().cloned().unwrap_or_default());
    all
}

fn codes() -> Value {
    json!({
        "device_code": DEVICE_CODE, "user_code": "WDJB-MJHT", "verification_uri": "https://example.com/device",
        "verification_uri_complete": "https://example.com/device?user_code=WDJB-MJHT", "expires_in": 1800, "interval": 7,
    })
}

async fn read_from(reply: Reply) -> Result<DeviceAuthorization, Failure> {
    let fixture = Fixture::new(device(json!({})));
    let transport = ScriptedTransport::new();
    transport.reply(reply);
    let request =
        device_authorization(&fixture.provider(), &fixture.client(), &ScopeSet::default()).expect("a request");
    request_device_authorization(&transport, request).await
}

#[test]
fn the_request_for_a_user_code_names_client_and_scopes() {
    let fixture = Fixture::new(device(json!({"default_scopes": ["a"], "authorization_params": {"audience": "x"}})));
    let request =
        device_authorization(&fixture.provider(), &fixture.client(), &ScopeSet::parse("b", " ")).expect("one");
    assert_eq!(request.url.as_str(), "https://shop.acme.example/device");
    let sent = body_params(&request);
    let expected = [("audience", "x"), ("client_id", "client-1"), ("client_secret", CLIENT_SECRET), ("scope", "a b")];
    let sent: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(sent, expected);

    let fixture = Fixture::new(device(json!({"client_authentication": "client_secret_basic"})));
    let request = device_authorization(&fixture.provider(), &fixture.client(), &ScopeSet::default()).expect("one");
    assert_eq!(body_params(&request).get("client_id").map(String::as_str), Some("client-1"));
    assert!(header(&request, "authorization").is_some_and(|value| value.starts_with("Basic ")));
}

#[test]
fn a_question_carries_the_device_code_and_the_grant_of_the_rfc() {
    let fixture = Fixture::new(device(json!({})));
    let code = DeviceCode::new(DEVICE_CODE);
    let request = device_token(&fixture.provider(), &fixture.client(), &code).expect("a request");
    let sent = body_params(&request);
    assert_eq!(sent.get("grant_type").map(String::as_str), Some("urn:ietf:params:oauth:grant-type:device_code"));
    assert_eq!(sent.get("device_code").map(String::as_str), Some(DEVICE_CODE));
    assert!(request.fresh_connection);
}

#[tokio::test]
async fn the_codes_are_read_and_an_older_name_of_the_address_too() {
    let read = read_from(Reply::new(200, Some("application/json"), codes().to_string())).await.expect("codes");
    assert_eq!((read.device_code.expose(), read.user_code.as_str()), (DEVICE_CODE, "WDJB-MJHT"));
    assert_eq!((read.interval, read.expires_in.as_secs()), (7, 1800));
    assert_eq!(read.verification_uri.as_str(), "https://example.com/device");

    let older = json!({"device_code": "d", "user_code": "u", "verification_url": "https://g.example/device", "expires_in": "60"});
    let read = read_from(Reply::new(200, Some("application/json"), older.to_string())).await.expect("codes");
    assert_eq!((read.interval, read.verification_uri.as_str()), (5, "https://g.example/device"));
}

#[tokio::test]
async fn what_cannot_be_shown_or_asked_with_is_refused() {
    let long = "x".repeat(65);
    let wrong = [
        ("device_code", json!("")),
        ("device_code", json!("a\nb")),
        ("device_code", json!(7)),
        ("user_code", json!("")),
        ("user_code", json!(long)),
        ("user_code", json!("a\u{202e}b")),
        ("verification_uri", json!("javascript:alert(1)")),
        ("verification_uri", json!("https://user:pw@example.com/")),
        ("verification_uri", json!("/device")),
        ("verification_uri", json!(null)),
        ("expires_in", json!(0)),
        ("expires_in", json!(null)),
    ];
    for (member, value) in wrong {
        let mut reply = codes();
        reply[member] = value.clone();
        let read = read_from(Reply::new(200, Some("application/json"), reply.to_string())).await;
        assert!(read.is_err(), "{member}: {value}");
    }
    let mut hasty = codes();
    hasty["interval"] = json!(0);
    hasty["verification_uri_complete"] = json!("javascript:alert(1)");
    let read = read_from(Reply::new(200, Some("application/json"), hasty.to_string())).await.expect("codes");
    assert_eq!((read.interval, read.verification_uri_complete), (1, None));
}

/// Whoever adds it to a moment must be able to.
#[tokio::test]
async fn a_code_lives_for_a_day_at_most_whatever_the_provider_says() {
    for told in [json!(u64::MAX), json!("18446744073709551615"), json!(86_401)] {
        let mut reply = codes();
        reply["expires_in"] = told.clone();
        let read = read_from(Reply::new(200, Some("application/json"), reply.to_string())).await.expect("codes");
        assert_eq!(read.expires_in.as_secs(), 86_400, "{told}");
    }
}

#[tokio::test]
async fn each_answer_of_section_3_5_is_told_apart() {
    let ask = async |status: u16, body: Value| {
        let fixture = Fixture::new(device(json!({})));
        let transport = ScriptedTransport::new();
        transport.json(status, &body);
        let request = device_token(&fixture.provider(), &fixture.client(), &DeviceCode::new(DEVICE_CODE)).expect("one");
        request_device_token(&transport, request, &manifest(device(json!({})))).await
    };
    let error = |code: &str| json!({ "error": code });
    assert!(matches!(ask(400, error("authorization_pending")).await, Ok(DeviceAnswer::Pending)));
    // One provider's statuses, and another's that says so with a success.
    assert!(matches!(ask(428, error("authorization_pending")).await, Ok(DeviceAnswer::Pending)));
    assert!(matches!(ask(200, error("authorization_pending")).await, Ok(DeviceAnswer::Pending)));
    assert!(matches!(ask(400, error("slow_down")).await, Ok(DeviceAnswer::SlowDown(5))));
    assert!(matches!(ask(429, error("slow_down")).await, Ok(DeviceAnswer::SlowDown(5))));
    assert!(matches!(ask(400, error("access_denied")).await, Ok(DeviceAnswer::Denied)));
    assert!(matches!(ask(400, error("expired_token")).await, Ok(DeviceAnswer::Expired)));
    let granted = json!({"access_token": "a", "token_type": "bearer", "refresh_token": "r", "expires_in": 60});
    assert!(matches!(ask(200, granted).await, Ok(DeviceAnswer::Granted(_))));
    let refused = ask(401, error("invalid_client")).await.expect_err("a refusal");
    assert_eq!(refused.class, FailureClass::AppMisconfigured);
    assert_eq!(ask(500, json!({})).await.expect_err("a failure").class, FailureClass::Ambiguous);
}
