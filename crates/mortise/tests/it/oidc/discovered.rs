//! The same provider with nothing written out: its metadata, a resource like an MCP server behind it, and a client that
//! registers itself. The whole life of a connection, from an address to the end of its tokens.

use crate::browser::arrives_at;
use crate::world::World;
use crate::world::api::{Session, text};
use mortise_testkit::{Backend, Chromium, Http, OidcConfig, OidcProvider, wait};
use serde_json::{Value, json};
use std::time::Duration;

const LIFETIME: u32 = 20;

async fn provider() -> OidcProvider {
    let config = OidcConfig {
        registration: true,
        access_token_lifetime: LIFETIME,
        ..OidcConfig::new("http://127.0.0.1:9/nobody")
    };
    OidcProvider::start(config).await
}

async fn connect(world: &World, app: &str, name: &str) -> String {
    let session: Session = world.api.session("acme", json!({ "apps": [app] })).await;
    let browser = Chromium::start().await;
    browser.driver().goto(&session.url).await.unwrap();
    browser.follow("form.ask button").await;
    browser.fill("[name=login]", "someone").await;
    browser.fill("[name=password]", "anything").await;
    browser.follow("button[type=submit]").await;
    browser.follow("button[type=submit]").await;
    arrives_at(&browser, &format!("{name} is connected")).await;
    browser.stop().await;
    world.api.result_of(&session).await
}

async fn of_resource(provider: &OidcProvider, token: &str) -> Value {
    let http = Http::new().with_bearer(token.to_owned());
    http.get(&format!("{}/mcp", provider.issuer())).await.expect(200).json()
}

#[tokio::test]
async fn an_mcp_server_by_its_address_alone() {
    let mut world = World::running(Backend::Sqlite).await;
    let provider = provider().await;
    let resource = format!("{}/mcp", provider.issuer());
    let made =
        world.api.post("/connectors", &json!({"mcp": resource, "id": "tools", "name": "Tools"})).await.expect(201);
    let auth = made.json()["manifest"]["auth"].clone();
    for (member, expected) in [
        ("issuer", json!(provider.issuer())),
        ("token_url", json!(format!("{}/token", provider.issuer()))),
        ("authorization_url", json!(format!("{}/auth", provider.issuer()))),
        ("revocation_url", json!(format!("{}/token/revocation", provider.issuer()))),
        ("registration_url", json!(format!("{}/reg", provider.issuer()))),
        ("resource", json!(resource)),
        ("authorization_response_iss_parameter_supported", json!(true)),
        ("default_scopes", json!(["mcp", "offline_access", "openid"])),
        ("client_authentication", json!("none")),
        ("discovery", json!({"protected_resource": resource})),
    ] {
        assert_eq!(auth[member], expected, "{member}: {auth}");
    }
    let same = world.api.post("/connectors/tools/discover", &json!({})).await.expect(200).json();
    assert_eq!((&same["outcome"], &same["version"]), (&json!("same"), &json!(1)), "{same}");

    let app = json!({"id": "tools", "connector": "tools", "registration": "dynamic", "client_name": "Acme sync"});
    let app = world.api.post("/apps", &app).await.expect(201).json();
    let client = text(&app, "client_id");
    assert_eq!(
        (&app["has_client_secret"], &app["registration"]["method"]),
        (&json!(false), &json!("dynamic")),
        "{app}"
    );
    assert_eq!(app["registration"]["issuer"], provider.issuer());

    let connection = connect(&world, "tools", "Tools").await;
    let token = world.api.access_token(&connection).await;
    let told = of_resource(&provider, &token).await;
    assert_eq!((&told["account"], &told["client"]), (&json!("someone"), &json!(client)), "{told}");
    let renewed = wait::until(Duration::from_secs(120), async || {
        let events = world.api.events(&connection).await;
        Ok((events.iter().filter(|kind| *kind == "refreshed").count() >= 2).then_some(()))
    });
    renewed.await.unwrap();
    let token = world.api.access_token(&connection).await;
    assert_eq!(of_resource(&provider, &token).await["account"], "someone", "a renewed token is good for it too");
    world.stop_worker().await;
    world.work();
    world.api.delete(&format!("/connections/{connection}")).await.expect(204);
    world.api.wait_for_event(&connection, "revoked_upstream", 1).await;
    let http = Http::new().with_bearer(token);
    http.get(&resource).await.expect(401);
    let events = provider.events().await;
    assert_eq!((events.reuses, &events.errors), (0, &Vec::new()), "{events:?}");
    world.end().await;
}

/// A confidential client that registered itself: its secret is sealed, and proves it.
#[tokio::test]
async fn an_issuer_is_discovered_and_a_confidential_client_registers() {
    let world = World::running(Backend::Sqlite).await;
    let provider = provider().await;
    let manifest = json!({
        "id": "certified", "name": "Certified provider",
        "auth": {
            "type": "oauth2", "grant": "authorization_code", "discovery": {"issuer": provider.issuer()},
            "default_scopes": ["openid", "offline_access"], "authorization_params": {"prompt": "consent"},
        },
    });
    let shown = world.api.post("/connectors/validate", &manifest).await.expect(200).json();
    assert_eq!(
        (&shown["valid"], &shown["discovered"]["client_authentication"]),
        (&json!(true), &json!("client_secret_basic"))
    );
    world.api.post("/connectors", &manifest).await.expect(201);
    let app = json!({"id": "certified", "connector": "certified", "registration": "dynamic"});
    let app = world.api.post("/apps", &app).await.expect(201).json();
    assert_eq!(
        (&app["has_client_secret"], &app["registration"]["client_secret_expires_at"]),
        (&json!(true), &json!(null))
    );
    let connection = connect(&world, "certified", "Certified provider").await;
    let me = Http::new().with_bearer(world.api.access_token(&connection).await);
    assert_eq!(me.get(&format!("{}/me", provider.issuer())).await.expect(200).json()["sub"], "someone");
    world.api.delete(&format!("/connections/{connection}")).await.expect(204);
    world.api.wait_for_event(&connection, "revoked_upstream", 1).await;
    assert_eq!(provider.events().await.errors, Vec::new());
    world.end().await;
}

#[tokio::test]
async fn the_command_writes_out_what_it_finds() {
    let world = World::prepared(Backend::Sqlite, "dev").await;
    let provider = provider().await;
    let written = world.command(&["connectors", "discover", provider.issuer(), "--id", "certified"]).await;
    let file = world.folder.path().join("certified.yaml");
    std::fs::write(&file, &written).unwrap();
    let file = file.to_str().unwrap();
    let requests = world.command(&["connectors", "simulate", file]).await;
    for url in ["/auth?", "/token\n", "/reg\n", "/token/revocation\n"] {
        assert!(requests.contains(&format!("{}{url}", provider.issuer())), "{url}:\n{requests}");
    }
    let metadata = format!("{}/.well-known/openid-configuration", provider.issuer());
    let again = world.command(&["connectors", "discover", &metadata, "--id", "certified"]).await;
    assert_eq!(
        again.replace(&format!("\n    url: \"{metadata}\""), "").replace(&format!("\n    url: {metadata}"), ""),
        written
    );
    let resource = format!("{}/mcp", provider.issuer());
    let mcp = world.command(&["connectors", "discover", "--mcp", &resource]).await;
    assert!(
        mcp.contains(&format!("resource: {resource}")) || mcp.contains(&format!("resource: \"{resource}\"")),
        "{mcp}"
    );
}
