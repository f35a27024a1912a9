//! Connectors: manifests in either syntax, versions, and every violation with its place.

use super::bench::{ACME, Bench, assert_problem};
use reqwest::Method;
use serde_json::{Value, json};

fn acme() -> Value {
    json!({
        "id": "acme", "name": "Acme",
        "auth": {
            "type": "oauth2", "grant": "authorization_code", "authorization_url": "https://acme.example/authorize",
            "token_url": "https://acme.example/token", "revocation_url": "https://acme.example/revoke",
        },
    })
}

#[actix_web::test]
async fn yaml_and_json_are_the_same_connector() {
    let bench = Bench::new().await;
    let first = bench.manifest(Method::POST, "/v1/connectors", ACME).await.expect(201).json();
    assert_eq!(first["version"], 1);
    let same = bench.put("/v1/connectors/acme", &acme()).await.expect(200).json();
    assert_eq!(same, first, "an unchanged manifest is no new version");
    let taken = assert_problem(&bench.post("/v1/connectors", &acme()).await, 409, "already_exists");
    let way_out = "This connector exists already: `PUT /v1/connectors/{id}` registers a new version of it.";
    assert_eq!(taken["detail"], way_out);

    let mut changed = acme();
    changed["name"] = json!("Acme Two");
    let second = bench.put("/v1/connectors/acme", &changed).await.expect(200).json();
    assert_eq!((&second["version"], &second["manifest"]["name"]), (&json!(2), &json!("Acme Two")));
    assert_eq!(bench.get("/v1/connectors/acme").await.expect(200).json(), second);
    assert_eq!(bench.get("/v1/connectors/acme?version=1").await.expect(200).json(), first);
    assert_problem(&bench.get("/v1/connectors/acme?version=3").await, 404, "not_found");
    assert_eq!(bench.get("/v1/connectors").await.json()["items"], json!([second]));

    let problem = assert_problem(&bench.put("/v1/connectors/other", &acme()).await, 422, "invalid_request");
    assert_eq!(problem["errors"][0]["pointer"], "/id");
    bench.delete("/v1/connectors/acme").await.expect(204);
    assert_problem(&bench.get("/v1/connectors/acme").await, 404, "not_found");
}

#[actix_web::test]
async fn violations_have_line_and_column() {
    let bench = Bench::new().await;
    let broken = ACME.replace("  grant: authorization_code", "  grant: by_magic\n  scopez: {}");
    let answer = bench.manifest(Method::POST, "/v1/connectors", &broken).await;
    let problem = assert_problem(&answer, 422, "invalid_manifest");
    let errors = problem["errors"].as_array().unwrap();
    let at = |line: u64| errors.iter().any(|e| e["line"] == line && e["column"].is_u64() && e["code"].is_string());
    assert!(at(5) && at(6), "{problem}");
    assert!(errors.iter().all(|error| error["severity"] == "error"), "{problem}");

    let checked = bench.manifest(Method::POST, "/v1/connectors/validate", &broken).await.expect(200).json();
    assert_eq!(checked["valid"], false);
    let places = |value: &Value, pointer: &str| {
        let all = value.as_array().unwrap().iter().map(|e| format!("{}{}{}", e[pointer], e["line"], e["column"]));
        all.collect::<Vec<_>>()
    };
    assert_eq!(places(&checked["diagnostics"], "path"), places(&problem["errors"], "pointer"));
    let fine = bench.manifest(Method::POST, "/v1/connectors/validate", ACME).await.expect(200).json();
    assert_eq!(fine["valid"], true, "{fine}");
    let bad_syntax = bench.manifest(Method::POST, "/v1/connectors", "id: [acme\nname: x").await;
    assert!(assert_problem(&bad_syntax, 422, "invalid_manifest")["errors"][0]["line"].is_u64());
    let request = bench.request(Method::POST, "/v1/connectors").header("content-type", "application/json");
    assert_problem(&bench.send(request.body("{\"id\": ")).await, 422, "invalid_manifest");
    assert_eq!(bench.get("/v1/connectors").await.json()["items"], json!([]));
}

#[actix_web::test]
async fn a_connector_may_be_called_as_a_path_is() {
    let bench = Bench::new().await;
    let manifest = ACME.replace("id: acme", "id: validate");
    bench.manifest(Method::POST, "/v1/connectors", &manifest).await.expect(201);
    let found = bench.get("/v1/connectors/validate").await.expect(200).json();
    assert_eq!(found["id"], "validate");
    let checked = bench.manifest(Method::POST, "/v1/connectors/validate", &manifest).await.expect(200).json();
    assert_eq!(checked["valid"], true);
    bench.manifest(Method::PUT, "/v1/connectors/validate", &manifest).await.expect(200);
    bench.delete("/v1/connectors/validate").await.expect(204);
    let answer = bench.send(bench.request(Method::PATCH, "/v1/connectors/validate")).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, PUT, DELETE"));
}

#[actix_web::test]
async fn a_provider_on_a_closed_network_is_refused_at_registration() {
    let bench = Bench::new().await;
    let inside = ACME.replace("https://acme.example/token", "http://127.0.0.1:9/token");
    let problem =
        assert_problem(&bench.manifest(Method::POST, "/v1/connectors", &inside).await, 422, "invalid_manifest");
    let error = &problem["errors"][0];
    assert_eq!((&error["code"], &error["pointer"]), (&json!("egress_refused"), &json!("/auth/token_url")), "{problem}");
}

#[actix_web::test]
async fn what_is_in_use_stays() {
    let bench = Bench::registered().await;
    assert_problem(&bench.delete("/v1/connectors/acme").await, 409, "in_use");
    let connection = bench.connected().await;
    assert_problem(&bench.delete("/v1/apps/acme").await, 409, "in_use");
    // Both of its tokens are revoked at the provider.
    bench.provider.json(200, &json!({})).json(200, &json!({}));
    bench.delete(&format!("/v1/connections/{connection}")).await.expect(204);
    bench.delete("/v1/apps/acme").await.expect(204);
    bench.delete("/v1/connectors/acme").await.expect(204);
}

#[actix_web::test]
async fn the_catalogue_can_be_registered_from() {
    let bench = Bench::new().await;
    let listed = bench.get("/v1/catalog").await.expect(200).json();
    let entries = listed["items"].as_array().unwrap();
    let shown = |id: &str| entries.iter().find(|entry| entry["id"] == id).unwrap().clone();
    let github = json!({"id": "github", "name": "GitHub", "mode": "authorization_code", "categories": []});
    assert_eq!(shown("github"), github);
    assert_eq!(
        (&shown("fitbit")["confidence"], &shown("fitbit")["categories"]),
        (&json!("agreed"), &json!(["sports"]))
    );
    // There are hundreds: the others are checked where the manifests are.
    for entry in entries.iter().step_by(25) {
        let id = entry["id"].as_str().unwrap();
        let found = bench.get(&format!("/v1/catalog/{id}")).await.expect(200).json();
        let manifest = found["manifest"].as_str().unwrap();
        assert!(manifest.contains(&format!("id: {id}\n")) || manifest.contains(&format!("id: \"{id}\"\n")), "{found}");
        let made = bench.post("/v1/connectors", &json!({"catalog": id})).await.expect(201).json();
        assert_eq!((&made["id"], &made["version"]), (&entry["id"], &json!(1)));
    }
    assert_problem(&bench.get("/v1/catalog/no-such-entry").await, 404, "not_found");
}
