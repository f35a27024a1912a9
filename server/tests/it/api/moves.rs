//! Moves and versions on the wire: what is answered, what is refused, and with which code.

use super::bench::{ACME, Bench, assert_problem};
use reqwest::Method;
use serde_json::{Value, json};

/// A connector of two versions, and an app with a connection at the first.
async fn bench() -> Bench {
    let bench = Bench::registered().await;
    bench.connected().await;
    let second = ACME.replace("name: Acme", "name: Acme again");
    bench.manifest(Method::PUT, "/v1/connectors/acme", &second).await.expect(200);
    bench
}

#[actix_web::test]
async fn a_move_is_begun_paused_and_taken_back() {
    let bench = bench().await;
    let begun = bench.post("/v1/moves", &json!({"app": "acme", "canary_percent": 50})).await.expect(201).json();
    for (member, expected) in [
        ("app", json!("acme")),
        ("connector", json!("acme")),
        ("from_version", json!(1)),
        ("to_version", json!(2)),
        ("state", json!("running")),
        ("stage", json!("canary")),
        ("reason", Value::Null),
        ("canary_percent", json!(50)),
        ("canary_size", json!(1)),
        ("tolerance_percent", json!(5)),
        ("finished_at", Value::Null),
    ] {
        assert_eq!(begun[member], expected, "{member}: {begun}");
    }
    assert_eq!(begun["connections"]["remaining"], 1, "{begun}");
    assert_problem(&bench.post("/v1/moves", &json!({"app": "acme"})).await, 409, "in_use");
    let path = format!("/v1/moves/{}", begun["id"].as_str().unwrap());
    let tell = async |what: &str| bench.send(bench.request(Method::POST, &format!("{path}/{what}"))).await;
    let paused = tell("pause").await.expect(200).json();
    assert_eq!((&paused["state"], &paused["reason"]), (&json!("paused"), &json!("requested")));
    assert_eq!(tell("resume").await.expect(200).json()["state"], "running");
    assert_eq!(tell("roll-back").await.expect(200).json()["state"], "rolling_back");
    assert_problem(&tell("resume").await, 409, "in_use");
    bench.broker.move_connections().await.unwrap();
    let ended = bench.get(&path).await.expect(200).json();
    assert_eq!(ended["state"], "rolled_back");
    assert!(ended["finished_at"].is_string(), "{ended}");
    assert_problem(&tell("roll-back").await, 409, "in_use");
    for (query, count) in [("", 1), ("?app=acme", 1), ("?app=nobody", 0)] {
        let listed = bench.get(&format!("/v1/moves{query}")).await.expect(200).json();
        assert_eq!(listed["items"].as_array().unwrap().len(), count, "{query}");
    }
    let problem = assert_problem(&bench.post("/v1/moves", &json!({"app": "nobody"})).await, 422, "invalid_request");
    assert_eq!(problem["errors"][0]["pointer"], "/app", "{problem}");
}

#[actix_web::test]
async fn versions_are_listed_and_end() {
    let bench = bench().await;
    let uses = async || {
        let listed = bench.get("/v1/connectors/acme/versions").await.expect(200).json();
        let use_of = |item: &Value| format!("{} {} {}", item["version"], item["apps"], item["connections"]);
        listed["items"].as_array().unwrap().iter().map(use_of).collect::<Vec<_>>()
    };
    assert_eq!(uses().await, ["2 0 0", "1 1 1"]);
    let retire = async |version: i32| bench.post("/v1/connectors/acme/retire", &json!({"version": version})).await;
    let problem = assert_problem(&retire(1).await, 409, "in_use");
    assert!(problem["detail"].as_str().unwrap().contains("/v1/moves"), "{problem}");
    assert_problem(&retire(7).await, 404, "not_found");
    let retired = retire(2).await.expect(200).json();
    assert!(retired["retired_at"].is_string(), "{retired}");
    assert_eq!(retire(2).await.expect(200).json(), retired);

    let app = json!({"connector": "acme", "connector_version": 2, "client_id": "client"});
    let problem = assert_problem(&bench.put("/v1/apps/acme", &app).await, 422, "invalid_request");
    assert_eq!(problem["errors"][0]["pointer"], "/connector_version", "{problem}");
    let problem = assert_problem(
        &bench.post("/v1/moves", &json!({"app": "acme", "to_version": 2})).await,
        422,
        "invalid_request",
    );
    assert_eq!(problem["errors"][0]["pointer"], "/to_version", "{problem}");
    let new = json!({"id": "second", "connector": "acme", "client_id": "client", "client_secret": "s"});
    assert_eq!(
        bench.post("/v1/apps", &new).await.expect(201).json()["connector_version"],
        1,
        "the newest that is not retired"
    );
}
