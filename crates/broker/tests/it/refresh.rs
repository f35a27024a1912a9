//! What each answer of a provider means for a connection.

use crate::bench::{Bench, tokens};
use mortise_broker::{Error, Unusable};
use mortise_domain::{ConnectionState, EventKind, StateReason};
use mortise_oauth::testing::body_params;
use mortise_oauth::{Reply, SendError};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_rotated_pair_is_stored_and_the_new_refresh_token_is_sent_next() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    for number in 2..5 {
        bench.provider.json(200, &tokens(number));
        bench.make_due().await;
        assert_eq!(bench.work().await, 1);
    }
    let sent: Vec<_> =
        bench.provider.take_requests().iter().skip(1).map(|r| body_params(r)["refresh_token"].clone()).collect();
    assert_eq!(sent, ["rt-1", "rt-2", "rt-3"]);
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-4");
    let kinds = bench.events(id).await;
    assert_eq!(kinds[..3], [EventKind::Connected, EventKind::RefreshStarted, EventKind::Refreshed]);
}

#[tokio::test]
async fn a_reply_without_a_refresh_token_keeps_the_old_one() {
    let bench = Bench::new("N").await;
    bench.connect().await;
    for reply in [json!({}), json!({"refresh_token": null}), json!({"refresh_token": ""})] {
        let mut body = json!({"access_token": "at", "token_type": "bearer", "expires_in": 60});
        body.as_object_mut().unwrap().extend(reply.as_object().unwrap().clone());
        bench.provider.json(200, &body);
        bench.make_due().await;
        bench.work().await;
    }
    let sent = bench.provider.take_requests();
    assert!(sent[1..].iter().all(|request| body_params(request)["refresh_token"] == "rt-1"));
    assert_eq!(sent.len(), 4);
}

#[tokio::test]
async fn a_rejection_that_the_manifest_calls_final_needs_a_new_consent_which_heals_in_place() {
    let bench = Bench::with("  recovery_class: F\n  refresh_errors: {permanent: [invalid_grant]}\n").await;
    let id = bench.connect().await;
    bench.provider.json(400, &json!({"error": "invalid_grant", "error_description": "canary"}));
    bench.make_due().await;
    bench.work().await;
    let view = bench.view(id).await;
    assert_eq!((view.state, view.state_reason), (ConnectionState::NeedsReauth, StateReason::RefreshTokenRejected));
    let refused = bench.token(id, None).await.unwrap_err();
    assert!(matches!(refused, Error::Unusable(Unusable::NeedsReauth { connection, .. }) if connection == id));
    bench.make_due().await;
    assert_eq!(bench.work().await, 0, "a dead grant is never asked for again");
    assert_eq!(bench.reconnect(Some(id), 7).await, id);
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-7");
    assert_eq!(bench.events(id).await.last(), Some(&EventKind::Reconnected));
}

/// As long as the token serves, three refusals over an hour; afterwards two over half a minute. The time between them is
/// taken from the row.
#[tokio::test]
async fn a_refusal_is_confirmed_before_it_is_believed() {
    for (expires_in, earlier, since, believed) in [
        (3000, 0, 0, false),
        (3000, 2, 3500, false),
        (3000, 1, 7200, false),
        (3000, 2, 3601, true),
        (-10, 0, 0, false),
        (-10, 1, 20, false),
        (-10, 1, 31, true),
    ] {
        let bench = Bench::new("N").await;
        let id = bench.connect().await;
        bench.stand(expires_in, earlier, since).await;
        bench.provider.json(400, &json!({"error": "invalid_grant"}));
        bench.work().await;
        let view = bench.view(id).await;
        let expected = if believed { ConnectionState::NeedsReauth } else { ConnectionState::Active };
        assert_eq!(view.state, expected, "{expires_in} {earlier} {since}");
        if !believed {
            assert_eq!(bench.events(id).await.last(), Some(&EventKind::RefreshSuspected));
            bench.provider.json(200, &tokens(2));
            bench.make_due().await;
            bench.work().await;
            assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-2", "a success clears it");
        }
    }
}

#[tokio::test]
async fn a_rejection_after_doubt_in_a_single_use_class_is_a_lost_rotation() {
    for (class, expected) in [("F", StateReason::LostRotation), ("N", StateReason::RefreshTokenRejected)] {
        let bench = Bench::new(class).await;
        let id = bench.connect().await;
        bench.provider.fail(SendError::Broken);
        bench.stand(-10, 0, 0).await;
        bench.work().await;
        assert_eq!(bench.events(id).await.last(), Some(&EventKind::RefreshAmbiguous));
        assert_eq!(bench.work().await, 0, "nothing is sent while the first request may still be answered");
        for (since, believed) in [(0, false), (31, true)] {
            bench.provider.json(400, &json!({"error": "invalid_grant"}));
            bench.stand(-10, i64::from(believed), since).await;
            // The provider was in trouble just now: retries wait for each other.
            bench.sql("UPDATE gates SET retry_credit = 10000").await;
            assert_eq!(bench.work().await, 1);
            let expected = if believed { expected } else { StateReason::Consented };
            assert_eq!(bench.view(id).await.state_reason, expected, "{class} {since}");
        }
    }
}

/// None of these says anything about the grant: the connection stays active, its token is served, and it is tried again.
#[tokio::test]
async fn senseless_answers_lose_nothing() {
    let html = || Reply::new(200, Some("text/html"), "<html>Sign in</html>");
    let truncated = || Reply::new(200, Some("application/json"), r#"{"access_token":"at-x","refresh_"#);
    let wrong = || Reply::new(200, Some("application/json"), r#"{"access_token":[1],"token_type":"bearer"}"#);
    let error_in_200 = || Reply::new(200, Some("application/json"), r#"{"error":"temporarily_unavailable"}"#);
    let server_error = || Reply::new(500, Some("application/json"), r#"{"error":"invalid_grant"}"#);
    let denied = || Reply::new(403, Some("text/plain"), "no");
    for reply in [html, truncated, wrong, error_in_200, server_error, denied] {
        let bench = Bench::new("N").await;
        let id = bench.connect().await;
        bench.provider.reply(reply());
        bench.make_due().await;
        bench.work().await;
        assert_eq!(bench.view(id).await.failures, 1);
        assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-1");
        bench.provider.json(200, &tokens(2));
        bench.make_due().await;
        bench.work().await;
        let sent = bench.provider.take_requests();
        assert_eq!(body_params(&sent[2])["refresh_token"], "rt-1");
        assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-2");
    }
}

#[tokio::test]
async fn a_throttled_refresh_waits_as_long_as_it_was_told() {
    let bench = Bench::new("N").await;
    let id = bench.connect().await;
    let mut reply = Reply::new(429, None, "");
    reply.retry_after = Some(Duration::from_secs(1000));
    bench.provider.reply(reply);
    bench.make_due().await;
    bench.work().await;
    let wait =
        bench.view(id).await.next_refresh_at.unwrap() - mortise_domain::Clock::now(&mortise_domain::SystemClock::new());
    assert!((900..=1100).contains(&wait.num_seconds()), "{wait}");
}

#[tokio::test]
async fn a_refused_client_holds_the_app_and_one_probe_releases_it() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    bench.provider.json(401, &json!({"error": "invalid_client"}));
    bench.make_due().await;
    bench.work().await;
    let app = "acme".parse().unwrap();
    assert_eq!(bench.broker.app(&bench.caller, &app).await.unwrap().state, mortise_domain::AppState::Held);
    assert_eq!(bench.view(id).await.state, ConnectionState::Active);
    assert_eq!(bench.view(id).await.failures, 0);
    bench.make_due().await;
    assert_eq!(bench.work().await, 0, "a held app's connections are not due");
    bench.sql("UPDATE apps SET next_probe_at = 1").await;
    bench.provider.json(200, &tokens(2));
    assert_eq!(bench.broker.probe_held_apps().await.unwrap(), 1);
    assert_eq!(bench.broker.app(&bench.caller, &app).await.unwrap().state, mortise_domain::AppState::Active);
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-2");
}

#[tokio::test]
async fn while_two_secrets_live_the_older_one_is_tried_when_the_newer_is_refused() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    bench.broker.update_app(&bench.caller, &"acme".parse().unwrap(), bench.app("newer")).await.unwrap();
    bench.provider.json(401, &json!({"error": "invalid_client"})).json(200, &tokens(2));
    bench.make_due().await;
    bench.work().await;
    let sent: Vec<_> =
        bench.provider.take_requests().iter().skip(1).map(|r| body_params(r)["client_secret"].clone()).collect();
    assert_eq!(sent, ["newer", "secret"]);
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-2");
}

#[tokio::test]
async fn cells_swapped_between_rows_quarantine_and_send_nothing() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    bench.sql("UPDATE connections SET refresh_token = access_token").await;
    bench.make_due().await;
    bench.work().await;
    assert_eq!(bench.view(id).await.state, ConnectionState::Quarantined);
    assert!(matches!(bench.token(id, None).await.unwrap_err(), Error::Unusable(Unusable::Quarantined)));
    assert_eq!(bench.provider.take_requests().len(), 1);
}

#[tokio::test]
async fn an_older_row_put_back_does_not_open() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    bench.sql("CREATE TABLE backup AS SELECT access_token, refresh_token FROM connections").await;
    bench.provider.json(200, &tokens(2));
    bench.make_due().await;
    bench.work().await;
    bench.sql("UPDATE connections SET refresh_token = (SELECT refresh_token FROM backup)").await;
    bench.make_due().await;
    bench.work().await;
    assert_eq!(bench.view(id).await.state, ConnectionState::Quarantined);
    assert_eq!(bench.provider.take_requests().len(), 2, "the spent token was not sent");
}
