//! How the pages look: pictures in light, dark and narrow, and nothing that runs over the edge of a phone.

use super::{app, arrives_at, assert_in_order, opened, picture};
use mortise_testkit::Chromium;
use serde_json::{Value, json};

/// Red, green and blue of the text, summed up: what is behind it may be a gradient.
const BRIGHTNESS: &str =
    "getComputedStyle(document.body).color.match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b)";

async fn ask(browser: &Chromium, expression: &str) -> Value {
    browser.driver().execute(format!("return {expression}"), vec![]).await.unwrap().json().clone()
}

/// Takes pictures of the page in each look and leaves it as it was.
pub async fn portray(browser: &Chromium, name: &str) {
    for dark in [false, true] {
        browser.prefer_dark(dark).await;
        let look = if dark { "dark" } else { "light" };
        browser.resize(1280, 800).await;
        browser.screenshot(picture(&format!("{name}-{look}"))).await;
        browser.resize(390, 844).await;
        browser.screenshot(picture(&format!("{name}-{look}-narrow"))).await;
        let width = ask(browser, "document.documentElement.scrollWidth").await;
        assert!(width.as_i64().unwrap() <= 390, "{name} is {width} pixels wide on a phone");
        let brightness = ask(browser, BRIGHTNESS).await.as_i64().unwrap();
        assert_eq!(brightness > 380, dark, "{name} in {look} has text of {brightness}");
    }
    browser.prefer_dark(false).await;
    browser.resize(1280, 800).await;
    assert_in_order(browser).await;
}

#[tokio::test]
async fn the_pages_of_a_customers_way() {
    let (world, browser) = opened().await;
    let session = world.api.session("acme", json!({ "apps": [app()] })).await;
    browser.driver().goto(&session.url).await.unwrap();
    arrives_at(&browser, "Connect Sandbox F").await;
    portray(&browser, "consent").await;
    browser.follow("form.ask button").await;
    browser.text("#client").await;
    portray(&browser, "sandbox").await;
    browser.follow("#deny").await;
    arrives_at(&browser, "Nothing was connected").await;
    // The status of the page is an error, which browsers note down by themselves.
    browser.console().await;
    portray(&browser, "declined").await;
    browser.follow("#again").await;
    browser.follow("form.ask button").await;
    browser.follow("#allow").await;
    arrives_at(&browser, "Sandbox F is connected").await;
    portray(&browser, "connected").await;
    browser.stop().await;
    world.end().await;
}
