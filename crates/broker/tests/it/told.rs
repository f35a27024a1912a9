//! What a provider tells about its API: judged before it is stored, and again before it is handed out.

use crate::bench::{Bench, tokens};
use mortise_broker::CallbackOutcome;
use mortise_domain::ConnectionId;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const CRM: &str = "  token_response: {extra: {instance_url: /instance_url, team: /team}}\n  \
                   callback: {keep: {realm: realmId}}\n\
                   api:\n  base_url: '{instance_url}/{realm}/v1'\n  \
                   fields: {instance_url: {type: url, suffixes: [acme.example]}, realm: {type: path_segment}}\n";

async fn connected(bench: &Bench, told: Value, realm: &str) -> ConnectionId {
    let flow = bench.start(&bench.link(None).await).await;
    let mut reply = tokens(1);
    reply.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
    bench.provider.json(200, &reply);
    let callback = [("code", "c"), ("realmId", realm), ("state", flow.state.as_str())];
    match bench.finish(&flow, &callback).await.unwrap() {
        CallbackOutcome::Connected { connection, .. } => connection,
        CallbackOutcome::AwaitingCompletion { .. } => panic!("the finisher check is off in dev"),
    }
}

async fn extra(bench: &Bench, id: ConnectionId) -> Value {
    json!(bench.token(id, None).await.unwrap().extra)
}

#[tokio::test]
async fn the_base_of_the_api_is_handed_out_and_outlives_refreshes() {
    let bench = Bench::with(CRM).await;
    let id = connected(&bench, json!({"instance_url": "https://na1.acme.example/", "team": 7}), "r9").await;
    let whole = json!({
        "instance_url": "https://na1.acme.example/", "team": 7, "realm": "r9",
        "api_base_url": "https://na1.acme.example/r9/v1",
    });
    assert_eq!(extra(&bench, id).await, whole);
    // A reply that does not tell it again leaves it; one that tells another moves the base.
    bench.provider.json(200, &tokens(2));
    bench.make_due().await;
    assert_eq!(bench.work().await, 1);
    assert_eq!(extra(&bench, id).await["api_base_url"], whole["api_base_url"]);
    let mut moved = tokens(3);
    moved["instance_url"] = json!("https://eu2.acme.example");
    bench.provider.json(200, &moved);
    bench.make_due().await;
    assert_eq!(bench.work().await, 1);
    assert_eq!(extra(&bench, id).await["api_base_url"], "https://eu2.acme.example/r9/v1");
}

/// Row T10 of the hostile inputs: a provider that answers with the address of a cloud's metadata, or of anything inside.
#[tokio::test]
async fn t10_what_leads_inside_is_neither_stored_nor_handed_out() {
    let bench = Bench::with(CRM).await;
    for url in [
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.169.254",
        "https://[::ffff:a9fe:a9fe]/",
        "https://127.0.0.1:8080",
        "https://localhost/",
        "https://metadata.google.internal/",
        "https://evil.example/",
        "https://acme.example@169.254.169.254/",
        "//169.254.169.254",
    ] {
        let id = connected(&bench, json!({"instance_url": url, "team": {"deep": [url]}}), "r9").await;
        let told = extra(&bench, id).await;
        let public = url.contains("evil.example");
        let expected = if public { json!({"realm": "r9", "team": {"deep": [url]}}) } else { json!({"realm": "r9"}) };
        assert_eq!(told, expected, "{url}");
        assert_eq!(
            bench.token(id, None).await.unwrap().access_token.expose(),
            "at-1",
            "the grant is as good as before"
        );
    }
    let id = connected(&bench, json!({"instance_url": "https://na1.acme.example"}), "../evil").await;
    assert_eq!(extra(&bench, id).await, json!({"instance_url": "https://na1.acme.example"}));
    bench.provider.json(200, &{
        let mut reply = tokens(2);
        reply["instance_url"] = json!("https://10.0.0.1/");
        reply
    });
    bench.make_due().await;
    assert_eq!(bench.work().await, 1);
    assert_eq!(extra(&bench, id).await, json!({"instance_url": "https://na1.acme.example"}), "what was believed stays");
}

#[tokio::test]
async fn fields_that_nobody_described_are_judged_too() {
    let bench = Bench::with("  token_response: {extra: {api_domain: /api_domain, blog: /blog}}\n").await;
    let told = json!({"api_domain": "https://192.168.1.1/x", "blog": "http://blog.acme.example/"});
    let id = connected(&bench, told, "r").await;
    assert_eq!(extra(&bench, id).await, json!(BTreeMap::from([("blog", "http://blog.acme.example/")])));
}
