//! The pages in a real browser, with the sandbox as the provider: whether the policy lets the whole chain of redirects
//! through, whether anything is blocked or complained about, and whether each page fits its screen.

use super::rig::Rig;
use actix_web::{App, HttpServer, web};
use mortise_domain::ClientSecret;
use mortise_oauth::testing::ScriptedTransport;
use mortise_oauth::{Egress, EgressPolicy};
use mortise_sandbox::{DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, RunningSandbox, Sandbox, SandboxConfig};
use mortise_server::pages;
use mortise_testkit::{Chromium, ports, wait, workspace_root};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where the pictures go, for whoever wants to look.
fn picture(name: &str) -> PathBuf {
    workspace_root().join("target/pages").join(format!("{name}.png"))
}

/// The pages and the sandbox, served on loopback.
struct Site {
    rig: Rig,
    base: String,
    server: actix_web::dev::ServerHandle,
    sandbox: RunningSandbox,
}

impl Site {
    async fn start() -> Self {
        let (sandbox, provider) = Sandbox::bind(SandboxConfig::default()).unwrap();
        actix_web::rt::spawn(provider);
        let base = format!("http://127.0.0.1:{}", ports::free().unwrap());
        let policy = EgressPolicy { allow: vec!["127.0.0.0/8".parse().unwrap()] };
        let egress = Arc::new(Egress::new(policy.clone()).unwrap());
        let rig = Rig::with(&base, policy, egress, Arc::new(ScriptedTransport::new())).await;
        let state = rig.state.clone();
        let server = HttpServer::new(move || {
            App::new().app_data(state.clone()).configure(pages::configure).default_service(web::to(pages::not_found))
        });
        let server = server.workers(1).bind(base.trim_start_matches("http://")).unwrap().run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let site = Self { rig, base, server: handle, sandbox };
        site.register().await;
        site
    }

    async fn register(&self) {
        let provider = format!("{}/f", self.sandbox.base_url().trim_end_matches('/'));
        let manifest = format!(
            "id: plain\nname: Northwind Books\ndescription: Invoices and ledgers in one place.\nauth:\n  type: oauth2\n  \
             grant: authorization_code\n  authorization_url: {provider}/authorize\n  token_url: {provider}/token\n  \
             revocation_url: {provider}/revoke\n  recovery_class: F\n\
             scopes:\n  read: See your invoices and contacts\n  write: Change and send invoices in your name\n"
        );
        self.rig.register(&manifest).await;
        let rig = &self.rig;
        let id = "plain".parse().unwrap();
        let view = rig.broker().app(&rig.caller, &id).await.unwrap();
        let input = mortise_broker::AppInput {
            connector: view.connector,
            connector_version: None,
            client_id: DEFAULT_CLIENT_ID.into(),
            client_secret: Some(ClientSecret::new(DEFAULT_CLIENT_SECRET)),
            scopes: view.scopes,
            settings: view.settings,
        };
        rig.broker().update_app(&rig.caller, &id, input).await.unwrap();
    }

    async fn stop(self) {
        self.server.stop(false).await;
        self.sandbox.stop().await;
    }
}

/// Light, dark and narrow, each without a word of complaint and without a line that does not fit.
async fn look(browser: &Chromium, name: &str) {
    for (variant, width, height, dark) in
        [("light", 1280, 1000, false), ("dark", 1280, 860, true), ("narrow", 360, 1400, false)]
    {
        browser.resize(width, height).await;
        browser.prefer_dark(dark).await;
        browser.screenshot(picture(&format!("{name}-{variant}"))).await;
        let wide = browser.driver().execute("return document.documentElement.scrollWidth", vec![]).await.unwrap();
        assert!(wide.json().as_u64().unwrap() <= u64::from(width), "{name} is {} wide on {width}", wide.json());
    }
    browser.resize(1280, 860).await;
    browser.prefer_dark(false).await;
    assert_eq!(complaints(browser).await, Vec::<String>::new(), "{name}");
}

/// What the browser complained about, but for a page that says no: Chromium notes each such status as an error.
async fn complaints(browser: &Chromium) -> Vec<String> {
    let said_no = |entry: &String| entry.contains("Failed to load resource: the server responded with a status of 4");
    browser.console().await.into_iter().filter(|entry| !said_no(entry)).collect()
}

async fn address(browser: &Chromium) -> String {
    browser.driver().current_url().await.unwrap().to_string()
}

/// Waits for the address that a click leads to.
async fn arrives(browser: &Chromium, expected: &str) {
    let within = Duration::from_secs(20);
    let arrived = async || Ok((address(browser).await == expected).then_some(()));
    if wait::until(within, arrived).await.is_err() {
        panic!("at {} and not at {expected}: {:?}", address(browser).await, browser.console().await);
    }
}

#[actix_web::test]
async fn from_the_link_over_the_provider_to_the_console() {
    let site = Site::start().await;
    let browser = Chromium::start().await;
    let driver = browser.driver();
    driver.goto(format!("{}{}", site.base, site.rig.link(None).await)).await.unwrap();
    look(&browser, "consent").await;
    browser.follow("button[name=app]").await;
    browser.element("#deny").await;
    assert!(address(&browser).await.starts_with(site.sandbox.base_url()), "{}", address(&browser).await);
    browser.follow("#deny").await;
    assert_eq!(browser.text("h1").await, "Nothing was connected");
    look(&browser, "denied").await;
    let denied = address(&browser).await;
    assert!(denied.contains("/oauth/callback/") && !denied.contains("state="), "{denied}");
    browser.follow("#again").await;
    browser.follow("button[name=app]").await;
    browser.follow("#allow").await;
    arrives(&browser, &format!("{}/connect/done", site.base)).await;
    assert!(driver.source().await.unwrap().contains("Northwind Books is connected"));
    look(&browser, "done").await;

    driver.goto(format!("{}/console", site.base)).await.unwrap();
    look(&browser, "sign-in").await;
    browser.fill("#key", "mrt_wrong").await;
    browser.follow("#sign-in").await;
    assert!(browser.text("[role=alert]").await.contains("This key was not accepted"));
    browser.fill("#key", &site.rig.key).await;
    browser.follow("#sign-in").await;
    arrives(&browser, &format!("{}/console", site.base)).await;
    look(&browser, "console").await;
    browser.follow("tbody a").await;
    look(&browser, "connection").await;
    for section in ["apps", "connectors", "customers"] {
        browser.follow(&format!("nav a[href='/console/{section}']")).await;
        look(&browser, section).await;
    }
    browser.follow("#sign-out").await;
    arrives(&browser, &format!("{}/console/sign-in", site.base)).await;
    driver.goto(format!("{}/console/apps", site.base)).await.unwrap();
    arrives(&browser, &format!("{}/console/sign-in", site.base)).await;
    browser.stop().await;
    site.stop().await;
}

#[actix_web::test]
async fn several_apps_and_a_field_that_becomes_part_of_a_host() {
    let site = Site::start().await;
    site.rig.register(super::rig::ACME).await;
    let browser = Chromium::start().await;
    browser.driver().goto(format!("{}{}", site.base, site.rig.link(None).await)).await.unwrap();
    look(&browser, "choices").await;
    browser.click("details:has(input[data-gap]) summary").await;
    assert!(browser.text("details[open] .where").await.starts_with("You go to [shop].acme.example, "));
    browser.fill("input[data-gap]", "demo").await;
    assert!(browser.text("details[open] .where").await.starts_with("You go to demo.acme.example, "));
    browser.fill("input[data-gap]", "_nonsense!").await;
    assert!(browser.text("details[open] .where").await.starts_with("You go to [shop].acme.example, "));
    browser.follow("details[open] button").await;
    assert!(browser.text("[role=alert]").await.contains("Your Acme shop"));
    look(&browser, "field-fault").await;
    browser.stop().await;
    site.stop().await;
}

#[actix_web::test]
async fn everything_works_without_a_script() {
    let site = Site::start().await;
    site.rig.register(super::rig::ACME).await;
    let browser = Chromium::start().await;
    browser.scripts(false).await;
    browser.driver().goto(format!("{}{}", site.base, site.rig.link(None).await)).await.unwrap();
    browser.click("details:has(button[value=plain]) summary").await;
    browser.follow("button[value=plain]").await;
    browser.follow("#allow").await;
    arrives(&browser, &format!("{}/connect/done", site.base)).await;
    browser.driver().goto(format!("{}/console", site.base)).await.unwrap();
    browser.fill("#key", &site.rig.key).await;
    browser.follow("#sign-in").await;
    browser.follow("tbody a").await;
    assert!(browser.text(".timeline time").await.ends_with(" UTC"));
    browser.follow("#sign-out").await;
    arrives(&browser, &format!("{}/console/sign-in", site.base)).await;
    browser.stop().await;
    site.stop().await;
}
