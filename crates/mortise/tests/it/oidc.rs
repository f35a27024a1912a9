//! The main job at a provider that nobody here wrote: `oidc-provider`, strict about PKCE, rotation and reuse. A real
//! browser consents, the worker renews unattended, and the provider's own events say that nothing was ever sent twice.

mod device;
mod discovered;
mod document;
mod fleet;
mod proven;
mod twin;

use crate::browser::arrives_at;
use crate::world::World;
use crate::world::api::{Session, text};
use mortise_testkit::{Answer, Backend, Chromium, Http, OidcConfig, OidcError, OidcProvider, oidc_manifest, wait};
use serde_json::json;
use std::time::Duration;

/// Three renewals of tokens that live for a minute take a minute and a half.
const THREE_RENEWALS: Duration = Duration::from_secs(300);
const SECRET: &str = "canary-oidc-provider-secret";

/// The provider has to know the app's callback before it starts, and the connector has to know the provider's port: so the
/// connector is first registered without a provider behind it, and gets a second version that the app moves to.
async fn introduced(world: &World, lifetime: u32, latency: u32) -> OidcProvider {
    world.api.post("/connectors", &oidc_manifest("certified", "http://127.0.0.1:9")).await.expect(201);
    let app = json!({"connector": "certified", "client_id": "mortise", "client_secret": SECRET, "scopes": ["openid", "offline_access"]});
    let mut new = app.clone();
    new["id"] = json!("certified");
    let redirect_uri = text(&world.api.post("/apps", &new).await.expect(201).json(), "redirect_uri");
    let config = OidcConfig {
        client_secret: SECRET.to_owned(),
        access_token_lifetime: lifetime,
        latency,
        ..OidcConfig::new(redirect_uri)
    };
    let provider = OidcProvider::start(config).await;
    world.api.put("/connectors/certified", &oidc_manifest("certified", provider.issuer())).await.expect(200);
    let mut moved = app.clone();
    moved["connector_version"] = json!(2);
    world.api.put("/apps/certified", &moved).await.expect(200);
    provider
}

/// What a customer does in a browser, from the link to the page that says that it worked.
async fn connect(world: &World) -> String {
    let session: Session = world.api.session("acme", json!({ "apps": ["certified"] })).await;
    let browser = Chromium::start().await;
    let driver = browser.driver();
    driver.goto(&session.url).await.unwrap();
    browser.follow("form.ask button").await;
    browser.fill("[name=login]", "someone").await;
    browser.fill("[name=password]", "anything").await;
    browser.follow("button[type=submit]").await;
    browser.follow("button[type=submit]").await;
    arrives_at(&browser, "Certified provider is connected").await;
    let shown = driver.current_url().await.unwrap();
    assert!(shown.query().is_none(), "code or state stay in the address bar: {shown}");
    // The provider's own pages want fonts from the internet; ours are in order.
    let console = browser.console().await;
    assert!(!console.iter().any(|line| line.contains(world.api.base())), "{console:?}");
    browser.stop().await;
    world.api.result_of(&session).await
}

/// What the provider says of whoever brings `token`.
async fn me(provider: &OidcProvider, token: &str) -> Answer {
    Http::new().with_bearer(token.to_owned()).get(&format!("{}/me", provider.issuer())).await
}

/// From a connection's first token over a renewal to its end, as the provider sees it.
async fn lives_and_ends(world: &World, provider: &OidcProvider, connection: &str) {
    let token = world.api.access_token(connection).await;
    assert_eq!(me(provider, &token).await.expect(200).json()["sub"], "someone");
    world.api.refresh(connection).await.expect(200);
    let newer = world.api.access_token(connection).await;
    assert_ne!(newer, token);
    assert_eq!(me(provider, &newer).await.expect(200).json()["sub"], "someone");
    world.api.delete(&format!("/connections/{connection}")).await.expect(204);
    world.api.wait_for_event(connection, "revoked_upstream", 1).await;
    me(provider, &newer).await.expect(401);
}

/// Nothing was sent twice, and the provider had to refuse nothing but these, and what [`me`] brought after its end.
async fn was_content(provider: &OidcProvider, refused: &[&str]) {
    let events = provider.events().await;
    let expected = |told: &OidcError| told.event == "userinfo.error" || refused.contains(&told.error.as_str());
    let other: Vec<_> = events.errors.iter().filter(|told| !expected(told)).collect();
    assert!(events.reuses == 0 && other.is_empty(), "{events:?}");
}

async fn introspected(provider: &OidcProvider, token: &str) -> bool {
    let http = Http::new();
    let request = http.request(reqwest::Method::POST, &format!("{}/token/introspection", provider.issuer()));
    let answer = http.send(request.form(&[("token", token)]).basic_auth("mortise", Some(SECRET))).await;
    answer.expect(200).json()["active"] == true
}

async fn a_life(backend: Backend, lifetime: u32) {
    let mut world = World::running(backend).await;
    let provider = introduced(&world, lifetime, 0).await;
    let connection = connect(&world).await;
    let first = world.api.token(&connection).await;
    assert_eq!(me(&provider, &text(&first, "access_token")).await.expect(200).json()["sub"], "someone");
    let life = first["expires_in"].as_i64().unwrap();
    assert!((i64::from(lifetime) - 20..=i64::from(lifetime)).contains(&life), "{life}");
    let granted: Vec<String> = serde_json::from_value(first["granted_scopes"].clone()).unwrap();
    assert!(granted.iter().any(|scope| scope == "offline_access"), "{first}");

    let renewed = wait::until(THREE_RENEWALS, async || {
        let events = world.api.events(&connection).await;
        Ok((events.iter().filter(|kind| *kind == "refreshed").count() >= 3).then_some(()))
    });
    renewed.await.unwrap();
    let token = world.api.access_token(&connection).await;
    assert_eq!(me(&provider, &token).await.expect(200).json()["sub"], "someone");
    world.stop_worker().await;
    let events = provider.events().await;
    assert_eq!((events.reuses, events.grants_revoked, &events.errors), (0, 0, &Vec::new()), "{events:?}");
    assert_eq!(
        events.refresh_tokens_consumed + 1,
        events.refresh_tokens,
        "one is alive, all others are used up: {events:?}"
    );
    assert!(events.refresh_tokens_consumed >= 3, "{events:?}");

    assert!(introspected(&provider, &token).await);
    world.api.delete(&format!("/connections/{connection}")).await.expect(204);
    world.api.wait_for_event(&connection, "revoked_upstream", 1).await;
    assert!(!introspected(&provider, &token).await, "the access token outlives the connection");
    let events = provider.events().await;
    assert_eq!((events.reuses, &events.errors), (0, &Vec::new()), "{events:?}");
    world.end().await;
}

#[tokio::test]
async fn tokens_of_a_minute_are_renewed_three_times_unattended() {
    a_life(Backend::Sqlite, 60).await;
}

#[tokio::test]
async fn tokens_of_twenty_seconds_on_postgresql() {
    a_life(Backend::Postgres, 20).await;
}

#[tokio::test]
async fn tokens_of_twenty_seconds_on_mariadb() {
    a_life(Backend::MariaDb, 20).await;
}
