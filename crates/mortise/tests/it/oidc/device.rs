//! The device flow (RFC 8628) at the certified provider: a real browser enters the code, the worker asks, and the connection
//! lives like any other.

use super::{SECRET, introspected};
use crate::browser::arrives_at;
use crate::world::World;
use mortise_testkit::{Backend, Chromium, Http, OidcConfig, OidcProvider, oidc_manifest};
use serde_json::json;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

#[tokio::test]
async fn a_code_that_is_entered_in_a_browser_makes_a_connection_that_renews() {
    let mut world = World::running(Backend::Sqlite).await;
    let config = OidcConfig {
        client_secret: SECRET.to_owned(),
        access_token_lifetime: 600,
        client_metadata: json!({
            "grant_types": [GRANT_TYPE, "refresh_token"], "redirect_uris": [], "response_types": [],
        }),
        ..OidcConfig::new("http://127.0.0.1:9/unused")
    };
    let provider = OidcProvider::start(config).await;
    let mut connector = oidc_manifest("certified", provider.issuer());
    let auth = connector["auth"].as_object_mut().unwrap();
    auth["grant"] = json!("device_code");
    auth.insert("device_authorization_url".into(), json!(format!("{}/device/auth", provider.issuer())));
    for member in ["authorization_url", "issuer", "authorization_response_iss_parameter_supported"] {
        auth.remove(member);
    }
    world.api.post("/connectors", &connector).await.expect(201);
    let app = json!({
        "id": "certified", "connector": "certified", "client_id": "mortise", "client_secret": SECRET,
        "scopes": ["openid", "offline_access"],
    });
    world.api.post("/apps", &app).await.expect(201);
    let session = world.api.session("acme", json!({ "apps": ["certified"] })).await;

    let browser = Chromium::start().await;
    let driver = browser.driver();
    driver.goto(&session.url).await.unwrap();
    browser.follow("form.ask button").await;
    arrives_at(&browser, "Enter this code at Certified provider").await;
    let user_code = browser.text("#user-code").await;
    let here = driver.window().await.unwrap();
    let other = driver.new_tab().await.unwrap();
    driver.switch_to_window(other).await.unwrap();
    driver.goto(format!("{}/device", provider.issuer())).await.unwrap();
    browser.fill("[name=user_code]", &user_code).await;
    browser.follow("button[type=submit]").await;
    // "Is this the code that is shown to you?"
    browser.follow("button[type=submit]").await;
    browser.fill("[name=login]", "someone").await;
    browser.fill("[name=password]", "anything").await;
    browser.follow("button[type=submit]").await;
    browser.follow("button[type=submit]").await;
    driver.switch_to_window(here).await.unwrap();
    arrives_at(&browser, "Certified provider is connected").await;
    browser.stop().await;

    let connection = world.api.result_of(&session).await;
    let token = world.api.access_token(&connection).await;
    let me = Http::new().with_bearer(token.clone()).get(&format!("{}/me", provider.issuer())).await.expect(200).json();
    assert_eq!(me["sub"], "someone");
    world.api.refresh(&connection).await.expect(200);
    let newer = world.api.access_token(&connection).await;
    assert!(newer != token && introspected(&provider, &newer).await);
    world.api.delete(&format!("/connections/{connection}")).await.expect(204);
    world.api.wait_for_event(&connection, "revoked_upstream", 1).await;
    assert!(!introspected(&provider, &newer).await);
    let errors = provider.events().await.errors;
    let other: Vec<_> = errors.iter().filter(|told| told.error != "authorization_pending").collect();
    assert!(other.is_empty(), "the provider had to complain: {other:?}");
    world.stop_worker().await;
    world.end().await;
}
