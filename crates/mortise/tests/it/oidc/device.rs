//! The device flow (RFC 8628) at the certified provider: a real browser enters the code, the worker asks, and the connection
//! lives like any other, by whatever the client proves itself.

use super::{SECRET, lives_and_ends, was_content};
use crate::browser::arrives_at;
use crate::world::World;
use mortise_testkit::{Backend, Chromium, OidcConfig, OidcProvider, oidc_manifest};
use serde_json::{Value, json};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// RFC 7515 appendix A.3.1.
const PUBLIC: &str = r#"{"kty":"EC","crv":"P-256","kid":"k1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const KEY: &str = r#"{"kty":"EC","crv":"P-256","kid":"k1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

#[tokio::test]
async fn a_code_that_is_entered_in_a_browser_makes_a_connection_that_renews() {
    a_life("client_secret_basic", Some(SECRET), json!({})).await;
}

#[tokio::test]
async fn a_client_without_a_secret_asks_by_its_name_alone() {
    a_life("none", None, json!({})).await;
}

#[tokio::test]
async fn a_client_with_a_key_signs_every_question() {
    let keys = json!({"keys": [serde_json::from_str::<Value>(PUBLIC).unwrap()]});
    a_life("private_key_jwt", Some(KEY), json!({"jwks": keys, "token_endpoint_auth_signing_alg": "ES256"})).await;
}

/// From the link to the end of the tokens, for a client that proves itself by `method`.
async fn a_life(method: &'static str, secret: Option<&str>, more: Value) {
    let mut world = World::running(Backend::Sqlite).await;
    let mut metadata = json!({
        "grant_types": [GRANT_TYPE, "refresh_token"], "redirect_uris": [], "response_types": [],
    });
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let config = OidcConfig {
        client_auth: method,
        client_secret: SECRET.to_owned(),
        access_token_lifetime: 600,
        client_metadata: metadata,
        ..OidcConfig::new("http://127.0.0.1:9/unused")
    };
    let provider = OidcProvider::start(config).await;
    let mut connector = oidc_manifest("certified", provider.issuer());
    let auth = connector["auth"].as_object_mut().unwrap();
    auth["grant"] = json!("device_code");
    auth["client_authentication"] = json!(method);
    auth.insert("device_authorization_url".into(), json!(format!("{}/device/auth", provider.issuer())));
    for member in ["authorization_url", "authorization_response_iss_parameter_supported"] {
        auth.remove(member);
    }
    // Whom an assertion is for.
    if method != "private_key_jwt" {
        auth.remove("issuer");
    }
    world.api.post("/connectors", &connector).await.expect(201);
    let mut app = json!({
        "id": "certified", "connector": "certified", "client_id": "mortise", "scopes": ["openid", "offline_access"],
    });
    app.as_object_mut().unwrap().extend(secret.map(|secret| ("client_secret".to_owned(), json!(secret))));
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
    lives_and_ends(&world, &provider, &connection).await;
    // Who asks before the code was entered is told so.
    was_content(&provider, &["authorization_pending"]).await;
    world.stop_worker().await;
    world.end().await;
}
