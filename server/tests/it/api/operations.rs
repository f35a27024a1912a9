//! What whoever runs the service looks at: health, metrics, documentation.

use super::bench::{Bench, DOCUMENT, PUBLIC, assert_problem};
use mortise_server::Code;
use mortise_testkit::workspace_root;
use reqwest::Method;
use serde_json::{Value, json};

#[actix_web::test]
async fn a_stopping_service_is_alive_and_not_ready() {
    let bench = Bench::new().await;
    let ask = |path: &'static str| bench.send(bench.bare(Method::GET, path));
    for path in ["/healthz", "/readyz", "/healthz?from=monitor"] {
        assert_eq!(ask(path).await.expect(200).json(), json!({"status": "ok"}));
    }
    bench.broker.begin_drain();
    assert_eq!(ask("/healthz").await.status, 200);
    let answer = ask("/readyz").await;
    assert_problem(&answer, 503, "unavailable");
    assert!(!answer.header("retry-after").is_empty());
}

#[actix_web::test]
async fn requests_are_counted_by_route_and_not_by_address() {
    let bench = Bench::registered().await;
    let id = bench.connected().await;
    bench.get(&format!("/v1/connections/{id}/token")).await.expect(200);
    bench.get("/v1/connections/con_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e/token").await.expect(404);
    let text = bench.send(bench.bare(Method::GET, "/metrics")).await.expect(200);
    assert!(text.header("content-type").starts_with("text/plain"));
    let route = "route=\"/v1/connections/{id}/token\",method=\"GET\"";
    for status in ["2xx", "4xx"] {
        let line = format!("mortise_http_requests_total{{{route},status=\"{status}\"}} ");
        let count =
            text.body.lines().find_map(|found| found.strip_prefix(&line)).unwrap_or_else(|| panic!("{line}: {text:?}"));
        assert!(count.parse::<u64>().unwrap() >= 1);
    }
    assert!(text.body.contains("mortise_http_request_duration_seconds"));
    assert!(!text.body.contains(&id));
}

#[actix_web::test]
async fn the_document_that_is_served_is_the_documents_own() {
    let bench = Bench::new().await;
    let served = bench.send(bench.bare(Method::GET, "/openapi.json")).await.expect(200);
    assert_eq!(served.json(), *DOCUMENT);
    assert_eq!(served.json()["openapi"], "3.1.0");
}

#[actix_web::test]
async fn the_pages_of_the_documentation_load_nothing_from_elsewhere() {
    let bench = Bench::new().await;
    let get = |path: &str| bench.send(bench.bare(Method::GET, path));
    let to_page = get("/docs").await;
    assert_eq!((to_page.status, to_page.header("location")), (303, "/docs/"));
    let page = get("/docs/").await.expect(200);
    assert!(page.header("content-security-policy").starts_with("default-src 'self'"));
    assert!(!page.body.contains("http://") && !page.body.contains("https://"), "{}", page.body);
    let references: Vec<_> = page.body.split(['"', '\'']).filter(|text| text.starts_with("./")).collect();
    assert!(references.len() >= 3, "{references:?}");
    for reference in references {
        let file = get(&format!("/docs/{}", &reference[2..])).await.expect(200);
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        if reference.ends_with("initializer.js") {
            assert!(file.body.contains("/openapi.json"), "{}", file.body);
        }
    }
    assert_problem(&get("/docs/no-such-file").await, 404, "not_found");
}

#[actix_web::test]
async fn every_code_is_documented_where_its_type_leads() {
    let bench = Bench::new().await;
    let page = bench.send(bench.bare(Method::GET, "/docs/errors")).await.expect(200).body;
    let written = std::fs::read_to_string(workspace_root().join("docs/errors.md")).unwrap();
    for code in Code::ALL {
        assert!(page.contains(&format!("id=\"{}\"", code.as_str())), "{code:?}");
        assert!(written.contains(&format!("\n## {}\n", code.as_str())), "{code:?}");
    }
    let listed: Vec<&Value> = DOCUMENT["paths"].as_object().unwrap().values().flat_map(codes).collect();
    let known = |word: &Value| Code::ALL.iter().any(|code| *word == code.as_str());
    assert!(listed.len() > 100 && listed.iter().all(|word| known(word)));
    // Some problems belong to no operation: they come before one is found.
    let everywhere = [Code::MethodNotAllowed, Code::UriTooLong, Code::HeadersTooLarge];
    let silent: Vec<_> = Code::ALL.iter().filter(|code| !listed.iter().any(|word| **word == code.as_str())).collect();
    assert!(silent.iter().all(|code| everywhere.contains(code)), "{silent:?} are never announced");
    assert!(PUBLIC.starts_with("https"));
}

fn codes(item: &Value) -> Vec<&Value> {
    let operations = item.as_object().unwrap().values();
    operations.flat_map(|operation| operation["x-problem-codes"].as_array().unwrap()).collect()
}
