//! E05 and E08: what is refused as a manifest is uploaded, with the place of the fault.

use crate::api::bench::{Bench, assert_problem};
use reqwest::Method;
use serde_json::{Value, json};

fn with_token_url(url: &str) -> Value {
    json!({
        "id": "acme", "name": "Acme",
        "auth": {"type": "oauth2", "grant": "client_credentials", "token_url": url},
        "variables": {"shop": {"type": "host_label", "title": "Shop"}},
    })
}

#[actix_web::test]
async fn e05_urls_that_lead_astray_are_refused_with_the_member_that_holds_them() {
    let bench = Bench::new().await;
    for url in [
        "https://user@acme.example/token",
        "https://user:secret@acme.example/token",
        "https://@acme.example/token",
        "https://acme.example@evil.example/token",
        "https://acme.example/token#part",
        "https://acme.example/#",
        "https://127.0.0.1/token",
        "https://127.1/token",
        "https://2130706433/token",
        "https://0x7f000001/token",
        "https://0177.0.0.1/token",
        "https://[::1]/token",
        "https://[::ffff:169.254.169.254]/token",
        "https://93.184.216.34/token",
        "http://acme.example/token",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:9/token",
        "http://localhost/token",
        "http://10.0.0.5/token",
        "http://[fd00::1]/token",
        "ftp://acme.example/token",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/plain,x",
        "//acme.example/token",
        "/token",
        "https:///token",
        "https://acme.example:99999/token",
        "https://acme.example./token",
        "https://acme.example\\evil.example/token",
        "https://{shop}/token",
        "https://{shop}.example/token",
        "https://evil.example:{shop}/token",
        "https://{shop}@acme.example/token",
    ] {
        let problem =
            assert_problem(&bench.post("/v1/connectors", &with_token_url(url)).await, 422, "invalid_manifest");
        let pointers: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
        assert!(pointers.contains(&&json!("/auth/token_url")), "{url}: {problem}");
    }
    assert_eq!(bench.get("/v1/connectors").await.expect(200).json()["items"], json!([]));
    bench.post("/v1/connectors", &with_token_url("https://{shop}.acme.example:8443/token")).await.expect(201);
}

#[actix_web::test]
async fn e08_a_manifest_that_is_too_long_too_deep_or_unknown_is_refused() {
    let bench = Bench::new().await;
    let fine = with_token_url("https://{shop}.acme.example/token").to_string();
    let long = format!("# {}\n{fine}", "x".repeat(1024 * 1024));
    let answer = bench.manifest(Method::POST, "/v1/connectors", &long).await;
    assert!([413, 422].contains(&answer.status), "{answer:?}");
    let just_too_long = format!("{fine}{}", " ".repeat(256 * 1024));
    let deep =
        fine.replace("\"variables\":{", &format!("\"x\":{}{},\"variables\":{{", "[".repeat(5000), "]".repeat(5000)));
    let anchors = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n";
    let unknown = fine.replace("\"name\":", "\"script\":\"rm -rf /\",\"name\":");
    for text in [&just_too_long, &deep, anchors, &unknown] {
        let answer = bench.manifest(Method::POST, "/v1/connectors", text).await;
        assert_problem(&answer, 422, "invalid_manifest");
    }
    bench.manifest(Method::POST, "/v1/connectors", &fine).await.expect(201);
}

/// A pattern that costs a backtracking reader 2 to the power of the text's length, given a text that does not fit.
#[actix_web::test]
async fn e08_a_catastrophic_pattern_costs_no_more_than_any_other() {
    let bench = Bench::new().await;
    let manifest = json!({
        "id": "vault", "name": "Vault",
        "auth": {
            "type": "api_key",
            "credentials": {"key": {"type": "secret", "title": "Key", "pattern": "^(([a-z])+.)+[A-Z]([a-z])+$"}},
        },
        "api": {"base_url": "https://vault.example", "headers": {"authorization": "Key {key}"}},
    });
    bench.post("/v1/connectors", &manifest).await.expect(201);
    bench.post("/v1/apps", &json!({"id": "vault", "connector": "vault"})).await.expect(201);
    bench.put("/v1/customers/c1", &json!({})).await;
    let body = json!({"customer": "c1", "app": "vault", "credentials": {"key": "a".repeat(4000)}});
    assert_problem(&bench.post("/v1/connections", &body).await, 422, "invalid_request");
    let bomb = "(a{1000}){1000}";
    let mut larger = manifest;
    larger["auth"]["credentials"]["key"]["pattern"] = json!(bomb);
    assert_problem(&bench.put("/v1/connectors/vault", &larger).await, 422, "invalid_manifest");
}
