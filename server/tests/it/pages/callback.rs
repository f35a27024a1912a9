//! The provider's way back.

use super::rig::{Answer, Flow, PLAIN, Rig};
use actix_web::test::TestRequest;
use serde_json::json;

async fn rig() -> Rig {
    let rig = Rig::new().await;
    rig.register(PLAIN).await;
    rig
}

async fn back(rig: &Rig, flow: &Flow, parameters: &str) -> Answer {
    rig.get_with(&flow.back(parameters), &flow.cookies).await
}

fn tokens(rig: &Rig) {
    rig.provider
        .json(200, &json!({"access_token": "at", "refresh_token": "rt", "token_type": "Bearer", "expires_in": 3600}));
}

#[actix_web::test]
async fn it_worked_and_the_address_forgets_code_and_state() {
    let rig = rig().await;
    let flow = rig.flow(&rig.link(None).await).await;
    tokens(&rig);
    let answer = back(&rig, &flow, "code=c0de&iss=https%3A%2F%2Fplain.example").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/connect/done")), "{}", answer.body);
    let taken_back = answer.set_cookies().into_iter().find(|cookie| cookie.starts_with(&flow.cookies[0].0)).unwrap();
    assert!(taken_back.contains("Max-Age=0") && taken_back.contains("Secure"), "{taken_back}");
    let done = rig.get_with("/connect/done", &answer.cookies()).await;
    insta::assert_snapshot!(done.text());
    assert!(rig.get("/connect/done").await.body.contains("You are connected"), "later, without the name");
}

#[actix_web::test]
async fn with_a_return_url_the_browser_goes_there() {
    let rig = rig().await;
    let flow = rig.flow(&rig.link(Some("https://app.example/done")).await).await;
    tokens(&rig);
    let answer = back(&rig, &flow, "code=c0de").await;
    let location = answer.header("location").unwrap();
    assert!(location.starts_with("https://app.example/done?session=cs_"), "{location}");
    assert!(!location.contains("c0de") && !location.contains(&flow.state), "{location}");
}

#[actix_web::test]
async fn what_is_no_get_consumes_nothing() {
    let rig = rig().await;
    let flow = rig.flow(&rig.link(None).await).await;
    let before = rig.rows().await;
    // A POST is how the page of the implicit grant hands over what it read, and this is no such flow.
    let head = TestRequest::default().method(actix_web::http::Method::HEAD);
    for (request, status) in [(head, 405), (TestRequest::post(), 400)] {
        let request = super::rig::with_cookies(request.uri(&flow.back("code=c")), &flow.cookies);
        assert_eq!(rig.send(request).await.status, status);
    }
    assert_eq!(rig.rows().await, before);
    tokens(&rig);
    assert_eq!(back(&rig, &flow, "code=c").await.status, 303);
}

/// Two tabs, each with its own flow, whose answers cross.
#[actix_web::test]
async fn two_tabs_do_not_disturb_each_other() {
    let rig = rig().await;
    let (one, two) = (rig.flow(&rig.link(None).await).await, rig.flow(&rig.link(None).await).await);
    let both = [one.cookies.clone(), two.cookies.clone()].concat();
    for flow in [&two, &one] {
        tokens(&rig);
        let answer = rig.get_with(&flow.back("code=c"), &both).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        assert!(!answer.set_cookies().iter().any(|cookie| cookie.contains("mortise_flow_")));
    }
}

#[actix_web::test]
async fn a_neighbours_broken_cookie_spoils_nothing() {
    let rig = rig().await;
    let flow = rig.flow(&rig.link(None).await).await;
    tokens(&rig);
    let line = format!("broken; =; a=b=c; %%%=%; {}={}; x=\"", flow.cookies[0].0, flow.cookies[0].1);
    let answer = rig.send(TestRequest::get().uri(&flow.back("code=c")).insert_header(("cookie", line))).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
}

/// Each way to fail, with its status, whether it offers another try, and whether the flow's cookie is taken back.
#[actix_web::test]
async fn every_fault_has_a_page_that_says_what_to_do() {
    let rig = rig().await;
    let mut pages = String::new();
    let table: [(&str, &str, u16, bool, bool); 9] = [
        ("denied", "error=access_denied&error_description=%3Cb%3ENo%3C/b%3E", 403, true, true),
        ("the provider is down", "error=temporarily_unavailable", 502, true, true),
        ("another provider error", "error=inv%3Calid%3E_scope&error_description=%3Cscript%3E", 502, true, true),
        ("another issuer", "code=c&iss=https://evil.example", 400, true, false),
        ("nothing but a state", "", 400, true, false),
        ("two codes", "code=a&code=b", 400, true, false),
        ("tokens instead of a code", "access_token=at", 400, true, false),
        ("an oversized code", &format!("code={}", "x".repeat(9000)), 400, false, false),
        ("too many parameters", &"a=1&".repeat(40), 400, false, false),
    ];
    for (what, parameters, status, again, over) in table {
        let flow = rig.flow(&rig.link(None).await).await;
        let answer = back(&rig, &flow, parameters).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        assert_eq!(answer.body.contains("id=\"again\""), again, "{what}");
        assert_eq!(answer.set_cookies().iter().any(|c| c.contains("Max-Age=0")), over, "{what}");
        pages.push_str(&format!("--- {what}\n{}", answer.text()));
    }
    insta::assert_snapshot!(pages);
    assert!(rig.provider.take_requests().is_empty(), "nothing was sent to any token endpoint");
}

#[actix_web::test]
async fn faults_of_the_exchange_have_pages_too() {
    let rig = rig().await;
    let mut pages = String::new();
    for (what, status, body) in [
        ("the provider took the grant back", 400, json!({"error": "invalid_grant", "error_description": "<script>"})),
        ("the client is refused", 401, json!({"error": "invalid_client"})),
        ("the provider is broken", 500, json!({})),
        ("the provider is busy", 429, json!({})),
        ("the provider does not say", 400, json!({"error": "strange"})),
    ] {
        let flow = rig.flow(&rig.link(None).await).await;
        rig.provider.json(status, &body);
        let answer = back(&rig, &flow, "code=c").await;
        assert_eq!(answer.status, 502, "{what}: {}", answer.body);
        assert!(answer.body.contains("id=\"again\"") && !answer.body.contains("&#60;script"), "{what}");
        pages.push_str(&format!("--- {what}\n{}", answer.text()));
    }
    insta::assert_snapshot!(pages);
}

#[actix_web::test]
async fn what_is_replayed_or_comes_from_elsewhere_is_told_apart() {
    let rig = rig().await;
    let flow = rig.flow(&rig.link(None).await).await;
    let stranger = rig.get(&flow.back("code=c")).await;
    assert_eq!(stranger.status, 403, "another browser");
    let crossed = flow.back("code=c").replacen(&flow.path, "/oauth/callback/00000000-0000-0000-0000-000000000000", 1);
    let crossed = rig.get_with(&crossed, &flow.cookies).await;
    assert_eq!(crossed.status, 400, "another app's path");
    assert!(stranger.set_cookies().is_empty() && crossed.set_cookies().is_empty(), "the flow lives on");
    tokens(&rig);
    assert_eq!(back(&rig, &flow, "code=c").await.status, 303);
    let replayed = back(&rig, &flow, "code=c").await;
    assert_eq!(replayed.status, 410);
    let unknown = rig.get("/oauth/callback/x?state=never&code=c").await;
    assert_eq!(unknown.status, 410);
    assert_eq!(rig.provider.take_requests().len(), 1, "one code, sent once");
    insta::assert_snapshot!([stranger.text(), crossed.text(), replayed.text()].join("\n"));
}

#[actix_web::test]
async fn another_try_leads_back_and_works() {
    let rig = rig().await;
    let link = rig.link(None).await;
    let flow = rig.flow(&link).await;
    let denied = back(&rig, &flow, "error=access_denied").await;
    assert!(denied.body.contains(&format!("href=\"{link}\"")), "{}", denied.body);
    let flow = rig.flow(&link).await;
    tokens(&rig);
    assert_eq!(back(&rig, &flow, "code=c").await.status, 303);
}

/// Row T11 of the hostile inputs, for a token that comes by the fragment and is written as a form within a form.
#[actix_web::test]
async fn t11_a_fragment_carries_a_token_of_16_kib_and_no_more() {
    const BEHIND: &str = "\
id: plain
name: Plain
auth:
  type: oauth2
  grant: implicit
  authorization_url: https://plain.example/authorize
";
    let rig = Rig::new().await;
    rig.register(BEHIND).await;
    for (length, status) in [(16 * 1024, 303), (16 * 1024 + 1, 502), (40 * 1024, 400)] {
        let flow = rig.flow(&rig.link(None).await).await;
        // Nothing but what is written in three bytes.
        let fragment = format!("access_token={}&token_type=bearer&state={}", "=".repeat(length), flow.state);
        let request = TestRequest::post().uri(&flow.path).insert_header(("sec-fetch-site", "same-origin"));
        let request = super::rig::with_cookies(request, &flow.cookies).set_form([("fragment", &fragment)]);
        let answer = rig.send(request).await;
        assert_eq!(answer.status, status, "{length}: {}", answer.body);
    }
}
