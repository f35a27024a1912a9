//! Connections by pasted credentials: nothing is stored that the provider refuses, and a fetch says what calls carry.

use super::bench::{Bench, assert_problem};
use mortise_oauth::{Method, Reply};
use serde_json::{Value, json};

pub(crate) const MAIL: &str = "\
id: mail
name: Mail
auth:
  type: api_key
  credentials:
    api_key: {type: secret, title: API key, pattern: 'canary-[a-z0-9]+', example: canary-000}
    account: {type: text, title: Account}
  verification: {url: 'https://{region}.mail.example/me', status: [204]}
variables:
  region: {type: enum, title: Region, values: [eu, us], default: eu}
api:
  base_url: https://{region}.mail.example
  headers: {Authorization: 'Bearer {api_key}', x-region: '{region}'}
  query: {account: '{account}'}
";

pub(crate) const SHIP: &str = "\
id: ship
name: Ship
auth:
  type: basic
";

async fn bench(manifest: &str, id: &str) -> Bench {
    let bench = Bench::new().await;
    bench.manifest(reqwest::Method::POST, "/v1/connectors", manifest).await.expect(201);
    bench.post("/v1/apps", &json!({"id": id, "connector": id})).await.expect(201);
    bench.put("/v1/customers/c1", &json!({"name": "Ann"})).await;
    bench
}

fn import(app: &str, credentials: Value) -> Value {
    json!({"customer": "c1", "app": app, "credentials": credentials})
}

fn good() -> Value {
    import("mail", json!({"api_key": "canary-1", "account": "a&b"}))
}

#[actix_web::test]
async fn a_key_is_tried_out_kept_and_handed_out_as_calls_carry_it() {
    let bench = bench(MAIL, "mail").await;
    bench.provider.reply(Reply::new(204, None, ""));
    let made = bench.post("/v1/connections", &good()).await.expect(201).json();
    assert_eq!((&made["state"], &made["state_reason"]), (&json!("active"), &json!("imported")), "{made}");
    for never in ["expires_at", "next_refresh_at"] {
        assert_eq!(made[never], Value::Null, "{never}");
    }
    let [request] = &bench.provider.take_requests()[..] else { panic!("one call") };
    assert_eq!((request.method, request.url.as_str()), (Method::Get, "https://eu.mail.example/me?account=a%26b"));
    let sent = |name: &str| request.headers.iter().find(|h| h.name == name).map(|h| h.value.as_str().to_owned());
    assert_eq!((sent("authorization"), sent("x-region")), (Some("Bearer canary-1".into()), Some("eu".into())));

    let id = made["id"].as_str().unwrap();
    let token = bench.get(&format!("/v1/connections/{id}/token?min_ttl=3600")).await.expect(200).json();
    assert_eq!((&token["access_token"], &token["token_type"]), (&json!("canary-1"), &json!("api_key")));
    assert_eq!(token["headers"], json!({"authorization": "Bearer canary-1", "x-region": "eu"}));
    assert_eq!(token["query"], json!({"account": "a&b"}));
    assert_eq!((&token["expires_at"], &token["refresh_after"]), (&Value::Null, &Value::Null));
    assert_eq!(bench.get("/v1/token?customer=c1&app=mail").await.expect(200).json(), token);
    for shown in [format!("/v1/connections/{id}"), format!("/v1/connections/{id}/events"), "/v1/connections".into()] {
        assert!(!bench.get(&shown).await.body.contains("canary"), "{shown}");
    }
    assert!(bench.provider.take_requests().is_empty(), "fetches call nobody");
}

#[actix_web::test]
async fn what_the_provider_refuses_is_not_stored() {
    let bench = bench(MAIL, "mail").await;
    for (status, answer, code) in [
        (401, 422, "invalid_request"),
        (403, 422, "invalid_request"),
        (200, 422, "invalid_request"),
        (500, 503, "provider_unavailable"),
        (302, 503, "provider_unavailable"),
        (429, 429, "provider_throttled"),
    ] {
        bench.provider.reply(Reply::new(status, None, "canary-1 is wrong"));
        let refused = bench.post("/v1/connections", &good()).await;
        let problem = assert_problem(&refused, answer, code);
        assert!(!refused.body.contains("canary"), "{refused:?}");
        if answer == 422 {
            assert_eq!(problem["errors"][0]["pointer"], "/credentials");
        }
    }
    assert_eq!(bench.get("/v1/connections").await.json()["items"], json!([]));
}

#[actix_web::test]
async fn wrong_members_are_named_and_nothing_is_sent() {
    let bench = bench(MAIL, "mail").await;
    for (credentials, pointer) in [
        (json!({}), "/credentials/account"),
        (json!({"account": "a"}), "/credentials/api_key"),
        (json!({"account": "a", "api_key": "canary wrong"}), "/credentials/api_key"),
        (json!({"account": "a\r\nb", "api_key": "canary-1"}), "/credentials/account"),
        (json!({"account": "a", "api_key": "canary-1", "other": "canary-x"}), "/credentials/other"),
        (json!({"account": "a", "api_key": "canary-1", "access_token": "canary-x"}), "/credentials/access_token"),
        (json!({"account": "a", "api_key": 7}), "/credentials/api_key"),
    ] {
        let answer = bench.post("/v1/connections", &import("mail", credentials.clone())).await;
        let problem = assert_problem(&answer, 422, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{credentials}: {problem}");
        assert!(!answer.body.contains("canary") || answer.body.contains("canary-000"), "{answer:?}");
    }
    let app = json!({"id": "other", "connector": "mail", "client_id": "c", "client_secret": "s", "scopes": ["r"]});
    let problem = assert_problem(&bench.post("/v1/apps", &app).await, 422, "invalid_request");
    let pointers: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/client_id", "/client_secret", "/scopes"]);
}

#[actix_web::test]
async fn user_and_password_become_basic_and_are_never_refreshed() {
    let bench = bench(SHIP, "ship").await;
    let body = import("ship", json!({"username": "u", "password": "canary:p"}));
    let made = bench.post("/v1/connections", &body).await.expect(201).json();
    let id = made["id"].as_str().unwrap();
    let token = bench.get(&format!("/v1/connections/{id}/token")).await.expect(200).json();
    assert_eq!((&token["access_token"], &token["token_type"]), (&json!("dTpjYW5hcnk6cA=="), &json!("basic")));
    assert_eq!(token["headers"], json!({"authorization": "Basic dTpjYW5hcnk6cA=="}));
    assert_eq!(token.get("query"), None, "what is empty is left out");
    // A refresh that somebody asks for must not cost the connection.
    assert_problem(&bench.post(&format!("/v1/connections/{id}/refresh"), &json!({})).await, 422, "invalid_request");
    assert_eq!(bench.get(&format!("/v1/connections/{id}")).await.json()["state"], "active");
    bench.delete(&format!("/v1/connections/{id}")).await.expect(204);
    assert_problem(&bench.get(&format!("/v1/connections/{id}/token")).await, 409, "connection_revoked");
    assert!(bench.provider.take_requests().is_empty(), "nobody is called for any of it");
}
