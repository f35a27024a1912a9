//! Chromium: pages, pictures, colours, sizes, and nothing left running.

use mortise_testkit::Chromium;
use serde_json::json;
use std::fs;

const PAGE: &str = "data:text/html,<title>A page</title><style>body{background:white}\
                    @media (prefers-color-scheme:dark){body{background:rgb(1,2,3)}}</style><h1>Hello</h1>";

async fn ask(browser: &Chromium, expression: &str) -> serde_json::Value {
    browser.driver().execute(format!("return {expression}"), vec![]).await.unwrap().json().clone()
}

#[tokio::test]
async fn shows_a_page_in_the_asked_size_and_colours() {
    let browser = Chromium::start().await;
    browser.driver().goto(PAGE).await.unwrap();
    assert_eq!(browser.driver().title().await.unwrap(), "A page");
    assert_eq!(ask(&browser, "[innerWidth, innerHeight]").await, json!([1280, 800]));

    browser.resize(390, 844).await;
    assert_eq!(ask(&browser, "[innerWidth, innerHeight]").await, json!([390, 844]));
    let background = "getComputedStyle(document.body).backgroundColor";
    assert_eq!(ask(&browser, background).await, json!("rgb(255, 255, 255)"));
    browser.prefer_dark(true).await;
    assert_eq!(ask(&browser, background).await, json!("rgb(1, 2, 3)"));
    browser.prefer_dark(false).await;
    assert_eq!(ask(&browser, background).await, json!("rgb(255, 255, 255)"));

    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("pictures/page.png");
    browser.screenshot(&picture).await;
    let png = fs::read(picture).unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let pixels = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!((pixels(16), pixels(20)), (390, 844));
    browser.stop().await;
}

#[tokio::test]
async fn the_console_is_heard() {
    let browser = Chromium::start().await;
    browser.driver().goto(PAGE).await.unwrap();
    assert_eq!(browser.console().await, Vec::<String>::new());
    ask(&browser, "console.error('something is wrong')").await;
    let console = browser.console().await;
    assert!(console.len() == 1 && console[0].contains("something is wrong"), "{console:?}");
    browser.stop().await;
}

#[tokio::test]
async fn nothing_runs_on_when_a_test_gives_up() {
    let browser = Chromium::start().await;
    browser.driver().goto(PAGE).await.unwrap();
    let info = browser.driver().execute("return navigator.userAgent", vec![]).await.unwrap();
    assert!(info.json().as_str().unwrap().contains("Chrome"));
    let profile = browser.profile().to_owned();
    assert!(runs_on(&profile), "the browser's processes cannot be seen");
    drop(browser);
    assert!(!runs_on(&profile), "a browser process is left");
    assert!(!profile.exists(), "the profile is left");
}

fn runs_on(profile: &std::path::Path) -> bool {
    let name = profile.to_string_lossy();
    fs::read_dir("/proc").unwrap().flatten().any(|process| {
        let command = fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains(&*name)
    })
}
