//! Tokens: what is handed out, what is not, and what is said where there is none.

use super::bench::{Bench, ROBOT, assert_problem};
use mortise_oauth::SendError;
use serde_json::json;

#[actix_web::test]
async fn a_token_is_handed_out_and_its_refresh_token_never() {
    let bench = Bench::registered().await;
    let id = bench.connected().await;
    let answer = bench.get(&format!("/v1/connections/{id}/token")).await.expect(200);
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    assert_eq!(answer.json()["access_token"], "canary-at-1");
    let natural = bench.get("/v1/token?customer=c1&app=acme&min_ttl=300").await.expect(200);
    let batch = json!({"tokens": [{"connection": id, "min_ttl": 5}, {"customer": "c1", "app": "acme"}]});
    let batch = bench.post("/v1/tokens", &batch).await.expect(200);
    assert!(batch.json()["items"].as_array().unwrap().iter().all(|item| item["token"]["connection"] == id));
    let mut seen = vec![answer, natural, batch];
    for path in [format!("/v1/connections/{id}"), "/v1/connections".into(), format!("/v1/connections/{id}/events")] {
        let other = bench.get(&path).await.expect(200);
        assert!(!other.body.contains("canary-at"), "{other:?}");
        seen.push(other);
    }
    seen.extend([bench.get("/v1/apps").await, bench.get("/metrics").await]);
    for answer in seen {
        assert!(!answer.body.contains("canary-rt") && !answer.body.contains("canary-client-secret"), "{answer:?}");
    }
}

#[actix_web::test]
async fn each_item_of_a_batch_is_a_token_or_a_problem() {
    let bench = Bench::registered().await;
    let id = bench.connected().await;
    let batch = json!({"tokens": [
        {"connection": id},
        {"connection": "con_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e"},
        {"customer": "c1"},
        {"connection": id, "customer": "c1", "app": "acme"},
    ]});
    let answer = bench.post("/v1/tokens", &batch).await.expect(200);
    let items = answer.json()["items"].clone();
    assert_eq!(items[0]["token"]["access_token"], "canary-at-1");
    assert_eq!(items[1]["problem"]["code"], "not_found");
    assert_eq!(items[1]["problem"]["request_id"], answer.header("x-request-id"));
    for index in [2, 3] {
        assert_eq!(items[index]["problem"]["errors"][0]["pointer"], format!("/tokens/{index}"), "{items}");
    }
    let many = json!({"tokens": vec![json!({"connection": id}); 100]});
    assert_eq!(bench.post("/v1/tokens", &many).await.expect(200).json()["items"].as_array().unwrap().len(), 100);
    let too_many = json!({"tokens": vec![json!({"connection": id}); 101]});
    assert_problem(&bench.post("/v1/tokens", &too_many).await, 422, "invalid_request");
}

#[actix_web::test]
async fn states_without_a_token_say_what_to_do() {
    let bench = Bench::registered().await;
    let pending = bench.post("/v1/connections", &json!({"customer": "c1", "app": "acme"})).await.expect(201).json();
    let id = pending["id"].as_str().unwrap();
    let (token, refresh) = (format!("/v1/connections/{id}/token"), format!("/v1/connections/{id}/refresh"));
    assert_problem(&bench.get(&token).await, 409, "connection_pending");
    for (state, reason, status, code) in [
        ("needs_reauth", "refresh_token_rejected", 409, "connection_needs_reauth"),
        ("held", "consented", 423, "held"),
        ("quarantined", "ciphertext_rejected", 423, "connection_quarantined"),
        ("revoked", "disconnected", 409, "connection_revoked"),
    ] {
        bench.sql(&format!("UPDATE connections SET state = '{state}', state_reason = '{reason}'")).await;
        for answer in [bench.get(&token).await, bench.post(&refresh, &json!({})).await] {
            let problem = assert_problem(&answer, status, code);
            if code == "connection_needs_reauth" {
                assert_eq!((&problem["connection"], &problem["reason"]), (&json!(id), &json!(reason)));
                assert!(problem["detail"].as_str().unwrap().contains("connect session"), "{problem}");
            }
        }
    }
}

#[actix_web::test]
async fn a_provider_in_trouble_is_told_with_a_time_to_ask_again() {
    let bench = Bench::registered().await;
    bench.register(ROBOT, "robot").await;
    let body = json!({"customer": "c1", "app": "robot"});
    bench.provider.fail(SendError::Timeout);
    let answer = bench.post("/v1/connections", &body).await;
    assert_problem(&answer, 503, "provider_unavailable");
    assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1), "{answer:?}");
    bench.provider.json(429, &json!({"error": "slow_down"}));
    assert_problem(&bench.post("/v1/connections", &body).await, 429, "provider_throttled");
    bench.provider.json(200, &json!({"access_token": "at-1", "token_type": "Bearer", "expires_in": 3600}));
    let made = bench.post("/v1/connections", &body).await.expect(201).json();
    let path = format!("/v1/connections/{}", made["id"].as_str().unwrap());
    let problem = assert_problem(&bench.get(&format!("{path}/token?min_ttl=86400")).await, 409, "min_ttl_unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("1800"), "{problem}");
    bench.provider.json(401, &json!({"error": "invalid_client"}));
    let answer = bench.post(&format!("{path}/refresh"), &json!({})).await;
    let problem = assert_problem(&answer, 503, "app_held");
    assert!(problem["detail"].as_str().unwrap().contains("robot") && !answer.header("retry-after").is_empty());
}
