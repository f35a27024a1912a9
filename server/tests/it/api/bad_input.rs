//! What does not fit, and what is said about it.

use super::bench::{ACME, Bench, assert_problem};
use reqwest::Method;
use serde_json::{Value, json};

/// `(pointer, part of the detail)` of the first fault.
type Fault = (&'static str, &'static str);

#[actix_web::test]
async fn members_that_do_not_fit_are_named() {
    let bench = Bench::registered().await;
    let cases: &[(&str, &str, Value, Fault)] = &[
        (
            "POST",
            "/v1/apps",
            json!({"id": "a", "connector": "acme", "client_id": "c", "scope": []}),
            ("/scope", "unknown field `scope`"),
        ),
        ("POST", "/v1/apps", json!({"id": "a", "connector": "acme"}), ("/client_id", "missing")),
        ("POST", "/v1/apps", json!({"id": "A!", "connector": "acme", "client_id": "c"}), ("/id", "a-z")),
        (
            "POST",
            "/v1/apps",
            json!({"id": "a", "connector": "acme", "client_id": 7}),
            ("/client_id", "expected a string"),
        ),
        (
            "POST",
            "/v1/apps",
            json!({"id": "a", "connector": "acme", "client_id": "c", "settings": {"return_url": "x"}}),
            ("/settings/return_url", "unknown field"),
        ),
        (
            "POST",
            "/v1/apps",
            json!({"id": "a", "connector": "acme", "client_id": "c", "settings": {"return_urls": [1]}}),
            ("/settings/return_urls/0", "expected a string"),
        ),
        ("POST", "/v1/apps", json!({"id": "a", "connector": "nope", "client_id": "c"}), ("/connector", "no connector")),
        (
            "PUT",
            "/v1/apps/acme",
            json!({"id": "acme", "connector": "acme", "client_id": "c"}),
            ("/id", "unknown field"),
        ),
        ("PUT", "/v1/customers/c2", json!({"nmae": "x"}), ("/nmae", "unknown field")),
        (
            "POST",
            "/v1/holds",
            json!({"scope": "world", "id": "x", "reason": "y"}),
            ("/scope", "`environment`, `connector`"),
        ),
        ("POST", "/v1/holds", json!({"scope": "app", "id": "nope", "reason": "y"}), ("/id", "no such thing")),
        ("POST", "/v1/holds", json!({"scope": "app", "id": "A!", "reason": "y"}), ("/id", "a-z")),
        ("POST", "/v1/holds", json!({"scope": "connection", "id": "acme", "reason": "y"}), ("/id", "con_")),
        ("POST", "/v1/holds", json!({"scope": "environment", "id": "prod", "reason": "y"}), ("/id", "no such thing")),
        ("POST", "/v1/holds", json!({"scope": "app", "id": "acme", "reason": " "}), ("/reason", "1 to 255")),
        ("POST", "/v1/moves", json!({"app": "acme", "to": 2}), ("/to", "unknown field")),
        ("POST", "/v1/moves", json!({"app": "acme", "canary_percent": 0}), ("/canary_percent", "1 to 100")),
        ("POST", "/v1/moves", json!({"app": "acme", "to_version": 7}), ("/to_version", "no such version")),
        ("POST", "/v1/moves", json!({"app": "acme"}), ("/to_version", "already")),
        ("POST", "/v1/connectors/acme/retire", json!({"version": "1"}), ("/version", "i32")),
        ("PUT", "/v1/customers/c2", json!({"metadata": []}), ("/metadata", "expected a map")),
        ("PUT", "/v1/customers/c2", json!({"metadata": {"x": "y".repeat(20_000)}}), ("/metadata", "16 KiB")),
        ("POST", "/v1/connect-sessions", json!({"customer": "c1", "settings": {}}), ("/settings", "unknown field")),
        ("POST", "/v1/connect-sessions", json!({"customer": "c1", "expires_in": 10}), ("/expires_in", "60 to 1800")),
        ("POST", "/v1/connect-sessions", json!({"customer": "c1", "expires_in": -1}), ("/expires_in", "u64")),
        ("POST", "/v1/connect-sessions", json!({"customer": "c1", "apps": ["nope"]}), ("/apps/0", "no app")),
        ("POST", "/v1/connect-sessions", json!({"customer": "c1", "connection": "con_1"}), ("/connection", "con_")),
        (
            "POST",
            "/v1/connect-sessions",
            json!({"customer": "c1", "return_url": "https://evil.example"}),
            ("/return_url", "return_urls"),
        ),
        (
            "POST",
            "/v1/connections",
            json!({"customer": "c1", "app": "acme", "credentials": {}}),
            ("/credentials/access_token", "missing"),
        ),
        (
            "POST",
            "/v1/connections",
            json!({"customer": "c1", "app": "acme", "credentials": {"access_token": "t", "expires_at": "tomorrow"}}),
            ("/credentials/expires_at", "input"),
        ),
        ("POST", "/v1/api-keys", json!({"name": "k", "scopes": ["everything"]}), ("/scopes/0", "expected one of")),
        ("POST", "/v1/api-keys", json!({"name": "k", "scopes": []}), ("/scopes", "at least one")),
        ("POST", "/v1/api-keys", json!({"name": "", "scopes": ["tokens:read"]}), ("/name", "1 to 100")),
        ("POST", "/v1/environments", json!({"name": "Two Words"}), ("/name", "a-z")),
        ("PATCH", "/v1/environment", json!({"finisher_check": "maybe"}), ("/finisher_check", "`required` or `off`")),
        ("POST", "/v1/tokens", json!({"tokens": []}), ("/tokens", "1 to 100")),
        ("POST", "/v1/tokens", json!({"tokens": [{"min_ttl": "60"}]}), ("/tokens/0/min_ttl", "expected u32")),
        ("POST", "/v1/tokens", json!([[]]), ("", "expected an object")),
        ("POST", "/v1/tokens", json!({"tokens": [["con_1", null, null, null]]}), ("/tokens/0", "expected an object")),
        ("POST", "/v1/connectors", json!({"catalog": "nope"}), ("/catalog", "no catalogue entry")),
    ];
    for (method, path, body, (pointer, words)) in cases {
        let answer = bench.send(bench.request(method.parse().unwrap(), path).json(body)).await;
        let problem = assert_problem(&answer, 422, "invalid_request");
        let first = &problem["errors"][0];
        assert_eq!(first["pointer"], *pointer, "{method} {path} {body}: {problem}");
        assert!(first["detail"].as_str().unwrap().contains(words), "{method} {path} {body}: {problem}");
    }
}

#[actix_web::test]
async fn parameters_that_do_not_fit_are_named() {
    let bench = Bench::registered().await;
    let connection = bench.connected().await;
    let of_token = |query: &str| format!("/v1/connections/{connection}/token?{query}");
    let cases: &[(String, Fault)] = &[
        ("/v1/customers?limit=0".into(), ("/limit", "1 to 100")),
        ("/v1/customers?limit=101".into(), ("/limit", "1 to 100")),
        ("/v1/customers?limit=many".into(), ("/limit", "invalid digit")),
        ("/v1/customers?cursor=nonsense".into(), ("/cursor", "next_cursor")),
        ("/v1/customers?cursor=c00".into(), ("/cursor", "next_cursor")),
        ("/v1/customers?page=2".into(), ("/page", "unknown field")),
        ("/v1/customers?limit=1&limit=2".into(), ("/limit", "duplicate")),
        ("/v1/connections?state=asleep".into(), ("/state", "expected one of")),
        ("/v1/connections?app=A!".into(), ("/app", "a-z")),
        ("/v1/connectors/acme?version=new".into(), ("/version", "invalid digit")),
        ("/v1/token?customer=c1".into(), ("/app", "missing")),
        (of_token("min_ttl=-1"), ("/min_ttl", "invalid digit")),
        (of_token("min_ttl="), ("/min_ttl", "empty")),
        (of_token("min_ttl=99999999999"), ("/min_ttl", "too large")),
        (of_token("minTtl=1"), ("/minTtl", "unknown field")),
        ("/v1/environment?x=1".into(), ("/x", "unknown field")),
    ];
    for (path, (pointer, words)) in cases {
        let problem = assert_problem(&bench.get(path).await, 422, "invalid_request");
        let first = &problem["errors"][0];
        assert_eq!(first["pointer"], *pointer, "{path}: {problem}");
        assert!(first["detail"].as_str().unwrap().contains(words), "{path}: {problem}");
    }
}

#[actix_web::test]
async fn what_cannot_be_an_id_is_not_found_and_the_problem_says_why() {
    let bench = Bench::registered().await;
    for (path, words) in [
        ("/v1/connections/42", "con_"),
        ("/v1/connections/cs_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e", "con_"),
        ("/v1/connections/con_0192D5E8F3A17C0E9B1D2F3A4B5C6D7E", "con_"),
        ("/v1/connections/42/token", "con_"),
        ("/v1/connect-sessions/x", "cs_"),
        ("/v1/apps/UPPER", "a-z"),
        ("/v1/customers/%20", "white space"),
        ("/v1/customers/a%2Fb", "`/`"),
        ("/v1/customers/%FF", "UTF-8"),
        ("/v1/customers/a%00b", "control"),
    ] {
        let problem = assert_problem(&bench.get(path).await, 404, "not_found");
        assert_eq!(problem["errors"][0]["pointer"], "/id", "{path}: {problem}");
        assert!(problem["errors"][0]["detail"].as_str().unwrap().contains(words), "{path}: {problem}");
    }
    bench.put("/v1/customers/Kundin%20Gr%C3%B6%C3%9Fe%25", &json!({})).await.expect(201);
    let found = bench.get("/v1/customers/Kundin%20Gr%C3%B6%C3%9Fe%25").await.expect(200).json();
    assert_eq!(found["id"], "Kundin Größe%");
}

#[actix_web::test]
async fn bodies_that_cannot_be_read_say_where_reading_stopped() {
    let bench = Bench::new().await;
    let deep = format!("{{\"metadata\":{}1{}}}", "{\"a\":".repeat(200), "}".repeat(200));
    for (body, line, column) in [
        ("{\"name\": \"x\",\n \"metadata\": {", 2, Some(14)),
        ("{\"name\": }", 1, Some(10)),
        ("", 1, None),
        ("{} {}", 1, Some(4)),
        ("\u{feff}{}", 1, None),
        (deep.as_str(), 1, None),
    ] {
        let request = bench.request(Method::PUT, "/v1/customers/c1").header("content-type", "application/json");
        let problem = assert_problem(&bench.send(request.body(body.to_owned())).await, 400, "malformed_request");
        let error = &problem["errors"][0];
        assert_eq!(error["line"], line, "{problem}");
        assert!(column.is_none_or(|column| error["column"] == column), "{problem}");
    }
    let request = bench.request(Method::PUT, "/v1/customers/c1").header("content-type", "application/json");
    let latin = bench.send(request.body(b"{\"name\": \"Gr\xf6\xdfe\"}".to_vec())).await;
    assert_problem(&latin, 400, "malformed_request");
    let request = bench.request(Method::POST, "/v1/connectors").header("content-type", "application/yaml");
    assert_problem(&bench.send(request.body(b"id: \xff".to_vec())).await, 400, "malformed_request");
}

#[actix_web::test]
async fn what_was_sent_is_not_repeated() {
    let bench = Bench::registered().await;
    let canary = "canary-in-the-wrong-place";
    let connection = |credentials: Value| json!({"customer": "c1", "app": "acme", "credentials": credentials});
    for (path, body) in [
        ("/v1/connections", connection(json!(canary))),
        ("/v1/connections", connection(json!({"access_token": "a", "scopes": canary}))),
        ("/v1/connections", connection(json!({"access_token": "a", "expires_at": canary}))),
        ("/v1/apps", json!({"id": canary.to_uppercase(), "connector": "acme", "client_id": "c"})),
        ("/v1/apps", json!({"id": "a", "connector": "acme", "client_id": "c", "settings": canary})),
        ("/v1/api-keys", json!({"name": "n", "scopes": [canary]})),
        ("/v1/api-keys", json!({"name": "n", "scopes": canary})),
    ] {
        let answer = bench.post(path, &body).await;
        assert_problem(&answer, 422, "invalid_request");
        assert!(!answer.body.to_lowercase().contains(canary), "{answer:?}");
    }
}

#[actix_web::test]
async fn only_the_types_that_are_read_are_read() {
    let bench = Bench::new().await;
    for (kind, encoding) in [
        (None, None),
        (Some("text/plain"), None),
        (Some("application/x-www-form-urlencoded"), None),
        (Some("application/json"), Some("gzip")),
    ] {
        let mut request = bench.request(Method::PUT, "/v1/customers/c1").body("{}");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        if let Some(encoding) = encoding {
            request = request.header("content-encoding", encoding);
        }
        let problem = assert_problem(&bench.send(request).await, 415, "unsupported_media_type");
        assert!(problem["detail"].as_str().unwrap().contains("application/json"), "{problem}");
    }
    let request =
        bench.request(Method::PUT, "/v1/customers/c1").header("content-type", "Application/JSON; charset=utf-8");
    assert_eq!(bench.send(request.body("{}")).await.status, 201);
    let request = bench.request(Method::POST, "/v1/connectors").header("content-type", "text/yaml");
    assert_eq!(bench.send(request.body(ACME)).await.status, 201);
}
