//! Every route that names something, asked by another environment: it answers as if there were no such thing.

use super::bench::{ACME, Bench, Operation, assert_problem, operations};
use mortise_domain::ApiScope;
use mortise_testkit::Answer;
use serde_json::{Value, json};

/// What of `dev` an operation is asked for, and what would do where there is nothing of the kind.
struct Named {
    id: String,
    nobody: &'static str,
}

async fn named(bench: &Bench) -> Vec<(&'static str, Named)> {
    let connection = bench.connected().await;
    let session = bench.post("/v1/connect-sessions", &json!({"customer": "c1"})).await.expect(201).json();
    let key = bench.post("/v1/api-keys", &json!({"name": "k", "scopes": ["tokens:read"]})).await.expect(201).json();
    // Of somebody else, so that the hold changes nothing of the rest.
    bench.put("/v1/customers/held", &json!({})).await.expect(201);
    let hold = json!({"scope": "customer", "id": "held", "reason": "a test"});
    let hold = bench.post("/v1/holds", &hold).await.expect(201).json();
    // To a version that the others do not mind.
    let second = ACME.replace("name: Acme", "name: Acme again");
    bench.manifest(reqwest::Method::PUT, "/v1/connectors/acme", &second).await.expect(200);
    let moving = bench.post("/v1/moves", &json!({"app": "acme"})).await.expect(201).json();
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    vec![
        ("connections", Named { id: connection, nobody: "con_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e" }),
        ("connect-sessions", Named { id: id(&session), nobody: "cs_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e" }),
        ("api-keys", Named { id: id(&key), nobody: "key_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e" }),
        ("holds", Named { id: id(&hold), nobody: "hold_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e" }),
        ("moves", Named { id: id(&moving), nobody: "mov_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e" }),
        ("customers", Named { id: "c1".into(), nobody: "nobody" }),
        ("apps", Named { id: "acme".into(), nobody: "nobody" }),
        ("connectors", Named { id: "acme".into(), nobody: "nobody" }),
    ]
}

/// A body that the operation would take.
fn body(operation: &Operation, id: &str) -> Option<Value> {
    Some(match operation.id() {
        "update_connection" => json!({"metadata": {}}),
        "complete_connect_session" => json!({"code": "code", "customer": "c1"}),
        "update_app" => json!({"connector": "acme", "client_id": "other", "client_secret": "secret"}),
        "update_connector" => {
            let manifest = ACME.replace("id: acme", &format!("id: {id}"));
            Value::String(manifest)
        }
        "refresh_connection" => json!({}),
        "retire_connector_version" => json!({"version": 1}),
        _ if operation.value["requestBody"].is_null() => return None,
        unknown => panic!("`{unknown}` names something: say what body it takes"),
    })
}

async fn ask(bench: &Bench, key: &str, operation: &Operation, id: &str) -> Answer {
    let request = bench.bare(operation.method.clone(), &operation.path.replace("{id}", id)).bearer_auth(key);
    let request = match body(operation, id) {
        None => request,
        Some(Value::String(yaml)) => request.header("content-type", "application/yaml").body(yaml),
        Some(body) => request.json(&body),
    };
    bench.send(request).await
}

/// What differs from request to request.
fn steady(answer: &Answer) -> Value {
    let mut problem = assert_problem(answer, 404, "not_found");
    problem.as_object_mut().unwrap().remove("request_id");
    problem
}

#[actix_web::test]
async fn the_things_of_another_environment_are_not_there() {
    let bench = Bench::registered().await;
    let (things, stranger) = (named(&bench).await, bench.key_in("prod", ApiScope::ALL).await);
    let mut asked = 0;
    for operation in operations() {
        // Bundled manifests and documents about clients are everybody's, and putting a customer makes one of one's own.
        let everybodys = ["get_catalog_entry", "get_client_document", "put_customer"];
        if !operation.path.contains("{id}") || everybodys.contains(&operation.id()) {
            continue;
        }
        let kind = operation.path.split('/').nth(2).unwrap();
        let Some((_, named)) = things.iter().find(|(known, _)| *known == kind) else {
            panic!("nothing of the kind `{kind}` is asked for");
        };
        let theirs = ask(&bench, &stranger, &operation, &named.id).await;
        let nobodys = ask(&bench, &bench.key, &operation, named.nobody).await;
        assert_eq!(steady(&theirs), steady(&nobodys), "{}", operation.id());
        asked += 1;
    }
    assert!(asked >= 14, "only {asked} operations were asked");
    for list in ["connections", "customers", "apps", "connectors"] {
        let request = bench.bare(reqwest::Method::GET, &format!("/v1/{list}")).bearer_auth(&stranger);
        assert_eq!(bench.send(request).await.expect(200).json()["items"], json!([]), "{list}");
    }
    for (list, count) in
        [("connections", 1), ("customers", 2), ("apps", 1), ("connectors", 1), ("holds", 1), ("moves", 1)]
    {
        let left = bench.get(&format!("/v1/{list}")).await.expect(200).json();
        assert_eq!(left["items"].as_array().unwrap().len(), count, "{list} was touched: {left}");
        assert!(left["items"].as_array().unwrap().iter().all(|item| item["lifted_at"].is_null()), "{left}");
    }
}

#[actix_web::test]
async fn natural_keys_do_not_reach_across() {
    let bench = Bench::registered().await;
    let connection = bench.connected().await;
    let stranger = bench.key_in("prod", ApiScope::ALL).await;
    let ask = |path: &str| bench.bare(reqwest::Method::GET, path).bearer_auth(&stranger);
    assert_problem(&bench.send(ask("/v1/token?customer=c1&app=acme")).await, 404, "not_found");
    let batch = json!({"tokens": [{"connection": connection}, {"customer": "c1", "app": "acme"}]});
    let request = bench.bare(reqwest::Method::POST, "/v1/tokens").bearer_auth(&stranger).json(&batch);
    let items = bench.send(request).await.expect(200).json()["items"].clone();
    assert!(items.as_array().unwrap().iter().all(|item| item["problem"]["code"] == "not_found"), "{items}");
    let mine =
        bench.bare(reqwest::Method::PUT, "/v1/customers/c1").bearer_auth(&stranger).json(&json!({"name": "Bob"}));
    assert_eq!(bench.send(mine).await.status, 201);
    assert_eq!(bench.get("/v1/customers/c1").await.json()["name"], "Ann");
}
