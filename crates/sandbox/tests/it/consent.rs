//! The consent page and what it protects.

use crate::kit::start;
use mortise_sandbox::RecoveryClass;
use serde_json::json;

#[tokio::test]
async fn the_page_says_who_asks_for_what_and_grants_nothing_when_opened() {
    let kit = start().await;
    kit.control("clients", json!({"client_id": "c", "client_secret": "s", "name": "<b>Acme & Co</b>"})).await;
    let page = kit.get(&kit.authorize_path(RecoveryClass::F, &[("client_id", "c"), ("scope", "a<script>")])).await;
    let text = page.text();
    assert!(text.contains("&#60;b&#62;Acme &#38; Co&#60;/b&#62;") && !text.contains("<script"), "{text}");
    for part in ["id=\"allow\"", "id=\"deny\"", "a&#60;script&#62;", "<b>localhost</b>", "reuse ends the grant"] {
        assert!(text.contains(part), "{part}");
    }
    assert!(!text.contains("style=") && !text.contains("<style"), "styles are in a file of their own");
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'")));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(kit.sandbox.totals().grants, 0);
    let style = kit.get("/assets/sandbox.css").await;
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
    assert!(style.text().contains("prefers-color-scheme: dark"));
}

#[tokio::test]
async fn saying_no_goes_back_with_access_denied() {
    let kit = start().await;
    let answer = kit.consent(RecoveryClass::G, "deny").await;
    assert_eq!((answer["error"].as_str(), answer["state"].as_str()), ("access_denied", "st&te ü="));
    assert_eq!(answer["iss"], kit.sandbox.issuer(RecoveryClass::G));
    assert!(!answer.contains_key("code"));
}

#[tokio::test]
async fn a_page_is_answered_once_in_time_and_at_its_own_class() {
    let kit = start().await;
    let class = RecoveryClass::N;
    let page = kit.get(&kit.authorize_path(class, &[])).await.text();
    assert_eq!(kit.answer(class, &page, "allow").await.status, 303);
    assert_eq!(kit.answer(class, &page, "allow").await.status, 400);
    let page = kit.get(&kit.authorize_path(class, &[])).await.text();
    assert_eq!(kit.answer(RecoveryClass::M, &page, "allow").await.status, 400);
    let page = kit.get(&kit.authorize_path(class, &[])).await.text();
    kit.clock.advance_seconds(600);
    assert_eq!(kit.answer(class, &page, "allow").await.status, 400);
}

#[tokio::test]
async fn the_other_account_can_be_chosen_and_no_third_one() {
    let kit = start().await;
    let class = RecoveryClass::N;
    let page = kit.get(&kit.authorize_path(class, &[])).await.text();
    let id = crate::kit::between(&page, "name=\"request\" value=\"", "\"");
    let answer = |account| [("request", id), ("decision", "allow"), ("account", account)];
    assert_eq!(kit.post("/n/authorize", &answer("mallory")).await.status, 400);
    let reply = kit.post("/n/authorize", &answer("robin")).await;
    let code = reply.location().query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let (access, _) = crate::kit::tokens(&kit.exchange(class, &code).await);
    assert_eq!(kit.userinfo(class, &access).await.json()["sub"], "robin");
}

#[tokio::test]
async fn faulty_requests_go_back_as_errors_once_the_address_is_trusted() {
    let kit = start().await;
    let table = [
        ("response_type", "id_token", "unsupported_response_type"),
        ("response_type", "", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("scope", "quo\"te", "invalid_scope"),
    ];
    for (name, value, error) in table {
        let reply = kit.get(&kit.authorize_path(RecoveryClass::S, &[(name, value)])).await;
        assert_eq!(reply.status, 303, "{name}");
        let answer: std::collections::HashMap<String, String> = reply.location().query_pairs().into_owned().collect();
        assert_eq!((answer["error"].as_str(), answer["state"].as_str()), (error, "st&te ü="), "{name}");
        assert!(answer.contains_key("iss"));
    }
}

#[tokio::test]
async fn nothing_goes_to_an_address_that_is_not_trusted() {
    let kit = start().await;
    let client = json!({"client_id": "c", "client_secret": "s", "redirect_uris": ["https://app.example/cb"]});
    assert_eq!(kit.control("clients", client).await.status, 200);
    let long = "x".repeat(17_000);
    let table = [
        [("client_id", "nobody"), ("", "")],
        [("client_id", ""), ("", "")],
        [("redirect_uri", ""), ("", "")],
        [("redirect_uri", "javascript:alert(1)"), ("", "")],
        [("redirect_uri", "/relative"), ("", "")],
        [("redirect_uri", "https://app.example/cb#fragment"), ("", "")],
        [("client_id", "c"), ("redirect_uri", "https://app.example/cb/")],
        [("client_id", "c"), ("redirect_uri", "https://app.example/cb?x=1")],
        [("state", &long), ("", "")],
    ];
    for changes in table {
        let reply = kit.get(&kit.authorize_path(RecoveryClass::S, &changes)).await;
        assert_eq!((reply.status, reply.header("location")), (400, None), "{changes:?}");
        assert!(reply.text().contains("This request cannot go on"));
    }
    let path = kit.authorize_path(RecoveryClass::S, &[]);
    assert_eq!(kit.get(&format!("{path}&client_id=other")).await.status, 400, "repeated");
    let good = kit.authorize_path(RecoveryClass::S, &[("client_id", "c"), ("redirect_uri", "https://app.example/cb")]);
    assert_eq!(kit.get(&good).await.status, 200);
}
