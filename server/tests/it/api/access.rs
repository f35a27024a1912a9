//! Every route of the document without a key, with bad ones, and with a key that may do everything else.

use super::bench::{Bench, assert_problem, operations};
use mortise_domain::ApiScope;
use reqwest::Method;
use reqwest::header::AUTHORIZATION;

fn path(template: &str) -> String {
    template.replace("{id}", "con_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e")
}

#[actix_web::test]
async fn no_route_but_the_listed_ones_answers_without_a_key() {
    let bench = Bench::new().await;
    let mut open = Vec::new();
    for operation in operations() {
        // A body that could not be read: who has no key does not learn that.
        let request =
            bench.bare(operation.method.clone(), &path(&operation.path)).body("{").header("content-type", "x/y");
        let answer = bench.send(request).await;
        // Who asks an open route for nothing that exists is told so.
        if answer.status == 200 || operation.scope().is_none() && answer.status == 404 {
            open.push(operation.path);
            continue;
        }
        assert_problem(&answer, 401, "unauthorized");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"mortise\"");
    }
    open.sort();
    assert_eq!(open, ["/healthz", "/metrics", "/oauth/clients/{id}", "/readyz"]);
}

#[actix_web::test]
async fn no_route_forgoes_its_scope() {
    let bench = Bench::new().await;
    for operation in operations() {
        let Some(scope) = operation.scope() else { continue };
        let others: Vec<_> = ApiScope::ALL.iter().copied().filter(|other| *other != scope).collect();
        let key = bench.key_in("dev", &others).await;
        let request = bench.bare(operation.method.clone(), &path(&operation.path)).bearer_auth(key);
        let answer = bench.send(request).await;
        let problem = assert_problem(&answer, 403, "forbidden_scope");
        assert!(problem["detail"].as_str().unwrap().contains(scope.as_str()), "{problem}");
        let challenge = format!("Bearer realm=\"mortise\", error=\"insufficient_scope\", scope=\"{scope}\"");
        assert_eq!(answer.header("www-authenticate"), challenge);
    }
}

#[actix_web::test]
async fn every_scope_opens_something() {
    let used: Vec<_> = operations().iter().filter_map(|operation| operation.scope()).collect();
    let idle: Vec<_> = ApiScope::ALL.iter().filter(|scope| !used.contains(scope)).collect();
    assert!(idle.is_empty(), "{idle:?}");
}

#[actix_web::test]
async fn only_one_bearer_key_in_the_header_counts() {
    let bench = Bench::new().await;
    let key = &bench.key;
    for value in
        ["", "Bearer", "Basic dXNlcjpwYXNz", key, "Bearer ", &format!("Token {key}"), &format!("Bearer, {key}")]
    {
        let request = bench.bare(Method::GET, "/v1/customers").header(AUTHORIZATION, value);
        assert_problem(&bench.send(request).await, 401, "unauthorized");
    }
    let (head, last) = key.split_at(key.len() - 1);
    let mistyped = format!("{head}{}", if last == "A" { "B" } else { "A" });
    let answer = bench.send(bench.bare(Method::GET, "/v1/customers").bearer_auth(mistyped)).await;
    assert_problem(&answer, 401, "unauthorized");
    assert!(answer.header("www-authenticate").contains("invalid_token"));
    let twice = bench.request(Method::GET, "/v1/customers").header(AUTHORIZATION, format!("Bearer {key}"));
    assert_problem(&bench.send(twice).await, 401, "unauthorized");
    for query in [format!("access_token={key}"), format!("api_key={key}"), format!("key={key}")] {
        let answer = bench.send(bench.bare(Method::GET, &format!("/v1/customers?{query}"))).await;
        assert_problem(&answer, 401, "unauthorized");
        assert!(!answer.body.contains(key.as_str()));
    }
    let body = bench.bare(Method::POST, "/v1/tokens").form(&[("access_token", key)]);
    assert_problem(&bench.send(body).await, 401, "unauthorized");
    let lower = bench.bare(Method::GET, "/v1/customers").header(AUTHORIZATION, format!("bearer {key}"));
    assert_eq!(bench.send(lower).await.status, 200, "the scheme's case does not matter (RFC 9110 section 11.1)");
}

#[actix_web::test]
async fn a_deleted_key_stops_at_once() {
    let bench = Bench::new().await;
    let body = serde_json::json!({"name": "short-lived", "scopes": ["customers:read"]});
    let made = bench.post("/v1/api-keys", &body).await.expect(201).json();
    let with = |key: &str| bench.bare(Method::GET, "/v1/customers").bearer_auth(key);
    let key = made["key"].as_str().unwrap();
    assert_eq!(bench.send(with(key)).await.status, 200);
    bench.delete(&format!("/v1/api-keys/{}", made["id"].as_str().unwrap())).await.expect(204);
    assert_problem(&bench.send(with(key)).await, 401, "unauthorized");
}
