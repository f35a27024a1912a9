//! The main answers as they are, with what differs from run to run by its name.

use super::bench::{ACME, Bench};
use mortise_testkit::Answer;
use reqwest::Method;
use serde_json::{Value, json};

/// Ids, times, secrets and digests by their kind.
fn steady(value: &mut Value) {
    match value {
        Value::String(text) => {
            let hex = |text: &str| text.len() >= 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
            let is_time = text.len() == 24 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
            let kind = text.split_once('_').filter(|(_, rest)| hex(rest)).map(|(kind, _)| kind.to_owned());
            if let Some(kind) = kind {
                *text = format!("[{kind}]");
            } else if is_time {
                *text = "[time]".to_owned();
            } else if hex(text) {
                *text = "[digest]".to_owned();
            } else if text.starts_with("mrt") || (text.len() == 43 && !text.contains(' ')) {
                *text = "[secret]".to_owned();
            } else if let Some((start, _)) = text.split_once("/connect/") {
                *text = format!("{start}/connect/[secret]");
            } else if let Some((start, _)) = text.split_once("/callback/") {
                *text = format!("{start}/callback/[app]");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(steady),
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "expires_in" if member.is_u64() => *member = json!("[seconds]"),
                    _ => steady(member),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn shown(answer: &Answer) -> Value {
    let mut body = answer.json();
    steady(&mut body);
    json!({"status": answer.status, "body": body})
}

#[actix_web::test]
async fn what_is_made() {
    let bench = Bench::new().await;
    let connector = bench.manifest(Method::POST, "/v1/connectors", ACME).await;
    insta::assert_json_snapshot!("connector", shown(&connector));
    let app = json!({"id": "acme", "connector": "acme", "client_id": "client", "client_secret": "secret", "scopes": ["read"]});
    insta::assert_json_snapshot!("app", shown(&bench.post("/v1/apps", &app).await));
    let customer = json!({"name": "Ann", "metadata": {"plan": "gold"}});
    insta::assert_json_snapshot!("customer", shown(&bench.put("/v1/customers/c1", &customer).await));
    let session = bench.post("/v1/connect-sessions", &json!({"customer": "c1", "apps": ["acme"]})).await;
    insta::assert_json_snapshot!("connect_link", shown(&session));
    let session = bench.get(&format!("/v1/connect-sessions/{}", session.json()["id"].as_str().unwrap())).await;
    insta::assert_json_snapshot!("connect_session", shown(&session));
    let key = bench.post("/v1/api-keys", &json!({"name": "fetcher", "scopes": ["tokens:read"]})).await;
    insta::assert_json_snapshot!("api_key", shown(&key));
    let environment = bench.post("/v1/environments", &json!({"name": "staging"})).await;
    insta::assert_json_snapshot!("environment", shown(&environment));
    insta::assert_json_snapshot!("environments", shown(&bench.get("/v1/environments").await));
    insta::assert_json_snapshot!("own_environment", shown(&bench.get("/v1/environment").await));
}

#[actix_web::test]
async fn what_is_connected() {
    let bench = Bench::registered().await;
    let id = bench.connected().await;
    insta::assert_json_snapshot!("connection", shown(&bench.get(&format!("/v1/connections/{id}")).await));
    insta::assert_json_snapshot!("events", shown(&bench.get(&format!("/v1/connections/{id}/events")).await));
    insta::assert_json_snapshot!("token", shown(&bench.get(&format!("/v1/connections/{id}/token")).await));
    let annotated = bench.patch(&format!("/v1/connections/{id}"), &json!({"metadata": {"seat": 7}})).await.expect(200);
    assert_eq!(annotated.json()["metadata"], json!({"seat": 7}));
}

#[actix_web::test]
async fn what_is_refused() {
    let bench = Bench::registered().await;
    let app = json!({"id": "acme", "connector": "acme", "client_id": "client", "scopez": []});
    insta::assert_json_snapshot!("problem_member", shown(&bench.post("/v1/apps", &app).await));
    let broken = bench.manifest(Method::POST, "/v1/connectors", &ACME.replace("name: Acme", "title: Acme")).await;
    insta::assert_json_snapshot!("problem_manifest", shown(&broken));
    let id = bench.connected().await;
    bench.sql("UPDATE connections SET state = 'needs_reauth', state_reason = 'refresh_token_rejected'").await;
    let mut refused = shown(&bench.get(&format!("/v1/connections/{id}/token")).await);
    let detail = refused["body"]["detail"].as_str().unwrap().replace(&id, "[con]");
    refused["body"]["detail"] = json!(detail);
    insta::assert_json_snapshot!("problem_needs_reauth", refused);
}

#[actix_web::test]
async fn lists_go_on_where_they_ended() {
    let bench = Bench::new().await;
    for number in 0..5 {
        bench.put(&format!("/v1/customers/c{number}"), &json!({})).await.expect(201);
    }
    let mut seen = Vec::new();
    let mut path = "/v1/customers?limit=2".to_owned();
    loop {
        let page = bench.get(&path).await.expect(200).json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/customers?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, ["c0", "c1", "c2", "c3", "c4"]);
    assert_eq!(bench.put("/v1/customers/c0", &json!({"name": "again"})).await.status, 200);
    bench.delete("/v1/customers/c0").await.expect(204);
    assert_eq!(bench.get("/v1/customers/c0").await.status, 404);
}
