//! What people see: a real browser on the consent page, at the provider and back, and on the console.

mod connect;
mod console;
mod look;

use crate::world::api::app_id;
use crate::world::{PATIENCE, World};
use mortise_sandbox::RecoveryClass;
use mortise_testkit::{Backend, Chromium, wait, workspace_root};
use std::path::PathBuf;
use thirtyfour::{By, WebElement};

const CLASS: RecoveryClass = RecoveryClass::F;

async fn opened() -> (World, Chromium) {
    let world = World::serving(Backend::Sqlite).await;
    world.command(&["environments", "set", "dev", "--display-name", "Example Corp"]).await;
    world.api.register(&world.provider, CLASS).await;
    (world, Chromium::start().await)
}

/// The first element that fits, waiting for it: a click may come back before the next page does.
pub async fn element(browser: &Chromium, by: By) -> WebElement {
    let found = wait::until(PATIENCE, async || Ok(browser.driver().find(by.clone()).await.ok()));
    match found.await {
        Ok(element) => element,
        Err(_) => panic!("no {by:?} at {}", browser.driver().current_url().await.unwrap()),
    }
}

/// The text of the first element that fits.
async fn shown(browser: &Chromium, css: &str) -> String {
    element(browser, By::Css(css)).await.text().await.unwrap()
}

async fn click(browser: &Chromium, css: &str) {
    element(browser, By::Css(css)).await.click().await.unwrap();
}

/// Waits for a page with this heading.
pub async fn arrives_at(browser: &Chromium, heading: &str) {
    let driver = browser.driver();
    let arrived = wait::until(PATIENCE, async || {
        let Ok(found) = driver.find(By::Tag("h1")).await else { return Ok(None) };
        // The page may change under the question.
        Ok(found.text().await.ok().filter(|text| text == heading))
    });
    if arrived.await.is_err() {
        panic!("no page `{heading}`: {} says\n{}", driver.current_url().await.unwrap(), driver.source().await.unwrap());
    }
}

/// Nothing was written to the console: no script failed, and no policy blocked anything.
async fn assert_in_order(browser: &Chromium) {
    let url = browser.driver().current_url().await.unwrap();
    assert_eq!(browser.console().await, Vec::<String>::new(), "{url}");
}

fn picture(name: &str) -> PathBuf {
    workspace_root().join("target/screenshots").join(format!("{name}.png"))
}

/// The app of the world.
fn app() -> String {
    app_id(CLASS)
}
