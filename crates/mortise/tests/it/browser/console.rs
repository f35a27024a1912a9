//! The console: whoever has a key signs in and sees what the key may read.

use super::look::portray;
use super::{CLASS, app, arrives_at, assert_in_order, click, element, opened, shown};
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
    element(&browser, By::Id("key")).await.send_keys("mrt_dev_nonsense").await.unwrap();
    click(&browser, "#sign-in").await;
    assert!(shown(&browser, ".problem").await.contains("not accepted"));
    // The status of that page is an error, which browsers note down by themselves.
    browser.console().await;
    element(&browser, By::Id("key")).await.send_keys(world.api.key()).await.unwrap();
    click(&browser, "#sign-in").await;
    arrives_at(&browser, "Connections").await;
    portray(&browser, "console-connections").await;
    let row = shown(&browser, "tbody tr").await;
    assert!(row.contains("acme") && row.contains(&app()) && row.contains("Active"), "{row}");

    click(&browser, "tbody tr a").await;
    shown(&browser, ".timeline li:nth-child(3)").await;
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
        shown(&browser, "main h1").await;
        portray(&browser, &format!("console-{page}")).await;
    }

    click(&browser, "#sign-out").await;
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
    element(&browser, By::Id("key")).await.send_keys(world.api.key()).await.unwrap();
    click(&browser, "#sign-in").await;
    arrives_at(&browser, "Connections").await;
    click(&browser, "tbody tr a").await;
    assert!(shown(&browser, ".timeline").await.contains("Connected"));
    assert_in_order(&browser).await;
    browser.stop().await;
    world.end().await;
}
