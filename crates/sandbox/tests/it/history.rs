//! The history: times, descent, overlaps, reuse and losses as the checker reads them.

use crate::kit::{Kit, start, start_with, tokens};
use mortise_sandbox::{
    DEFAULT_CLIENT_SECRET, Endpoint, HistoryFilter, ModelRequest, RecoveryClass, SandboxConfig, TokenId,
};
use serde_json::{Value, json};

async fn history(kit: &Kit, query: &str) -> Value {
    kit.get(&format!("/control/history?{query}")).await.json()
}

fn ids(list: &Value) -> Vec<u64> {
    list.as_array().unwrap().iter().map(|item| item["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn every_request_has_its_times_and_tokens() {
    let kit = start().await;
    let class = RecoveryClass::F;
    let (_, first) = kit.connect(class).await;
    kit.clock.advance_seconds(7);
    let (access, second) = tokens(&kit.refresh(class, &first).await);
    kit.clock.advance_seconds(3);
    let history = history(&kit, "").await;
    assert_eq!((&history["taken_us"], &history["complete"]), (&json!(10_000_000), &json!(true)));
    let refresh = &history["requests"][1];
    for time in ["received_us", "processed_us", "replied_us", "closed_us"] {
        assert_eq!(refresh[time], 7_000_000, "{time}");
    }
    assert_eq!(refresh["left_us"], json!(null));
    let id = |token: &str| json!(TokenId::of(token).to_string());
    assert_eq!((&refresh["token"], &refresh["new_refresh_token"]), (&id(&first), &id(&second)));
    assert_eq!((&refresh["new_access_token"], &refresh["family"]), (&id(&access), &json!(1)));
    tokens(&kit.refresh(class, &second).await);
    assert_eq!(self::history(&kit, "").await["requests"][2]["parent"], id(&first));
    let text = kit.get("/control/history").await.text();
    assert!(!text.contains("sbx_"), "the history shows no token");
}

#[tokio::test]
async fn grants_begin_and_end_for_a_reason() {
    let kit = start().await;
    let (_, first) = kit.connect(RecoveryClass::F).await;
    let (_, _) = tokens(&kit.refresh(RecoveryClass::F, &first).await);
    kit.refresh(RecoveryClass::F, &first).await;
    kit.control("grants", json!({"class": "s"})).await;
    kit.clock.advance_seconds(1);
    kit.control("grants/2/end", json!({})).await;
    let events = history(&kit, "").await["events"].take();
    let told: Vec<(u64, &Value, &Value)> = events
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["family"].as_u64().unwrap(), &event["ended"], &event["request"]))
        .collect();
    let (began, reused, revoked) = (json!(null), json!("refresh_token_reused"), json!("revoked"));
    let (exchange, reuse, order) = (json!(1), json!(3), json!(null));
    assert_eq!(told, [(1, &began, &exchange), (1, &reused, &reuse), (2, &began, &order), (2, &revoked, &order)]);
    assert_eq!(events[3]["at_us"], 1_000_000);
    assert_eq!(history(&kit, "class=s").await["events"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn overlaps_reuses_and_losses_are_named() {
    let kit = start().await;
    let class = RecoveryClass::S;
    let (_, first) = kit.connect(class).await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", first.as_str()), ("client_id", "sandbox-client")];
    let secret = ("client_secret", DEFAULT_CLIENT_SECRET);
    let request = ModelRequest::form(class, Endpoint::Token, form.into_iter().chain([secret]));
    let early = kit.sandbox.begin(request);
    let (_, held) = tokens(&kit.refresh(class, &first).await);
    assert_eq!(kit.sandbox.deliver(kit.sandbox.process(early)).unwrap().status, 400);
    kit.script(class, json!({"drop": "after"})).await;
    assert!(kit.try_refresh(class, &held).await.is_none());
    let history = history(&kit, "").await;
    let id = |token: &str| json!(TokenId::of(token).to_string());
    let overlap = json!({"token": id(&first), "earlier": 2, "later": 3, "earlier_left": false});
    assert_eq!(history["overlaps"], json!([overlap]));
    assert_eq!(history["requests"][2]["overlaps"], json!([2]));
    assert_eq!(history["reuses"], json!([2]));
    let lost = &history["requests"][3];
    assert_eq!(history["lost"].as_array().unwrap().len(), 1);
    assert_eq!((&history["lost"][0]["request"], &history["lost"][0]["parent"]), (&json!(4), &id(&held)));
    assert_eq!(history["lost"][0]["refresh_token"], lost["new_refresh_token"]);
    assert_eq!((&lost["replied_us"], lost["closed_us"].is_u64()), (&json!(null), true));
}

#[tokio::test]
async fn it_is_read_in_parts_and_says_when_it_is_not_whole() {
    let kit = start_with(SandboxConfig { log_capacity: 3, ..SandboxConfig::default() }).await;
    let (_, refresh) = kit.connect(RecoveryClass::N).await;
    for _ in 0..2 {
        kit.refresh(RecoveryClass::N, &refresh).await;
    }
    assert_eq!(ids(&history(&kit, "after=1&limit=1").await["requests"]), [2]);
    assert!(ids(&history(&kit, "class=f").await["requests"]).is_empty());
    assert_eq!(ids(&history(&kit, "family=1&after=2").await["requests"]), [3]);
    assert!(kit.sandbox.history(&HistoryFilter::default()).complete);
    kit.refresh(RecoveryClass::N, &refresh).await;
    assert!(!kit.sandbox.history(&HistoryFilter::default()).complete);
    assert_eq!(kit.get("/control/history?since=1").await.status, 400);
}
