//! Connections that come about without a consent page: imported, pending, or granted to the client itself.

use crate::world::World;
use crate::world::api::{app_id, assert_problem, text};
use crate::world::visitor::{Visitor, title_of, to};
use mortise_sandbox::{NewGrants, RecoveryClass};
use mortise_testkit::Backend;
use serde_json::json;

const CLASS: RecoveryClass = RecoveryClass::S;

#[tokio::test]
async fn imported_tokens_are_served_and_renewed() {
    let world = World::serving(Backend::Sqlite).await;
    world.provider.lifetime(CLASS, 600);
    world.api.register(&world.provider, CLASS).await;
    world.api.put_customer("acme").await;
    let order = NewGrants {
        class: CLASS,
        client_id: Some(crate::world::provider::CLIENT_ID.to_owned()),
        subject: None,
        scope: "profile".to_owned(),
        count: 1,
    };
    let seeded = world.provider.sandbox.grant(&order).unwrap().remove(0);
    let (access, refresh) =
        (seeded.access_token.expose().to_owned(), seeded.refresh_token.unwrap().expose().to_owned());
    let body = json!({
        "customer": "acme",
        "app": app_id(CLASS),
        "credentials": {"access_token": access, "refresh_token": refresh, "expires_at": in_ten_minutes(), "scopes": ["profile"]},
    });
    let answer = world.api.post("/connections", &body).await.expect(201);
    assert!(!answer.body.contains(&access) && !answer.body.contains(&refresh));
    let connection = text(&answer.json(), "id");
    assert_eq!((&answer.json()["state"], &answer.json()["state_reason"]), (&json!("active"), &json!("imported")));
    assert_eq!(world.api.access_token(&connection).await, access);
    world.api.refresh(&connection).await.expect(200);
    let newer = world.api.access_token(&connection).await;
    assert!(newer != access && world.provider.alive(&newer) && !world.provider.alive(&refresh));
    assert_problem(&world.api.post("/connections", &body).await, 409, "already_exists");
    world.end().await;
}

#[tokio::test]
async fn a_pending_connection_waits_for_its_consent() {
    let world = World::serving(Backend::Postgres).await;
    world.api.register(&world.provider, CLASS).await;
    world.api.put_customer("acme").await;
    let body = json!({"customer": "acme", "app": app_id(CLASS)});
    let view = world.api.post("/connections", &body).await.expect(201).json();
    let connection = text(&view, "id");
    assert_eq!(view["state"], "pending");
    let answer = world.api.get(&format!("/connections/{connection}/token")).await;
    assert_problem(&answer, 409, "connection_pending");
    assert_problem(&world.api.refresh(&connection).await, 409, "connection_pending");
    assert_eq!(world.provider.token_requests(CLASS).len(), 0);

    let session = world.api.session("acme", json!({ "connection": connection })).await;
    Visitor::new().consent(&session.url, &app_id(CLASS)).await;
    assert_eq!(world.api.result_of(&session).await, connection);
    assert!(world.provider.alive(&world.api.access_token(&connection).await));
    world.end().await;
}

#[tokio::test]
async fn a_client_is_granted_tokens_of_its_own() {
    let mut world = World::serving(Backend::Sqlite).await;
    world.provider.lifetime(CLASS, 16);
    let service = |manifest: &mut serde_json::Value| {
        let auth = manifest["auth"].as_object_mut().unwrap();
        auth["grant"] = json!("client_credentials");
        for member in ["authorization_url", "issuer", "authorization_response_iss_parameter_supported"] {
            auth.remove(member);
        }
    };
    world.api.register_changed(&world.provider, CLASS, service).await;
    world.api.put_customer("acme").await;
    let view =
        world.api.post("/connections", &json!({"customer": "acme", "app": app_id(CLASS)})).await.expect(201).json();
    let connection = text(&view, "id");
    assert_eq!((&view["state"], &view["state_reason"]), (&json!("active"), &json!("client_credentials")));
    let token = world.api.access_token(&connection).await;
    assert!(world.provider.sandbox.check(&token).kind == "access_token");
    world.work();
    world.api.wait_for_event(&connection, "refreshed", 2).await;
    world.stop_worker().await;
    assert_eq!(world.provider.count(CLASS, "refresh_token"), 0);
    assert!(world.provider.count(CLASS, "client_credentials") >= 3);

    // The same from a link, which has nobody to send anywhere.
    let session = world.api.session("other", json!({ "apps": [app_id(CLASS)] })).await;
    let mut visitor = Visitor::new();
    let done = to(&visitor.start(&session.url, &app_id(CLASS)).await.expect(303));
    let page = visitor.get(&format!("{}{done}", world.api.base())).await.expect(200).body;
    assert!(title_of(&page).contains("connected"), "{page}");
    assert_ne!(world.api.result_of(&session).await, connection);
    world.end().await;
}

fn in_ten_minutes() -> String {
    use mortise_domain::Clock as _;
    let end = mortise_domain::SystemClock::new().now() + std::time::Duration::from_secs(600);
    end.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
