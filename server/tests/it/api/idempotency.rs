//! `Idempotency-Key`: whatever is sent twice is done once.

use super::bench::{ACME, Bench, assert_problem, operations};
use futures_util::future::join_all;
use mortise_domain::ApiScope;
use mortise_testkit::Answer;
use reqwest::Method;
use serde_json::{Value, json};

async fn keyed(bench: &Bench, path: &str, key: &str, body: &Value) -> Answer {
    bench.send(bench.request(Method::POST, path).header("idempotency-key", key).json(body)).await
}

#[actix_web::test]
async fn every_creating_route_takes_a_key() {
    let keyed = |operation: &super::bench::Operation| {
        let parameters = operation.value["parameters"].as_array().cloned().unwrap_or_default();
        parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key")
    };
    let mut taking: Vec<_> = operations().into_iter().filter(keyed).map(|o| o.id().to_owned()).collect();
    taking.sort();
    let wanted = [
        "complete_connect_session",
        "create_api_key",
        "create_app",
        "create_connect_session",
        "create_connection",
        "create_connector",
        "create_environment",
        "create_hold",
        "create_move",
    ];
    assert_eq!(taking, wanted);
}

#[actix_web::test]
async fn fifty_at_once_make_one() {
    let bench = Bench::new().await;
    let body = json!({"name": "one", "scopes": ["tokens:read"]});
    let answers = join_all((0..50).map(|_| keyed(&bench, "/v1/api-keys", "k-1", &body))).await;
    let (made, waiting): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    let first = made.iter().filter(|answer| answer.header("idempotent-replayed").is_empty()).count();
    assert_eq!(first, 1, "one of them is no replay");
    assert!(made.iter().all(|answer| answer.body == made[0].body), "all are told the same key");
    for answer in waiting {
        assert_problem(answer, 409, "idempotency_in_flight");
        assert_eq!(answer.header("retry-after"), "1");
    }
    let listed = bench.get("/v1/api-keys?limit=100").await.json();
    let named = listed["items"].as_array().unwrap().iter().filter(|key| key["name"] == "one").count();
    assert_eq!(named, 1);
    let later = keyed(&bench, "/v1/api-keys", "k-1", &body).await;
    assert_eq!((later.status, later.header("idempotent-replayed")), (201, "true"));
    assert_eq!((&later.body, later.header("content-type")), (&made[0].body, "application/json"));
}

#[actix_web::test]
async fn a_key_belongs_to_its_body_its_route_and_its_api_key() {
    let bench = Bench::registered().await;
    let body = json!({"customer": "c1"});
    let first = keyed(&bench, "/v1/connect-sessions", "k", &body).await.expect(201);
    let other = keyed(&bench, "/v1/connect-sessions", "k", &json!({"customer": "c1", "expires_in": 60})).await;
    assert_problem(&other, 422, "idempotency_mismatch");
    let elsewhere = keyed(&bench, "/v1/connections", "k", &json!({"customer": "c1", "app": "acme"})).await.expect(201);
    assert!(elsewhere.header("idempotent-replayed").is_empty());
    let second_key = bench.key_in("dev", ApiScope::ALL).await;
    let request =
        bench.bare(Method::POST, "/v1/connect-sessions").bearer_auth(second_key).header("idempotency-key", "k");
    let theirs = bench.send(request.json(&body)).await.expect(201);
    assert_ne!(theirs.json()["id"], first.json()["id"], "another API key does not get at the link");
}

#[actix_web::test]
async fn a_refusal_is_repeated_and_a_failure_is_not() {
    let bench = Bench::new().await;
    let body = json!({"customer": "c1"});
    let refused = keyed(&bench, "/v1/connect-sessions", "k", &body).await;
    assert_problem(&refused, 422, "invalid_request");
    bench.put("/v1/customers/c1", &json!({})).await.expect(201);
    let again = keyed(&bench, "/v1/connect-sessions", "k", &body).await;
    assert_eq!((again.status, again.header("idempotent-replayed"), &again.body), (422, "true", &refused.body));

    bench.register(super::bench::ROBOT, "robot").await;
    bench.provider.fail(mortise_oauth::SendError::Dns);
    bench.provider.json(200, &json!({"access_token": "at", "token_type": "bearer", "expires_in": 3600}));
    let body = json!({"customer": "c1", "app": "robot"});
    let failed = keyed(&bench, "/v1/connections", "c", &body).await;
    assert!(failed.status >= 500, "{failed:?}");
    let healed = keyed(&bench, "/v1/connections", "c", &body).await.expect(201);
    assert_eq!(healed.json()["state"], "active");
}

#[actix_web::test]
async fn keys_are_short_and_printable() {
    let bench = Bench::new().await;
    for key in ["", "schlüssel", "tab\there", &"x".repeat(256)] {
        let request = bench.request(Method::POST, "/v1/api-keys").header("idempotency-key", key.as_bytes());
        let answer = bench.send(request.json(&json!({"name": "n", "scopes": ["tokens:read"]}))).await;
        let problem = assert_problem(&answer, 422, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], "/Idempotency-Key");
    }
    let longest = "x".repeat(255);
    keyed(&bench, "/v1/api-keys", &longest, &json!({"name": "n", "scopes": ["tokens:read"]})).await.expect(201);
}

#[actix_web::test]
async fn yaml_is_replayed_too() {
    let bench = Bench::new().await;
    let send = || {
        let request = bench.request(Method::POST, "/v1/connectors").header("content-type", "application/yaml");
        bench.send(request.header("idempotency-key", "k").body(ACME))
    };
    let (first, second) = (send().await.expect(201), send().await.expect(201));
    assert_eq!(first.body, second.body);
}
