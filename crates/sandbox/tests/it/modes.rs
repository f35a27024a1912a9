//! Standing modes and canned replies, as a client sees them.

use crate::kit::{Kit, error, start, tokens};
use mortise_sandbox::RecoveryClass;
use serde_json::{Value, json};
use std::time::Duration;

const CLASS: RecoveryClass = RecoveryClass::F;

async fn mode(kit: &Kit, mode: Value) {
    let reply = kit.control("mode", json!({"class": CLASS, "mode": mode})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[tokio::test]
async fn every_mode_stands_until_it_is_taken_away() {
    let kit = start().await;
    let (_, refresh) = kit.connect(CLASS).await;
    let (_, elsewhere) = kit.connect(RecoveryClass::S).await;
    let table = [
        (json!({"status": 503}), 503, None),
        (json!("html"), 200, None),
        (json!("invalid_grant"), 400, Some("invalid_grant")),
        (json!("invalid_client"), 401, Some("invalid_client")),
        (json!({"action": {"status": 429, "retry_after": 600}}), 429, None),
        (json!({"action": {"reply": "garbage"}}), 200, None),
    ];
    for (wanted, status, code) in table {
        mode(&kit, wanted.clone()).await;
        for _ in 0..3 {
            let reply = kit.refresh(CLASS, &refresh).await;
            assert_eq!(reply.status, status, "{wanted}");
            if let Some(code) = code {
                assert_eq!(error(&reply).1, code);
            }
        }
        assert!(kit.alive(&refresh), "{wanted} has no effect");
        assert!(kit.sandbox.oracle(&Default::default(), 1).requests[0].scripted);
    }
    tokens(&kit.refresh(RecoveryClass::S, &elsewhere).await);
    let listed = kit.get("/control/mode").await.json();
    assert_eq!(listed["modes"].as_array().unwrap().len(), 1);
    mode(&kit, json!("off")).await;
    assert_eq!(kit.get("/control/mode").await.json(), json!({"modes": []}));
    tokens(&kit.refresh(CLASS, &refresh).await);
}

#[tokio::test]
async fn a_mode_can_be_for_all_classes_and_a_script_goes_first() {
    let kit = start().await;
    assert_eq!(kit.control("mode", json!({"grant_type": "refresh_token", "mode": "html"})).await.status, 200);
    for class in RecoveryClass::ALL {
        let (_, refresh) = kit.connect(class).await;
        kit.script(class, json!({"status": 418})).await;
        assert_eq!(kit.refresh(class, &refresh).await.status, 418);
        let page = kit.refresh(class, &refresh).await;
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
        assert!(page.text().contains("<title>Sign in</title>"));
    }
    kit.control("reset", json!({})).await;
    assert_eq!(kit.get("/control/mode").await.json(), json!({"modes": []}));
    for bad in [json!({"status": 99}), json!({"action": {"drop": "after", "hang": true}}), json!({"slow": 3_600_001})] {
        assert_eq!(error(&kit.control("mode", json!({ "mode": bad })).await), (400, "invalid_mode".to_owned()));
    }
    assert_eq!(error(&kit.control("mode", json!({"mode": "asleep"})).await), (400, "invalid_json".to_owned()));
}

#[tokio::test]
async fn a_slow_provider_takes_its_time_and_works() {
    let kit = start().await;
    let (_, refresh) = kit.connect(CLASS).await;
    mode(&kit, json!({"slow": 150})).await;
    let started = tokio::time::Instant::now();
    tokens(&kit.refresh(CLASS, &refresh).await);
    assert!(started.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn a_hanging_provider_holds_the_connection_until_its_client_leaves() {
    let kit = start().await;
    for (mode_or_action, spent) in [(json!("hang"), false), (json!({"action": {"hang": true, "process": true}}), true)]
    {
        let (_, refresh) = kit.connect(RecoveryClass::G).await;
        let order = json!({"class": "g", "grant_type": "refresh_token", "mode": mode_or_action});
        assert_eq!(kit.control("mode", order).await.status, 200);
        kit.abandon(RecoveryClass::G, &refresh, |record| record.processed_us.is_some() == spent).await;
        kit.in_flight(0).await;
        let record = kit.sandbox.oracle(&Default::default(), 1).requests.remove(0);
        assert_eq!((record.left_us.is_some(), record.replied_us, record.status), (true, None, None));
        assert_eq!((record.processed_us.is_some(), record.outcome == "issued"), (spent, spent));
        assert_eq!(kit.sandbox.history(&Default::default()).lost.len(), usize::from(spent));
        kit.control("mode", json!({"mode": "off"})).await;
        tokens(&kit.refresh(RecoveryClass::G, &refresh).await);
    }
    assert_eq!(kit.sandbox.totals().overlaps, 0);
}

#[tokio::test]
async fn above_its_rate_it_says_429_and_when_to_come_back() {
    let kit = start().await;
    let (_, refresh) = kit.connect(RecoveryClass::N).await;
    let limit = json!({"class": "n", "mode": {"rate_limit": {"requests": 3, "seconds": 10}}});
    assert_eq!(kit.control("mode", limit).await.status, 200);
    for _ in 0..3 {
        tokens(&kit.refresh(RecoveryClass::N, &refresh).await);
        kit.clock.advance_seconds(2);
    }
    let reply = kit.refresh(RecoveryClass::N, &refresh).await;
    assert_eq!(error(&reply), (429, "too_many_requests".to_owned()));
    assert_eq!(reply.header("retry-after"), Some("4"));
    kit.clock.advance_seconds(4);
    tokens(&kit.refresh(RecoveryClass::N, &refresh).await);
    assert_eq!(kit.refresh(RecoveryClass::N, &refresh).await.header("retry-after"), Some("2"));
}

#[tokio::test]
async fn retry_after_comes_in_both_forms_and_with_a_rotation() {
    let kit = start().await;
    let (_, refresh) = kit.connect(CLASS).await;
    kit.script(CLASS, json!({"status": 429, "retry_after": 600})).await;
    assert_eq!(kit.refresh(CLASS, &refresh).await.header("retry-after"), Some("600"));
    kit.script(CLASS, json!({"status": 503, "retry_after_date": 600})).await;
    // The clock stands at 2023-11-14T22:13:20Z.
    let date = Some("Tue, 14 Nov 2023 22:23:20 GMT");
    assert_eq!(kit.refresh(CLASS, &refresh).await.header("retry-after"), date);
    kit.script(CLASS, json!({"status": 429, "retry_after": 7, "process": true})).await;
    let reply = kit.refresh(CLASS, &refresh).await;
    let successor = reply.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("7")));
    assert!(kit.alive(&successor) && !kit.alive(&refresh));
}

#[tokio::test]
async fn canned_replies_are_what_they_say() {
    let kit = start().await;
    let (_, refresh) = kit.connect(CLASS).await;
    kit.script(CLASS, json!({"reply": "garbage"})).await;
    let garbage = kit.refresh(CLASS, &refresh).await;
    assert_eq!((garbage.status, garbage.header("content-type")), (200, Some("application/json")));
    assert!(garbage.whole && String::from_utf8(garbage.body).is_err());
    kit.script(CLASS, json!({"reply": "empty"})).await;
    assert!(kit.refresh(CLASS, &refresh).await.body.is_empty());
    assert!(kit.alive(&refresh));
    kit.script(CLASS, json!({"reply": "html", "process": true})).await;
    assert!(kit.refresh(CLASS, &refresh).await.text().starts_with("<!doctype html>"));
    assert!(!kit.alive(&refresh), "the rotation happened behind the page");
}
