//! The consent page and its form.

use super::rig::{ACME, PLAIN, Rig, with_cookies};
use actix_web::http::Method;
use actix_web::test::TestRequest;

#[actix_web::test]
async fn the_page_says_who_asks_for_what_at_which_host_and_for_whom() {
    let rig = Rig::new().await;
    rig.register(ACME).await;
    let page = rig.get(&rig.link(Some("https://app.example/done")).await).await;
    insta::assert_snapshot!(page.steady_text());
}

#[actix_web::test]
async fn of_several_apps_each_has_its_own_form_and_none_is_open() {
    let rig = Rig::new().await;
    rig.register(ACME).await;
    rig.register(PLAIN).await;
    let page = rig.get(&rig.link(None).await).await;
    assert_eq!(page.body.matches("<form").count(), 2);
    assert!(!page.body.contains("<details class=\"choice\" name=\"choice\" open"));
    insta::assert_snapshot!(page.steady_text());
}

/// Link previews and scanners open a link many times, and the human can still use it.
#[actix_web::test]
async fn looking_changes_nothing() {
    let rig = Rig::new().await;
    rig.register(PLAIN).await;
    let link = rig.link(None).await;
    let before = rig.rows().await;
    for method in [Method::GET, Method::HEAD, Method::GET, Method::HEAD, Method::GET, Method::HEAD] {
        let page = rig.send(TestRequest::default().method(method).uri(&link)).await;
        assert_eq!(page.status, 200);
    }
    assert_eq!(rig.rows().await, before, "no row was written or changed");
    assert_eq!(rig.submit(&link, &[("app", "plain")]).await.status, 303);
    assert_ne!(rig.rows().await, before, "the probe sees changes");
}

#[actix_web::test]
async fn other_methods_are_refused_with_a_page() {
    let rig = Rig::new().await;
    rig.register(PLAIN).await;
    let link = rig.link(None).await;
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let answer = rig.send(TestRequest::default().method(method).uri(&link)).await;
        assert_eq!(answer.status, 405);
        assert!(answer.body.contains("<h1>"), "{}", answer.body);
    }
}

#[actix_web::test]
async fn the_click_goes_to_the_provider_with_a_cookie_of_its_own() {
    let rig = Rig::new().await;
    rig.register(ACME).await;
    let link = rig.link(None).await;
    let started = rig.submit(&link, &[("app", "acme"), ("field.shop", "demo")]).await;
    assert_eq!(started.status, 303, "{}", started.body);
    assert!(started.header("location").unwrap().starts_with("https://demo.acme.example/authorize?"));
    let [cookie] = started.set_cookies()[..] else { panic!("one cookie: {:?}", started.set_cookies()) };
    assert!(cookie.starts_with("__Host-mortise_flow_"), "{cookie}");
    for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=600"] {
        assert!(cookie.split("; ").any(|part| part == attribute), "{attribute} in {cookie}");
    }
    assert!(!cookie.contains("Domain"));
    let other = rig.submit(&link, &[("app", "acme"), ("field.shop", "demo")]).await;
    assert_ne!(other.cookies()[0].0, started.cookies()[0].0, "a second tab has a cookie of its own");
}

#[actix_web::test]
async fn on_plain_loopback_cookies_do_without_what_needs_tls() {
    let provider = std::sync::Arc::new(mortise_oauth::testing::ScriptedTransport::new());
    let policy = mortise_oauth::EgressPolicy::default();
    let rig = Rig::with("http://127.0.0.1:8080", policy, provider.clone(), provider).await;
    rig.register(PLAIN).await;
    let page = rig.get(&rig.link(None).await).await;
    assert_eq!(page.header("strict-transport-security"), None);
    let flow = rig.flow(&rig.link(None).await).await;
    for cookie in page.set_cookies().into_iter().chain(flow.started.set_cookies()) {
        assert!(cookie.starts_with("mortise_") && !cookie.contains("Secure"), "{cookie}");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    }
}

#[actix_web::test]
async fn what_does_not_fit_comes_back_beside_its_field_as_it_was_typed() {
    let rig = Rig::new().await;
    rig.register(ACME).await;
    rig.register(PLAIN).await;
    let link = rig.link(None).await;
    let page = rig.submit(&link, &[("app", "acme"), ("field.shop", "evil.com/\"><script>")]).await;
    assert_eq!(page.status, 422);
    assert!(page.body.contains("value=\"evil.com/&#34;&#62;&#60;script&#62;\""), "{}", page.body);
    assert!(page.body.contains("aria-invalid=\"true\"") && page.body.contains("role=\"alert\""));
    assert!(page.body.contains("<details class=\"choice\" name=\"choice\" open"), "the faulty one is open");
    assert!(!page.set_cookies().iter().any(|cookie| cookie.contains("flow")), "nothing was started");
    insta::assert_snapshot!(page.steady_text());
    assert_eq!(rig.submit(&link, &[("app", "acme")]).await.status, 422, "a missing value is a fault too");
}

#[actix_web::test]
async fn a_pasted_address_is_understood() {
    let rig = Rig::new().await;
    rig.register(ACME).await;
    let started =
        rig.submit(&rig.link(None).await, &[("app", "acme"), ("field.shop", " https://demo.acme.example/ ")]).await;
    assert!(started.header("location").unwrap().starts_with("https://demo.acme.example/authorize?"));
}

/// Scopes, redirect URI and state are ours to set: nothing that a browser adds reaches the provider.
#[actix_web::test]
async fn the_browser_cannot_change_the_request() {
    let rig = Rig::new().await;
    rig.register(PLAIN).await;
    let link = rig.link(None).await;
    let added = [("app", "plain"), ("scope", "admin"), ("field.state", "x"), ("redirect_uri", "https://evil.example")];
    let answer = rig.submit(&link, &added).await;
    assert_eq!(answer.status, 422, "an unknown field is a fault");
    let started = rig.submit(&link, &[("app", "plain"), ("scope", "admin"), ("state", "x")]).await;
    let location = started.header("location").unwrap();
    assert!(location.contains("scope=read+write") || location.contains("scope=read%20write"), "{location}");
    assert!(!location.contains("admin") && !location.contains("state=x&"), "{location}");
}

#[actix_web::test]
async fn links_that_do_not_work_say_why() {
    let rig = Rig::new().await;
    rig.register(PLAIN).await;
    assert_eq!(rig.get("/connect/never-made").await.status, 404);
    let link = rig.link(None).await;
    rig.sql("UPDATE connect_sessions SET expires_at = 1").await;
    let expired = rig.get(&link).await;
    assert_eq!(expired.status, 410);
    let used = rig.link(None).await;
    rig.sql("UPDATE connect_sessions SET status = 'completed' WHERE expires_at > 1").await;
    let gone = rig.get(&used).await;
    assert_eq!(gone.status, 410);
    insta::assert_snapshot!([rig.get("/connect/never-made").await.text(), expired.text(), gone.text()].join("\n"));
}

#[actix_web::test]
async fn without_apps_the_page_says_so() {
    let rig = Rig::new().await;
    rig.customer("c1", "Ann").await;
    let page = rig.get(&rig.link(None).await).await;
    assert_eq!(page.status, 404);
    assert!(page.body.contains("There is nothing to connect"), "{}", page.body);
}

#[actix_web::test]
async fn an_app_of_the_clients_own_is_connected_at_once() {
    let rig = Rig::new().await;
    let manifest = "id: own\nname: Own\nauth:\n  type: oauth2\n  grant: client_credentials\n  token_url: https://own.example/token\n";
    rig.register(manifest).await;
    let link = rig.link(Some("https://app.example/done")).await;
    assert!(rig.get(&link).await.body.contains("You do not have to sign in anywhere"));
    rig.provider.json(400, &serde_json::json!({"error": "invalid_client"}));
    let refused = rig.submit(&link, &[("app", "own")]).await;
    assert_eq!(refused.status, 502);
    assert!(refused.body.contains(&format!("href=\"{link}\"")), "another try is offered");
    rig.provider.json(200, &serde_json::json!({"access_token": "at", "token_type": "Bearer", "expires_in": 60}));
    let done = rig.submit(&link, &[("app", "own")]).await;
    assert_eq!(done.status, 303);
    assert!(done.header("location").unwrap().starts_with("https://app.example/done?session="));
}

#[actix_web::test]
async fn a_damaged_or_endless_form_is_answered_with_a_page() {
    let rig = Rig::new().await;
    rig.register(PLAIN).await;
    let link = rig.link(None).await;
    let json = TestRequest::post().uri(&link).insert_header(("content-type", "application/json")).set_payload("{}");
    let long = TestRequest::post().uri(&link).set_form([("csrf", "x".repeat(300_000))]);
    for request in [json, long] {
        let answer = rig.send(with_cookies(request, &[])).await;
        assert_eq!(answer.status, 400);
        assert!(answer.body.contains("could not be read"), "{}", answer.body);
    }
}
