use super::*;
use crate::fixture::{CLIENT_SECRET, Fixture, REFRESH_TOKEN};
use crate::testing::ScriptedTransport;
use crate::{EgressRefusal, RevocationToken, SendError, refresh, revocation};
use mortise_domain::RefreshToken;
use serde_json::json;
use std::time::Duration;

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";
const FORM: &str = "application/x-www-form-urlencoded";
const GOOD: &str = r#"{"access_token":"at","token_type":"bearer"}"#;

async fn outcome(auth: serde_json::Value, reply: Result<Reply, SendError>) -> Result<TokenGrant, Failure> {
    let fixture = Fixture::new(auth);
    let request =
        refresh(&fixture.provider(), &fixture.client(), &RefreshToken::new(REFRESH_TOKEN)).expect("a request");
    let transport = ScriptedTransport::new();
    transport.then(|_| reply);
    request_token(&transport, request, fixture.provider().manifest).await
}

#[tokio::test]
async fn t07_status_and_error_code_decide() {
    use FailureClass::{Ambiguous, AppMisconfigured, GrantRejected, Throttled, Unknown};
    let page = "<!doctype html><title>Sign in</title>";
    let table = [
        (400, JSON, 0, r#"{"error":"invalid_grant"}"#, GrantRejected, Some("invalid_grant")),
        (400, JSON, 0, r#"{"error":"INVALID_GRANT"}"#, GrantRejected, Some("invalid_grant")),
        (401, JSON, 0, r#"{"error":"invalid_grant"}"#, GrantRejected, Some("invalid_grant")),
        (403, JSON, 0, r#"{"error":"invalid_grant"}"#, GrantRejected, Some("invalid_grant")),
        (400, FORM, 0, "error=invalid_grant", GrantRejected, Some("invalid_grant")),
        (400, HTML, 0, r#"{"error":"invalid_grant"}"#, GrantRejected, Some("invalid_grant")),
        (400, "", 0, r#"{"error":"invalid_grant"}"#, GrantRejected, Some("invalid_grant")),
        (200, JSON, 0, r#"{"error":"invalid_grant"}"#, GrantRejected, Some("invalid_grant")),
        (200, FORM, 0, "error=bad_refresh_token&error_description=x", Unknown, Some("bad_refresh_token")),
        (
            200,
            JSON,
            0,
            r#"{"error":"invalid_grant","access_token":"at","token_type":"bearer"}"#,
            GrantRejected,
            Some("invalid_grant"),
        ),
        (401, JSON, 0, r#"{"error":"invalid_client"}"#, AppMisconfigured, Some("invalid_client")),
        (400, JSON, 0, r#"{"error":"invalid_client"}"#, AppMisconfigured, Some("invalid_client")),
        (200, JSON, 0, r#"{"error":"invalid_client"}"#, AppMisconfigured, Some("invalid_client")),
        (400, JSON, 0, r#"{"error":"unauthorized_client"}"#, AppMisconfigured, Some("unauthorized_client")),
        (401, "", 0, "", AppMisconfigured, None),
        (401, HTML, 0, page, AppMisconfigured, None),
        (401, JSON, 0, r#"{"message":"no"}"#, AppMisconfigured, None),
        (401, JSON, 0, r#"{"error":"odd"}"#, Unknown, Some("odd")),
        (400, JSON, 0, r#"{"error":"invalid_request"}"#, Unknown, Some("invalid_request")),
        (400, JSON, 0, r#"{"error":"odd","error_description":"invalid_grant"}"#, Unknown, Some("odd")),
        (400, JSON, 0, r#"{"error_description":"invalid_grant: token revoked"}"#, Unknown, None),
        (400, JSON, 0, r#"{"error":"the token was revoked"}"#, Unknown, None),
        (400, JSON, 0, r#"{"error":{"code":"invalid_grant"}}"#, Unknown, None),
        (200, JSON, 0, r#"{"error":{"code":"invalid_grant"}}"#, Unknown, None),
        (200, JSON, 0, r#"{"error":40029}"#, Unknown, Some("40029")),
        (400, "", 0, "", Unknown, None),
        (404, JSON, 0, "{}", Unknown, None),
        (404, HTML, 0, page, Ambiguous, None),
        (403, HTML, 0, page, Ambiguous, None),
        (400, JSON, 0, r#"{"error":"invalid_gr"#, Ambiguous, None),
        (408, JSON, 0, r#"{"error":"invalid_grant"}"#, Ambiguous, Some("invalid_grant")),
        (400, JSON, 0, r#"{"error":"temporarily_unavailable"}"#, Ambiguous, Some("temporarily_unavailable")),
        (400, JSON, 0, r#"{"error":"server_error"}"#, Ambiguous, Some("server_error")),
        (500, JSON, 0, r#"{"error":"invalid_grant"}"#, Ambiguous, Some("invalid_grant")),
        (502, HTML, 0, page, Ambiguous, None),
        (503, "", 0, "", Ambiguous, None),
        (503, "", 30, "", Throttled, None),
        (503, JSON, 30, r#"{"error":"invalid_grant"}"#, Throttled, Some("invalid_grant")),
        (504, "", 30, "", Ambiguous, None),
        (429, "", 0, "", Throttled, None),
        (429, JSON, 600, r#"{"error":"invalid_grant"}"#, Throttled, Some("invalid_grant")),
        (400, JSON, 5, r#"{"error":"slow_down"}"#, Throttled, Some("slow_down")),
        (200, JSON, 5, r#"{"error":"ratelimited"}"#, Throttled, Some("ratelimited")),
        (302, HTML, 0, "", Ambiguous, None),
        (307, JSON, 0, GOOD, Ambiguous, None),
        (200, HTML, 0, page, Ambiguous, None),
        (200, JSON, 0, "", Ambiguous, None),
        (204, "", 0, "", Ambiguous, None),
        (200, JSON, 0, r#"{"access_token":"at"#, Ambiguous, None),
        (200, JSON, 0, "{}", Ambiguous, None),
    ];
    for (status, content_type, wait, body, class, code) in table {
        let retry_after = (wait > 0).then(|| Duration::from_secs(wait));
        let content_type = Some(content_type).filter(|text| !text.is_empty());
        let failure = outcome(json!({}), Ok(Reply { retry_after, ..Reply::new(status, content_type, body) })).await;
        let failure = failure.expect_err(body);
        let found = (failure.class, failure.status, failure.error.as_deref(), failure.retry_after);
        assert_eq!(found, (class, Some(status), code, retry_after), "{status} {body}");
    }
}

#[tokio::test]
async fn no_reply_is_judged_by_what_it_proves() {
    let refusal = EgressRefusal::NoHost;
    let table = [
        (SendError::Refused(refusal), FailureClass::NotSent),
        (SendError::Dns, FailureClass::NotSent),
        (SendError::Connect, FailureClass::NotSent),
        (SendError::Tls, FailureClass::NotSent),
        (SendError::Timeout, FailureClass::Ambiguous),
        (SendError::Broken, FailureClass::Ambiguous),
        (SendError::TooLarge, FailureClass::Ambiguous),
    ];
    for (error, class) in table {
        let text = error.to_string();
        let failure = outcome(json!({}), Err(error)).await.expect_err("no reply");
        assert_eq!((failure.class, failure.status), (class, None), "{text}");
    }
}

#[tokio::test]
async fn t06_a_flag_tells_success_from_failure() {
    let auth = || json!({"token_response": {"ok": "/ok", "token_type_optional": true}});
    let table = [
        (r#"{"ok":true,"access_token":"at"}"#, None),
        (r#"{"ok":false,"error":"invalid_grant"}"#, Some(FailureClass::GrantRejected)),
        (r#"{"ok":false,"access_token":"at"}"#, Some(FailureClass::Unknown)),
        (r#"{"access_token":"at"}"#, Some(FailureClass::Ambiguous)),
        (r#"{"ok":"true","access_token":"at"}"#, Some(FailureClass::Ambiguous)),
    ];
    for (body, class) in table {
        let failure = outcome(auth(), Ok(Reply::new(200, Some(JSON), body))).await.err();
        assert_eq!(failure.map(|failure| failure.class), class, "{body}");
    }
}

#[tokio::test]
async fn t06_success_may_be_a_word_or_a_number_of_the_providers_own() {
    let refused = Some(FailureClass::Unknown);
    let unclear = Some(FailureClass::Ambiguous);
    let table = [
        ("ok", r#"{"status":"ok","access_token":"at"}"#, None),
        ("ok", r#"{"status":"OK","access_token":"at"}"#, refused),
        ("ok", r#"{"status":"failed","access_token":"at"}"#, refused),
        ("ok", r#"{"status":true,"access_token":"at"}"#, unclear),
        ("ok", r#"{"access_token":"at"}"#, unclear),
        ("0", r#"{"status":0,"access_token":"at"}"#, None),
        ("0", r#"{"status":"0","access_token":"at"}"#, None),
        ("0", r#"{"status":342,"access_token":"at"}"#, refused),
        ("0", r#"{"status":false,"access_token":"at"}"#, unclear),
    ];
    for (good, body, class) in table {
        let auth = json!({"token_response": {"ok": "/status", "ok_value": good, "token_type_optional": true}});
        let failure = outcome(auth, Ok(Reply::new(200, Some(JSON), body))).await.err();
        assert_eq!(failure.map(|failure| failure.class), class, "{good} {body}");
    }
}

#[tokio::test]
async fn the_manifest_says_where_the_error_code_is() {
    let auth = json!({"token_response": {"error": "/fault/code"}});
    let body = r#"{"error":"not this","fault":{"code":"invalid_grant"}}"#;
    let failure = outcome(auth, Ok(Reply::new(400, Some(JSON), body))).await.expect_err("an error");
    assert_eq!(failure.class, FailureClass::GrantRejected);
    let zero = json!({"token_response": {"error": "/errcode"}});
    let body = r#"{"errcode":0,"access_token":"at","token_type":"bearer"}"#;
    assert!(outcome(zero, Ok(Reply::new(200, Some(JSON), body))).await.is_ok());
}

#[tokio::test]
async fn t12_an_echoed_secret_does_not_come_back() {
    let basic = "Y2xpZW50LTE6Y2FuYXJ5LWNsaWVudC1zZWNyZXQ";
    for echo in [REFRESH_TOKEN, CLIENT_SECRET, "bad_canary-refresh-token", "canary-cl", basic] {
        for method in ["client_secret_basic", "client_secret_post"] {
            let body = json!({"error": echo, "error_description": echo}).to_string();
            let auth = json!({"client_authentication": method});
            let failure = outcome(auth, Ok(Reply::new(400, Some(JSON), body))).await.expect_err("an error");
            if method == "client_secret_post" && echo == basic {
                continue; // it was not sent
            }
            assert_eq!((failure.class, &failure.error), (FailureClass::Unknown, &None), "{echo}");
            let shown = format!("{failure} {failure:?}");
            assert!(!shown.contains("canary") && !shown.contains(basic), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_revocation_is_done_by_any_success_and_else_judged_like_a_refresh() {
    let fixture = Fixture::new(json!({"revocation_url": "https://acme.example/revoke"}));
    let token = RefreshToken::new(REFRESH_TOKEN);
    let table = [
        (200, "", None),
        (200, "<html>", None),
        (204, "", None),
        (400, r#"{"error":"unsupported_token_type"}"#, Some(FailureClass::Unknown)),
        (401, "", Some(FailureClass::AppMisconfigured)),
        (429, "", Some(FailureClass::Throttled)),
        (503, "", Some(FailureClass::Ambiguous)),
        (302, "", Some(FailureClass::Ambiguous)),
    ];
    for (status, body, class) in table {
        let request = revocation(&fixture.provider(), &fixture.client(), RevocationToken::Refresh(&token));
        let transport = ScriptedTransport::new();
        transport.reply(Reply::new(status, None, body));
        let failure = request_revocation(&transport, request.expect("no fault").expect("a request")).await.err();
        assert_eq!(failure.map(|failure| failure.class), class, "{status} {body}");
    }
}

#[tokio::test]
async fn the_good_reply_is_good() {
    let grant = outcome(json!({}), Ok(Reply::new(200, Some(JSON), GOOD))).await.expect("a grant");
    assert_eq!(grant.access_token.expose(), "at");
}
