//! Addresses, methods, sizes and header fields.

use super::bench::{Bench, assert_problem, operations};
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::time::Duration;

#[actix_web::test]
async fn addresses_that_lead_nowhere() {
    let bench = Bench::new().await;
    for path in ["/v1", "/v1/", "/v1/nothing", "/v1/apps/", "/v1/apps/a/b", "/v2/apps", "/nothing", "//v1/apps"] {
        let answer = bench.send(bench.request(Method::GET, path)).await;
        assert_problem(&answer, 404, "not_found");
    }
    let browser = |path| bench.send(bench.bare(Method::GET, path).header("accept", "text/html,*/*;q=0.8"));
    let page = browser("/nothing").await;
    assert_eq!(page.status, 404);
    assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
    assert_problem(&browser("/v1/nothing").await, 404, "not_found");
}

#[actix_web::test]
async fn methods_that_a_path_does_not_know() {
    let bench = Bench::new().await;
    let mut allowed = BTreeMap::<String, Vec<Method>>::new();
    for operation in operations() {
        allowed.entry(operation.path.clone()).or_default().push(operation.method);
    }
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];
    for (path, known) in allowed {
        let path = path.replace("{id}", "x");
        for method in methods.map(|method| method.parse::<Method>().unwrap()) {
            // `validate` is also a connector that could be asked for by its id.
            if known.contains(&method) || path == "/v1/connectors/validate" {
                continue;
            }
            let answer = bench.send(bench.request(method.clone(), &path)).await;
            assert_eq!(answer.status, 405, "{method} {path}: {answer:?}");
            let mut announced: Vec<_> = answer.header("allow").split(", ").map(str::to_owned).collect();
            let mut known: Vec<_> = known.iter().map(ToString::to_string).collect();
            announced.sort();
            known.sort();
            assert_eq!(announced, known, "{method} {path}");
            if method != Method::HEAD {
                assert_problem(&answer, 405, "method_not_allowed");
            }
        }
    }
}

#[actix_web::test]
async fn sizes_have_ends() {
    let bench = Bench::new().await;
    let big = json!({"metadata": {"x": "y".repeat(1024 * 1024)}});
    assert_problem(&bench.put("/v1/customers/c1", &big).await, 413, "payload_too_large");
    let chunks = futures_util::stream::iter((0..300).map(|_| Ok::<_, std::io::Error>(vec![b' '; 4096])));
    let request = bench.request(Method::PUT, "/v1/customers/c1").header("content-type", "application/json");
    let endless = request.body(reqwest::Body::wrap_stream(chunks));
    let answer = mortise_testkit::Http::new().send(endless).await;
    assert_problem(&answer, 413, "payload_too_large");
    let long = format!("/v1/customers?cursor={}", "x".repeat(20_000));
    assert_problem(&bench.get(&long).await, 414, "uri_too_long");
    let request = bench.request(Method::GET, "/v1/customers").header("x-padding", "x".repeat(40_000));
    assert_problem(&bench.send(request).await, 431, "headers_too_large");
    assert_eq!(bench.get("/v1/customers").await.status, 200);
}

#[actix_web::test]
async fn every_answer_has_an_id_of_its_own() {
    let bench = Bench::new().await;
    let ask = || bench.send(bench.request(Method::GET, "/v1/customers").header("x-request-id", "req_theirs"));
    let (first, second) = (ask().await, ask().await);
    let id = |answer: &mortise_testkit::Answer| answer.header("x-request-id").to_owned();
    assert_ne!(id(&first), id(&second));
    assert!(id(&first).len() == 36 && id(&first) != "req_theirs");
    assert_eq!(first.header("strict-transport-security"), "max-age=31536000");
    assert_eq!(first.header("cache-control"), "no-store");
}

#[actix_web::test]
async fn who_hangs_up_does_not_stop_what_was_begun() {
    let bench = Bench::registered().await;
    bench.register(super::bench::ROBOT, "robot").await;
    bench.provider.then(|_| {
        std::thread::sleep(Duration::from_millis(300));
        let grant = json!({"access_token": "at-1", "token_type": "Bearer", "expires_in": 3600}).to_string();
        Ok(mortise_oauth::Reply::new(200, Some("application/json"), grant))
    });
    let body = json!({"customer": "c1", "app": "robot"});
    let request = bench.request(Method::POST, "/v1/connections").json(&body).timeout(Duration::from_millis(100));
    assert!(mortise_testkit::Http::new().try_send(request).await.is_err(), "the caller has gone");
    let stored = mortise_testkit::wait::until(Duration::from_secs(30), async || {
        let listed = bench.get("/v1/connections?app=robot").await.expect(200).json();
        Ok(listed["items"].get(0).map(|connection| connection["state"].clone()))
    });
    assert_eq!(stored.await.unwrap(), "active");
}

#[actix_web::test]
async fn what_is_no_http_is_refused_and_harms_nobody() {
    let bench = Bench::new().await;
    let address = bench.base.trim_start_matches("http://").to_owned();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"GET\r\n\r\n",
        b"POST /v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    ] {
        let address = address.clone();
        let reply = actix_web::web::block(move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
            stream.write_all(bytes).unwrap();
            let mut reply = Vec::new();
            stream.read_to_end(&mut reply).map(|_| String::from_utf8_lossy(&reply).into_owned()).unwrap_or_default()
        });
        let reply = reply.await.unwrap();
        assert!(reply.starts_with("HTTP/1.1 400"), "{reply:?}");
    }
    assert_eq!(bench.get("/v1/customers").await.status, 200);
}
