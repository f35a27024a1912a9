//! A customer connects, declines, and comes back.

use super::{CLASS, app, arrives_at, assert_in_order, opened};
use crate::world::World;
use crate::world::api::Session;
use mortise_testkit::{Chromium, wait};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::task::TaskTracker;

/// The consent page says who asks, whom, where and for what; opening it has changed nothing.
async fn consent_page_is_clear(browser: &Chromium, world: &World, session: &Session) {
    browser.driver().goto(&session.url).await.unwrap();
    arrives_at(browser, "Connect Sandbox F").await;
    assert_eq!(browser.text("#asker").await, "Example Corp");
    assert_eq!(browser.text("#customer").await, "Customer acme");
    let scopes = browser.text(".scopes").await;
    assert!(scopes.contains("See your name and picture") && scopes.contains("contacts.read"), "{scopes}");
    assert_eq!(browser.text(".target").await, world.provider.sandbox.addr().to_string());
    assert_eq!(browser.text("form.ask button").await, "Continue to Sandbox F");
    assert_in_order(browser).await;
    let view = world.api.get(&format!("/connect-sessions/{}", session.id)).await.expect(200).json();
    assert_eq!(view["status"], "open");
}

/// From the consent page through the sandbox's.
async fn answers(browser: &Chromium, button: &str) {
    browser.follow("form.ask button").await;
    assert_eq!(browser.text("#client").await, "Mortise test");
    browser.follow(button).await;
}

#[tokio::test]
async fn a_customer_connects() {
    let (world, browser) = opened().await;
    let session = world.api.session("acme", json!({ "apps": [app()] })).await;
    consent_page_is_clear(&browser, &world, &session).await;
    answers(&browser, "#allow").await;
    arrives_at(&browser, "Sandbox F is connected").await;
    assert_in_order(&browser).await;
    let here = browser.driver().current_url().await.unwrap();
    assert!(here.query().is_none(), "code or state stay in the address bar: {here}");
    let connection = world.api.result_of(&session).await;
    assert!(world.provider.alive(&world.api.access_token(&connection).await));

    // Going back shows nothing that could be sent again.
    browser.driver().goto(&session.url).await.unwrap();
    arrives_at(&browser, "This link was used already").await;
    assert_eq!(world.provider.token_requests(CLASS).len(), 1);
    browser.stop().await;
    world.end().await;
}

#[tokio::test]
async fn a_customer_says_no_and_then_yes() {
    let (world, browser) = opened().await;
    let session = world.api.session("acme", json!({ "apps": [app()] })).await;
    browser.driver().goto(&session.url).await.unwrap();
    answers(&browser, "#deny").await;
    arrives_at(&browser, "Nothing was connected").await;
    assert_eq!(world.provider.token_requests(CLASS).len(), 0);
    let here = browser.driver().current_url().await.unwrap();
    assert!(!here.as_str().contains("state="), "the state stays in the address bar: {here}");
    browser.follow("#again").await;
    arrives_at(&browser, "Connect Sandbox F").await;
    answers(&browser, "#allow").await;
    arrives_at(&browser, "Sandbox F is connected").await;
    world.api.result_of(&session).await;
    browser.stop().await;
    world.end().await;
}

#[tokio::test]
async fn everything_works_without_a_script() {
    let (world, browser) = opened().await;
    browser.scripts(false).await;
    let session = world.api.session("acme", json!({ "apps": [app()] })).await;
    consent_page_is_clear(&browser, &world, &session).await;
    answers(&browser, "#allow").await;
    arrives_at(&browser, "Sandbox F is connected").await;
    assert_in_order(&browser).await;
    world.api.result_of(&session).await;
    browser.stop().await;
    world.end().await;
}

#[tokio::test]
async fn a_repaired_connection_leads_back_to_the_backend() {
    let (world, browser) = opened().await;
    let (address, tasks) = backend().await;
    let change = json!({
        "connector": app(),
        "client_id": crate::world::provider::CLIENT_ID,
        "scopes": ["profile"],
        "settings": {"return_urls": [format!("http://{address}/back?from=mortise")]},
    });
    world.api.put(&format!("/apps/{}", app()), &change).await.expect(200);
    let connection = world.api.connect("acme", CLASS).await;
    let more = json!({"connection": connection, "return_url": format!("http://{address}/back?from=mortise")});
    let session = world.api.session("acme", more).await;
    browser.driver().goto(&session.url).await.unwrap();
    arrives_at(&browser, "Connect Sandbox F again").await;
    assert_in_order(&browser).await;
    answers(&browser, "#allow").await;
    arrives_at(&browser, "The backend").await;
    let here = browser.driver().current_url().await.unwrap();
    let expected = format!("?from=mortise&session={}&status=connected&connection={connection}", session.id);
    assert_eq!(&here.as_str()[here.as_str().find('?').unwrap()..], expected);
    assert_in_order(&browser).await;
    browser.stop().await;
    tasks.close();
    world.end().await;
}

/// A customer's return page, of the plainest kind.
async fn backend() -> (std::net::SocketAddr, TaskTracker) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, tasks) = (listener.local_addr().unwrap(), TaskTracker::new());
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0_u8; 8192];
            let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut request)).await;
            let page = "<!doctype html><link rel=icon href=data:,><title>Backend</title><h1>The backend</h1>";
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n";
            if matches!(read, Ok(Ok(1..))) {
                let answer = format!("{head}content-length: {}\r\n\r\n{page}", page.len());
                stream.write_all(answer.as_bytes()).await.unwrap_or_default();
            }
        }
    });
    (address, tasks)
}

#[tokio::test]
async fn two_tabs_do_not_disturb_each_other() {
    let (world, browser) = opened().await;
    let driver = browser.driver();
    let mut sessions = Vec::new();
    for customer in ["one", "two"] {
        sessions.push(world.api.session(customer, json!({ "apps": [app()] })).await);
    }
    let first = driver.window().await.unwrap();
    driver.goto(&sessions[0].url).await.unwrap();
    browser.follow("form.ask button").await;
    browser.text("#client").await;
    let second = driver.new_tab().await.unwrap();
    driver.switch_to_window(second).await.unwrap();
    driver.goto(&sessions[1].url).await.unwrap();
    answers(&browser, "#allow").await;
    arrives_at(&browser, "Sandbox F is connected").await;
    driver.switch_to_window(first).await.unwrap();
    browser.follow("#allow").await;
    arrives_at(&browser, "Sandbox F is connected").await;
    let mut made = Vec::new();
    for session in &sessions {
        made.push(world.api.result_of(session).await);
    }
    assert_ne!(made[0], made[1]);
    let both =
        wait::until(Duration::from_secs(30), async || Ok((world.provider.grants(CLASS).len() == 2).then_some(())));
    both.await.unwrap();
    browser.stop().await;
    world.end().await;
}
