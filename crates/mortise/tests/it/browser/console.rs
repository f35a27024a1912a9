//! The console: whoever has a key signs in and sees what the key may read.

use super::look::portray;
use super::{CLASS, app, arrives_at, assert_in_order, opened};
use thirtyfour::By;

#[tokio::test]
async fn a_key_opens_it_and_the_timeline_tells_the_story() {
    let (world, browser) = opened().await;
    let driver = browser.driver();
    world.provider.lifetime(CLASS, 600);
    let connection = world.api.connect("acme", CLASS).await;
    world.api.refresh(&connection).await.expect(200);
    let token = world.api.access_token(&connection).await;

    driver.goto(format!("{}/console", world.api.base())).await.unwrap();
    arrives_at(&browser, "Mortise console").await;
    assert_in_order(&browser).await;
    browser.fill("#key", "mrt_dev_nonsense").await;
    browser.follow("#sign-in").await;
    assert!(browser.text(".problem").await.contains("not accepted"));
    // The status of that page is an error, which browsers note down by themselves.
    browser.console().await;
    browser.fill("#key", world.api.key()).await;
    browser.follow("#sign-in").await;
    arrives_at(&browser, "Connections").await;
    portray(&browser, "console-connections").await;
    let row = browser.text("tbody tr").await;
    assert!(row.contains("acme") && row.contains(&app()) && row.contains("Active"), "{row}");

    browser.follow("tbody tr a").await;
    browser.text(".timeline li:nth-child(3)").await;
    let mut kinds = Vec::new();
    for line in driver.find_all(By::Css(".timeline li")).await.unwrap() {
        kinds.push(line.attr("data-kind").await.unwrap().unwrap());
    }
    assert_eq!(kinds, ["refreshed", "refresh_started", "connected"]);
    portray(&browser, "console-timeline").await;
    let source = driver.source().await.unwrap();
    for secret in [token.as_str(), "sbx_rt_", world.api.key()] {
        assert!(!source.contains(secret), "the page holds `{secret}`");
    }
    for page in ["apps", "connectors", "customers"] {
        driver.goto(format!("{}/console/{page}", world.api.base())).await.unwrap();
        browser.text("main h1").await;
        portray(&browser, &format!("console-{page}")).await;
    }

    browser.follow("#sign-out").await;
    arrives_at(&browser, "Mortise console").await;
    driver.goto(format!("{}/console/connections/{connection}", world.api.base())).await.unwrap();
    arrives_at(&browser, "Mortise console").await;
    browser.stop().await;
    world.end().await;
}

#[tokio::test]
async fn it_works_without_a_script() {
    let (world, browser) = opened().await;
    let driver = browser.driver();
    world.api.connect("acme", CLASS).await;
    browser.scripts(false).await;
    driver.goto(format!("{}/console", world.api.base())).await.unwrap();
    browser.fill("#key", world.api.key()).await;
    browser.follow("#sign-in").await;
    arrives_at(&browser, "Connections").await;
    browser.follow("tbody tr a").await;
    assert!(browser.text(".timeline").await.contains("Connected"));
    assert_in_order(&browser).await;
    browser.stop().await;
    world.end().await;
}
