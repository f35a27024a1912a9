//! Credentials for a token, as a program gives them and gets it.

use super::bench::{Bench, assert_problem};
use serde_json::{Value, json};

const DESK: &str = "\
id: desk
name: Desk
auth:
  type: two_step
  credentials:
    user: {type: text, title: User name}
    password: {type: secret, title: Password}
  steps:
    - url: https://desk.example/login
      body: json
      params: {user: '{user}', password: '{password}'}
  token_response: {access_token: /token, expires_in: /ttl, extra: {plan: /plan}}
api:
  base_url: https://desk.example
  headers: {x-token: '{access_token}'}
  query: {as: '{user}'}
";

#[actix_web::test]
async fn a_login_is_imported_fetched_refreshed_and_its_refusal_told() {
    let bench = Bench::new().await;
    bench.manifest(reqwest::Method::POST, "/v1/connectors", DESK).await.expect(201);
    let with_client = json!({"id": "desk", "connector": "desk", "client_id": "c"});
    assert_problem(&bench.post("/v1/apps", &with_client).await, 422, "invalid_request");
    bench.post("/v1/apps", &json!({"id": "desk", "connector": "desk"})).await.expect(201);
    bench.put("/v1/customers/c1", &json!({"name": "Ann"})).await;
    let import = |credentials: Value| json!({"customer": "c1", "app": "desk", "credentials": credentials});
    let missing = bench.post("/v1/connections", &import(json!({"user": "ann"}))).await;
    assert_eq!(assert_problem(&missing, 422, "invalid_request")["errors"][0]["pointer"], "/credentials/password");
    assert!(bench.provider.take_requests().is_empty(), "the server checks before it calls");

    let good = import(json!({"user": "ann", "password": "canary-password"}));
    bench.provider.json(403, &json!({"error": "canary-password"}));
    let refused = bench.post("/v1/connections", &good).await;
    assert_problem(&refused, 422, "invalid_request");
    assert!(!refused.body.contains("canary"), "{refused:?}");

    let session = |number: u32| json!({"token": format!("t-{number}"), "ttl": 600, "plan": "gold"});
    bench.provider.json(200, &session(1));
    let made = bench.post("/v1/connections", &good).await.expect(201).json();
    assert_eq!((&made["state"], &made["state_reason"]), (&json!("active"), &json!("imported")), "{made}");
    let id = made["id"].as_str().unwrap();
    let token = bench.get(&format!("/v1/connections/{id}/token")).await.expect(200).json();
    assert_eq!((&token["access_token"], &token["token_type"]), (&json!("t-1"), &json!("two_step")));
    assert_eq!((&token["headers"], &token["query"]), (&json!({"x-token": "t-1"}), &json!({"as": "ann"})));
    assert_eq!(token["extra"], json!({"plan": "gold"}));
    bench.provider.json(200, &session(2));
    bench.post(&format!("/v1/connections/{id}/refresh"), &json!({})).await.expect(200);
    assert_eq!(bench.get(&format!("/v1/connections/{id}/token")).await.json()["access_token"], "t-2");
    for shown in [format!("/v1/connections/{id}"), format!("/v1/connections/{id}/events")] {
        assert!(!bench.get(&shown).await.body.contains("canary"), "{shown}");
    }
}
