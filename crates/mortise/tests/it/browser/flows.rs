//! The flows without a code in the address, as people see them: a user code, a fragment, and OAuth 1.0.

use super::look::portray;
use super::{arrives_at, assert_in_order};
use crate::flow::{device, implicit, oauth1};
use crate::world::api::app_id;
use crate::world::{CLIENT_SECRET, World};
use mortise_testkit::{Backend, Chromium};
use serde_json::json;

async fn opened() -> (World, Chromium) {
    let world = World::running(Backend::Sqlite).await;
    world.command(&["environments", "set", "dev", "--display-name", "Example Corp"]).await;
    (world, Chromium::start().await)
}

async fn with_a_code(scripts: bool) {
    let (world, browser) = opened().await;
    device::register(&world).await;
    let session = world.api.session("acme", json!({ "apps": [app_id(device::CLASS)] })).await;
    let driver = browser.driver();
    if !scripts {
        browser.scripts(false).await;
    }
    driver.goto(&session.url).await.unwrap();
    arrives_at(&browser, "Connect Sandbox S").await;
    assert!(browser.text(".where").await.starts_with("You get a code here"));
    assert_eq!(browser.text("form.ask button").await, "Connect Sandbox S");
    browser.follow("form.ask button").await;
    arrives_at(&browser, "Enter this code at Sandbox S").await;
    let user_code = browser.text("#user-code").await;
    assert_eq!(user_code.len(), 9, "{user_code}");
    if scripts {
        portray(&browser, "device").await;
    }
    // The code is entered in another tab, which the page's own button opens with the code in it.
    let first = driver.window().await.unwrap();
    let link = driver.find(thirtyfour::By::Css("#verify")).await.unwrap().attr("href").await.unwrap().unwrap();
    let second = driver.new_tab().await.unwrap();
    driver.switch_to_window(second).await.unwrap();
    driver.goto(&link).await.unwrap();
    assert_eq!(browser.text("#client").await, "Mortise test");
    browser.follow("#allow").await;
    arrives_at(&browser, "You are done here").await;
    driver.switch_to_window(first).await.unwrap();
    arrives_at(&browser, "Sandbox S is connected").await;
    assert_in_order(&browser).await;
    let connection = world.api.result_of(&session).await;
    assert!(world.provider.alive(&world.api.access_token(&connection).await));
    browser.stop().await;
    world.end().await;
}

#[tokio::test]
async fn a_customer_enters_a_code() {
    with_a_code(true).await;
}

#[tokio::test]
async fn a_customer_enters_a_code_without_a_script() {
    with_a_code(false).await;
}

#[tokio::test]
async fn a_fragment_leaves_the_address_bar_and_the_history() {
    let (world, browser) = opened().await;
    implicit::register(&world).await;
    let session = world.api.session("acme", json!({ "apps": [app_id(implicit::CLASS)] })).await;
    let driver = browser.driver();
    driver.goto(&session.url).await.unwrap();
    browser.follow("form.ask button").await;
    assert_eq!(browser.text("#client").await, "Mortise test");
    browser.follow("#allow").await;
    arrives_at(&browser, "Sandbox M is connected").await;
    assert_in_order(&browser).await;
    let connection = world.api.result_of(&session).await;
    let token = world.api.access_token(&connection).await;
    assert!(world.provider.alive(&token));
    let here = driver.current_url().await.unwrap();
    assert!(here.fragment().is_none() && here.query().is_none(), "{here}");
    // Whoever goes back finds no token.
    driver.back().await.unwrap();
    let shown = format!("{} {}", driver.current_url().await.unwrap(), driver.source().await.unwrap());
    assert!(!shown.contains(&token), "{shown}");
    browser.stop().await;
    world.end().await;
}

#[tokio::test]
async fn a_customer_says_yes_to_oauth1() {
    let (world, browser) = opened().await;
    oauth1::register(&world, CLIENT_SECRET, json!({})).await;
    let session = world.api.session("acme", json!({ "apps": [app_id(oauth1::CLASS)] })).await;
    browser.driver().goto(&session.url).await.unwrap();
    arrives_at(&browser, "Connect Sandbox N").await;
    assert_eq!(browser.text("form.ask button").await, "Continue to Sandbox N");
    browser.follow("form.ask button").await;
    assert_eq!(browser.text("#client").await, "Mortise test");
    browser.follow("#allow").await;
    arrives_at(&browser, "Sandbox N is connected").await;
    assert_in_order(&browser).await;
    let here = browser.driver().current_url().await.unwrap();
    assert!(!here.as_str().contains("oauth_verifier"), "{here}");
    world.api.result_of(&session).await;
    browser.stop().await;
    world.end().await;
}
