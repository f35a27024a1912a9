use super::*;
use crate::fixture::{CLIENT_SECRET, Fixture, REFRESH_TOKEN};
use crate::testing::ScriptedTransport;
use crate::{Reply, SendError, refresh, request_token};
use serde_json::{Value, json};
use std::time::Duration;

const JSON: &str = "application/json";

fn errors() -> Value {
    json!({
        "token_response": {"error_detail": "/error_codes/0"},
        "refresh_errors": {
            "permanent": ["bad_refresh_token", "invalid_request"],
            "transient": ["90033", "busy"],
            "throttled": ["quota"],
            "app": ["incorrect_client_credentials", "40029"],
        },
    })
}

fn script(reply: Result<Reply, SendError>) -> ScriptedTransport {
    let transport = ScriptedTransport::new();
    transport.then(|_| reply);
    transport
}

async fn refreshed(auth: Value, reply: Result<Reply, SendError>) -> Result<TokenGrant, RefreshFailure> {
    let fixture = Fixture::new(auth);
    let token = RefreshToken::new(REFRESH_TOKEN);
    let request = refresh(&fixture.provider(), &fixture.client(), &token).expect("a request");
    let sent_at = Timestamp::from_timestamp(2000, 0).expect("an instant");
    request_refresh(&script(reply), request, fixture.provider().manifest, sent_at).await
}

#[tokio::test]
async fn the_manifests_codes_count_beside_the_protocols() {
    use FailureClass::{Ambiguous, AppMisconfigured, GrantRejected, Throttled, Unknown};
    let table = [
        (400, r#"{"error":"bad_refresh_token"}"#, GrantRejected, Some("bad_refresh_token")),
        (200, r#"{"error":"Bad_Refresh_Token"}"#, GrantRejected, Some("bad_refresh_token")),
        (401, r#"{"error":"bad_refresh_token"}"#, GrantRejected, Some("bad_refresh_token")),
        (400, r#"{"error":"invalid_request"}"#, GrantRejected, Some("invalid_request")),
        (400, r#"{"error":"busy"}"#, Ambiguous, Some("busy")),
        (400, r#"{"error":"quota"}"#, Throttled, Some("quota")),
        (401, r#"{"error":"incorrect_client_credentials"}"#, AppMisconfigured, Some("incorrect_client_credentials")),
        (400, r#"{"error":40029}"#, AppMisconfigured, Some("40029")),
        (400, r#"{"error":"invalid_grant","error_codes":[90033]}"#, Ambiguous, Some("90033")),
        (400, r#"{"error":"invalid_grant","error_codes":["90033"]}"#, Ambiguous, Some("90033")),
        (400, r#"{"error_codes":[90033]}"#, Ambiguous, Some("90033")),
        (400, r#"{"error":"invalid_grant","error_codes":[70008,90033]}"#, GrantRejected, Some("invalid_grant")),
        (400, r#"{"error":"busy","error_codes":[70008]}"#, Ambiguous, Some("busy")),
        (400, r#"{"error":"busy","error_codes":[[1]]}"#, Ambiguous, Some("busy")),
        (400, r#"{"error":"invalid_grant"}"#, GrantRejected, Some("invalid_grant")),
        (400, r#"{"error":"invalid_client"}"#, AppMisconfigured, Some("invalid_client")),
        (400, r#"{"error":"odd"}"#, Unknown, Some("odd")),
        (429, r#"{"error":"bad_refresh_token"}"#, Throttled, Some("bad_refresh_token")),
        (500, r#"{"error":"bad_refresh_token"}"#, Ambiguous, Some("bad_refresh_token")),
    ];
    for (status, body, class, code) in table {
        let failed = refreshed(errors(), Ok(Reply::new(status, Some(JSON), body))).await.expect_err(body);
        assert_eq!((failed.failure.class, failed.failure.error.as_deref()), (class, code), "{status} {body}");
        assert!(failed.refresh_token.is_none(), "{body}");
    }
}

#[tokio::test]
async fn the_bundled_manifests_know_what_their_providers_say() {
    use FailureClass::{Ambiguous, AppMisconfigured, GrantRejected};
    let microsoft = |code| json!({"error": "invalid_grant", "error_codes": [code], "error_description": "AADSTS: …"});
    for (id, status, body, class) in [
        ("microsoft", 400, microsoft(90033), Ambiguous),
        ("microsoft", 400, microsoft(700082), GrantRejected),
        ("github", 200, json!({"error": "bad_refresh_token"}), GrantRejected),
        ("github", 200, json!({"error": "incorrect_client_credentials"}), AppMisconfigured),
        ("slack", 200, json!({"ok": false, "error": "invalid_refresh_token"}), GrantRejected),
        ("slack", 200, json!({"ok": false, "error": "fatal_error"}), Ambiguous),
        ("slack", 200, json!({"ok": false, "error": "bad_client_secret"}), AppMisconfigured),
    ] {
        let text = mortise_connectors::catalog::get(id).expect("an entry");
        let manifest = mortise_connectors::parse(&text).expect("a manifest");
        let values = mortise_connectors::resolve_values(&manifest, &Default::default()).expect("defaults");
        let provider = crate::Provider { manifest: &manifest, values: &values };
        let fixture = Fixture::new(json!({}));
        let token = RefreshToken::new(REFRESH_TOKEN);
        let request = refresh(&provider, &fixture.client(), &token).expect("a request");
        let reply = Reply::new(status, Some(JSON), body.to_string());
        let failed = request_refresh(&script(Ok(reply)), request, &manifest, Timestamp::default()).await;
        assert_eq!(failed.expect_err(id).failure.class, class, "{id} {body}");
    }
}

#[tokio::test]
async fn a_success_may_hold_a_finer_code() {
    let body = r#"{"access_token":"at","token_type":"bearer","error_codes":[90033]}"#;
    assert!(refreshed(errors(), Ok(Reply::new(200, Some(JSON), body))).await.is_ok());
}

#[tokio::test]
async fn the_manifests_codes_do_not_count_for_a_code_exchange() {
    let fixture = Fixture::new(errors());
    let request = refresh(&fixture.provider(), &fixture.client(), &RefreshToken::new("rt")).expect("a request");
    let transport = script(Ok(Reply::new(400, Some(JSON), r#"{"error":"bad_refresh_token"}"#)));
    let failure = request_token(&transport, request, fixture.provider().manifest).await.expect_err("an error");
    assert_eq!(failure.class, FailureClass::Unknown);
}

#[tokio::test]
async fn a_token_that_comes_with_the_wish_for_fewer_requests_is_kept() {
    let waiting = |status, body: String| Reply {
        retry_after: Some(Duration::from_secs(5)),
        ..Reply::new(status, Some(JSON), body)
    };
    for (status, body) in [
        (429, json!({"error": "slow_down", "refresh_token": "rt-2"})),
        (429, json!({"refresh_token": "rt-2", "access_token": null})),
        (503, json!({"refresh_token": "rt-2"})),
        (400, json!({"error": "quota", "refresh_token": "rt-2"})),
        (200, json!({"error": "slow_down", "refresh_token": "rt-2"})),
    ] {
        let failed = refreshed(errors(), Ok(waiting(status, body.to_string()))).await.expect_err("no grant");
        assert_eq!(failed.failure.class, FailureClass::Throttled, "{body}");
        assert_eq!(failed.failure.retry_after, Some(Duration::from_secs(5)));
        assert_eq!(failed.refresh_token.as_ref().map(RefreshToken::expose), Some("rt-2"), "{body}");
        assert!(!format!("{failed:?} {failed}").contains("rt-2"));
    }
}

#[tokio::test]
async fn no_other_token_is_taken_out_of_a_refusal() {
    for (status, body) in [
        (429, json!({"refresh_token": REFRESH_TOKEN})), // an echo
        (429, json!({"refresh_token": CLIENT_SECRET})),
        (429, json!({"refresh_token": ""})),
        (429, json!({"refresh_token": "a\nb"})),
        (429, json!({"refresh_token": ["rt-2"]})),
        (429, json!("rt-2")),
        (400, json!({"error": "invalid_grant", "refresh_token": "rt-2"})),
        (500, json!({"refresh_token": "rt-2"})),
        (503, json!({"refresh_token": "rt-2"})), // without Retry-After
    ] {
        let failed = refreshed(json!({}), Ok(Reply::new(status, Some(JSON), body.to_string()))).await;
        assert!(failed.expect_err("no grant").refresh_token.is_none(), "{status} {body}");
    }
}

#[tokio::test]
async fn a_grant_is_a_grant_and_no_reply_is_judged_as_ever() {
    let grant = refreshed(json!({}), Ok(Reply::new(200, Some(JSON), r#"{"access_token":"at","token_type":"bearer"}"#)));
    assert_eq!(grant.await.expect("a grant").access_token.expose(), "at");
    let failed = refreshed(json!({}), Err(SendError::Dns)).await.expect_err("no reply");
    assert_eq!(failed.failure, Failure::from(SendError::Dns));
    let failed = refreshed(json!({}), Ok(Reply::new(200, Some(JSON), "{}"))).await.expect_err("no token");
    assert_eq!(failed.failure.class, FailureClass::Ambiguous);
}
