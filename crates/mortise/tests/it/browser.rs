//! What people see: a real browser on the consent page, at the provider and back, and on the console.

mod connect;
mod console;
mod flows;
mod look;

use crate::world::api::app_id;
use crate::world::{PATIENCE, World};
use mortise_sandbox::RecoveryClass;
use mortise_testkit::{Backend, Chromium, wait, workspace_root};
use std::path::PathBuf;
use thirtyfour::By;

const CLASS: RecoveryClass = RecoveryClass::F;

async fn opened() -> (World, Chromium) {
    let world = World::serving(Backend::Sqlite).await;
    world.command(&["environments", "set", "dev", "--display-name", "Example Corp"]).await;
    world.api.register(&world.provider, CLASS).await;
    (world, Chromium::start().await)
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
