//! A client that nobody registered (client id metadata document): the provider fetches the document that its id leads to. The
//! public URL is https, as such ids are; only the last step of every request goes over loopback.

use super::{lives_and_ends, was_content};
use crate::world::World;
use crate::world::visitor::{Visitor, to};
use mortise_testkit::{Backend, OidcConfig, OidcProvider};
use serde_json::json;

const PUBLIC: &str = "https://mortise.example";

#[tokio::test]
async fn a_client_is_whom_its_document_says() {
    let mut world = World::prepared(Backend::Sqlite, "dev").await;
    world.set("MORTISE_PUBLIC_URL", PUBLIC);
    world.serve().await;
    world.work();
    let here = |url: &str| url.replacen(PUBLIC, world.api.base(), 1);
    let config = OidcConfig {
        client_documents: Some([PUBLIC.to_owned(), world.api.base().to_owned()]),
        access_token_lifetime: 600,
        ..OidcConfig::new("http://127.0.0.1:9/nobody")
    };
    let provider = OidcProvider::start(config).await;
    let connector = json!({
        "id": "certified", "name": "Certified provider",
        "auth": {
            "type": "oauth2", "grant": "authorization_code", "discovery": {"issuer": provider.issuer()},
            "client_authentication": "none", "default_scopes": ["openid", "offline_access"],
            "authorization_params": {"prompt": "consent"},
        },
    });
    world.api.post("/connectors", &connector).await.expect(201);
    let app = json!({
        "id": "certified", "connector": "certified", "registration": "client_id_metadata_document",
        "client_name": "Acme sync",
    });
    let app = world.api.post("/apps", &app).await.expect(201).json();
    let client = app["client_id"].as_str().unwrap();
    assert!(client.starts_with(&format!("{PUBLIC}/oauth/clients/")), "{app}");

    let session = world.api.session("acme", json!({ "apps": ["certified"] })).await;
    let mut visitor = Visitor::new();
    let authorize = to(&visitor.start(&here(&session.url), "certified").await.expect(303));
    let callback = visitor.decide_at_oidc(&authorize, "someone").await;
    assert!(callback.starts_with(app["redirect_uri"].as_str().unwrap()), "{callback}");
    assert_eq!(to(&visitor.get(&here(&callback)).await.expect(303)), "/connect/done");

    let connection = world.api.result_of(&session).await;
    lives_and_ends(&world, &provider, &connection).await;
    was_content(&provider, &[]).await;
    world.end().await;
}
