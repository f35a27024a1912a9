//! Scripted faults as a client sees them, and overlapping requests as the oracle sees them.

use crate::kit::{error, start, start_with_real_time, tokens};
use mortise_sandbox::RecoveryClass;
use serde_json::json;
use std::time::Duration;

const CLASS: RecoveryClass = RecoveryClass::F;

#[tokio::test]
async fn a_drop_before_processing_costs_nothing() {
    let kit = start().await;
    let (_, refresh) = kit.connect(CLASS).await;
    kit.script(CLASS, json!({"drop": "before"})).await;
    assert!(kit.try_refresh(CLASS, &refresh).await.is_none(), "not one byte comes back");
    let record = kit.sandbox.oracle(&Default::default(), 1).requests.remove(0);
    assert_eq!((record.outcome, record.processed_at_ms, record.replied_at_ms), ("not_processed", None, None));
    tokens(&kit.refresh(CLASS, &refresh).await);
}

#[tokio::test]
async fn a_drop_after_processing_loses_the_rotation() {
    let kit = start().await;
    let (_, refresh) = kit.connect(CLASS).await;
    kit.script(CLASS, json!({"drop": "after"})).await;
    assert!(kit.try_refresh(CLASS, &refresh).await.is_none(), "not one byte comes back");
    let record = kit.sandbox.oracle(&Default::default(), 1).requests.remove(0);
    assert_eq!((record.outcome, record.status, record.replied_at_ms), ("issued", None, None));
    assert!(record.processed_at_ms.is_some() && record.scripted);
    assert!(!kit.alive(&refresh));
    assert_eq!(error(&kit.refresh(CLASS, &refresh).await), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_truncated_reply_announces_more_than_it_sends() {
    let kit = start().await;
    let (_, mut refresh) = kit.connect(RecoveryClass::M).await;
    for at in [0, 1, 40] {
        kit.script(RecoveryClass::M, json!({"truncate_at": at})).await;
        let reply = kit.try_refresh(RecoveryClass::M, &refresh).await.unwrap();
        assert_eq!((reply.status, reply.body.len(), reply.whole), (200, at, false));
        let record = kit.sandbox.oracle(&Default::default(), 1).requests.remove(0);
        assert_eq!((record.bytes_delivered, record.replied_at_ms, record.outcome), (at as u64, None, "issued"));
        refresh = tokens(&kit.refresh(RecoveryClass::M, &refresh).await).1;
    }
    kit.script(RecoveryClass::M, json!({"truncate_at": 1_000_000})).await;
    tokens(&kit.refresh(RecoveryClass::M, &refresh).await);
}

#[tokio::test]
async fn replies_can_be_replaced() {
    let kit = start().await;
    let (_, refresh) = kit.connect(CLASS).await;
    let page = json!({"status": 502, "body": "<html>bad</html>", "content_type": "text/html",
        "headers": {"Retry-After": "7", "x-odd": "1"}});
    kit.script(CLASS, page).await;
    let reply = kit.refresh(CLASS, &refresh).await;
    assert_eq!((reply.status, reply.text().as_str()), (502, "<html>bad</html>"));
    assert_eq!((reply.header("content-type"), reply.header("retry-after")), (Some("text/html"), Some("7")));
    kit.script(CLASS, json!({"error": "invalid_client"})).await;
    assert_eq!(error(&kit.refresh(CLASS, &refresh).await), (401, "invalid_client".to_owned()));
    kit.script(CLASS, json!({"error": "invalid_grant"})).await;
    assert_eq!(error(&kit.refresh(CLASS, &refresh).await), (400, "invalid_grant".to_owned()));
    kit.script(CLASS, json!({"body_base64": "//4A"})).await;
    assert_eq!(kit.refresh(CLASS, &refresh).await.body, [0xff, 0xfe, 0]);
    kit.script(CLASS, json!({"status": 204})).await;
    assert_eq!(kit.refresh(CLASS, &refresh).await.status, 204);
    assert!(kit.alive(&refresh), "none of these took effect");
    kit.script(CLASS, json!({"status": 429, "process": true})).await;
    let reply = kit.refresh(CLASS, &refresh).await;
    let successor = reply.json()["refresh_token"].as_str().unwrap().to_owned();
    assert!(reply.status == 429 && kit.alive(&successor) && !kit.alive(&refresh));
}

#[tokio::test]
async fn a_body_can_drip() {
    let kit = start().await;
    let (_, refresh) = kit.connect(CLASS).await;
    kit.script(CLASS, json!({"body": "0123456789", "drip_ms": 20})).await;
    let started = tokio::time::Instant::now();
    assert_eq!(kit.refresh(CLASS, &refresh).await.text(), "0123456789");
    assert!(started.elapsed() >= Duration::from_millis(180));
}

#[tokio::test]
async fn delays_stand_before_or_after_the_effect() {
    let kit = start_with_real_time().await;
    let (_, mut refresh) = kit.connect(CLASS).await;
    let mut waited = async |moment: &str| {
        kit.script(CLASS, json!({"delay_ms": 200, "delay": moment})).await;
        refresh = tokens(&kit.refresh(CLASS, &refresh).await).1;
        let record = kit.sandbox.oracle(&Default::default(), 1).requests.remove(0);
        let (processed, replied) = (record.processed_us.unwrap(), record.replied_us.unwrap());
        (processed - record.received_us, replied - processed)
    };
    assert!(waited("before").await.0 >= 200_000);
    assert!(waited("after").await.1 >= 200_000);
}

#[tokio::test]
async fn a_client_that_leaves_does_not_stop_its_request() {
    let kit = start().await;
    let (_, refresh) = kit.connect(CLASS).await;
    kit.script(CLASS, json!({"delay_ms": 1000})).await;
    kit.abandon(CLASS, &refresh, |record| record.processed_us.is_none()).await;
    kit.in_flight(0).await;
    assert!(!kit.alive(&refresh));
    let record = kit.sandbox.oracle(&Default::default(), 1).requests.remove(0);
    assert_eq!((record.outcome, record.left_us.is_some(), record.replied_us), ("issued", true, None));
}

#[tokio::test]
async fn two_requests_with_one_token_in_flight_are_an_overlap() {
    let kit = start().await;
    let (_, refresh) = kit.connect(RecoveryClass::M).await;
    kit.script(RecoveryClass::M, json!({"delay_ms": 1000})).await;
    let late = async {
        kit.in_flight(1).await;
        kit.refresh(RecoveryClass::M, &refresh).await
    };
    let (first, second) = tokio::join!(kit.refresh(RecoveryClass::M, &refresh), late);
    assert_eq!((first.status, second.status), (200, 200));
    let report = kit.sandbox.oracle(&Default::default(), 2);
    assert_eq!((report.grants[0].overlaps, report.totals.overlaps, report.totals.in_flight), (1, 1, 0));
    assert_eq!(report.requests.iter().map(|r| r.overlapped).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn with_latency_a_race_of_clients_is_seen_without_any_script() {
    let kit = start().await;
    let (_, refresh) = kit.connect(CLASS).await;
    kit.control("classes/f", json!({"latency_ms": 1000})).await;
    let (first, second) = tokio::join!(kit.refresh(CLASS, &refresh), kit.refresh(CLASS, &refresh));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    let totals = kit.sandbox.totals();
    assert_eq!((totals.overlaps, totals.reuse_events, totals.live_grants, totals.in_flight), (1, 1, 0, 0));
}

#[tokio::test]
async fn requests_one_after_the_other_never_overlap() {
    let kit = start().await;
    let (_, refresh) = kit.connect(RecoveryClass::N).await;
    for _ in 0..200 {
        kit.refresh(RecoveryClass::N, &refresh).await;
    }
    assert_eq!(kit.sandbox.totals().overlaps, 0);
}

#[tokio::test]
async fn other_endpoints_and_grant_types_have_scripts_of_their_own() {
    let kit = start().await;
    for (endpoint, status) in [("revoke", 503), ("userinfo", 500), ("introspect", 418)] {
        kit.control("script", json!({"class": "s", "endpoint": endpoint, "action": {"status": status}})).await;
    }
    kit.script(RecoveryClass::S, json!({"status": 500})).await;
    let (access, refresh) = kit.connect(RecoveryClass::S).await;
    assert_eq!(kit.userinfo(RecoveryClass::S, &access).await.status, 500);
    assert_eq!(kit.as_client("/s/introspect", &[("token", &access)]).await.unwrap().status, 418);
    assert_eq!(kit.as_client("/s/revoke", &[("token", &refresh)]).await.unwrap().status, 503);
    assert!(kit.alive(&refresh));
    assert_eq!(kit.refresh(RecoveryClass::S, &refresh).await.status, 500);
    assert_eq!(kit.sandbox.totals().scripted, 0);
}

#[tokio::test]
async fn stopping_ends_waiting_requests_without_effect() {
    let kit = start().await;
    let (_, refresh) = kit.connect(CLASS).await;
    kit.script(CLASS, json!({"delay_ms": 60_000})).await;
    let sandbox = kit.sandbox.clone();
    let stop = async {
        kit.in_flight(1).await;
        sandbox.stop().await;
    };
    let (reply, ()) = tokio::join!(kit.try_refresh(CLASS, &refresh), stop);
    assert!(reply.is_none() && sandbox.check(&refresh).alive);
    kit.tasks.close();
    kit.tasks.wait().await;
}
