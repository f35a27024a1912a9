//! The finisher check: where it is required, nothing is exchanged before the backend has said who came back.

use crate::world::World;
use crate::world::api::{RETURN_URL, Session, app_id, assert_problem, text};
use crate::world::visitor::Visitor;
use mortise_sandbox::RecoveryClass;
use mortise_testkit::Backend;
use serde_json::{Value, json};
use url::Url;

const CLASS: RecoveryClass = RecoveryClass::F;

/// An environment of its own, and a customer who has just come back to the backend with a completion code.
async fn returned(backend: Backend) -> (World, Session, String) {
    let mut world = World::prepared(backend, "staging").await;
    world.serve().await;
    world.api.register(&world.provider, CLASS).await;
    let session = world.api.session("acme", json!({"apps": [app_id(CLASS)], "return_url": RETURN_URL})).await;
    let landed = Url::parse(&Visitor::new().consent(&session.url, &app_id(CLASS)).await).unwrap();
    let value = |name| landed.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    assert_eq!(value("status").as_deref(), Some("awaiting_completion"), "{landed}");
    assert_eq!(value("session").as_ref(), Some(&session.id));
    assert_eq!(world.provider.token_requests(CLASS).len(), 0, "the code was exchanged before anybody confirmed");
    assert_eq!(status(&world, &session).await["status"], "awaiting_completion");
    let code = value("code").unwrap();
    (world, session, code)
}

async fn status(world: &World, session: &Session) -> Value {
    world.api.get(&format!("/connect-sessions/{}", session.id)).await.expect(200).json()
}

async fn complete(world: &World, session: &Session, code: &str, customer: &str) -> mortise_testkit::Answer {
    let path = format!("/connect-sessions/{}/complete", session.id);
    world.api.post(&path, &json!({"code": code, "customer": customer})).await
}

#[tokio::test]
async fn the_right_customer_connects_once() {
    let (world, session, code) = returned(Backend::Postgres).await;
    let view = complete(&world, &session, &code, "acme").await.expect(200).json();
    let connection = text(&view, "id");
    assert_eq!(view["state"], "active");
    assert_eq!(world.api.result_of(&session).await, connection);
    assert!(world.provider.alive(&world.api.access_token(&connection).await));
    assert_problem(&complete(&world, &session, &code, "acme").await, 409, "session_not_open");
    assert_eq!(world.provider.count(CLASS, "authorization_code"), 1);
    world.end().await;
}

#[tokio::test]
async fn the_wrong_customer_ends_the_flow_for_everybody() {
    let (world, session, code) = returned(Backend::Sqlite).await;
    world.api.put_customer("mallory").await;
    assert_problem(&complete(&world, &session, &code, "mallory").await, 403, "wrong_finisher");
    let view = status(&world, &session).await;
    assert!(view["status"] == "failed" && view["error"].is_string(), "{view}");
    // Nobody gets a second guess.
    assert_problem(&complete(&world, &session, &code, "acme").await, 409, "session_not_open");
    assert_eq!(world.provider.token_requests(CLASS).len(), 0);
    assert_eq!(world.api.get("/connections").await.json()["items"], json!([]));
    world.end().await;
}

#[tokio::test]
async fn a_wrong_code_ends_the_flow_too() {
    let (world, session, code) = returned(Backend::MariaDb).await;
    assert_problem(&complete(&world, &session, "a-guess", "acme").await, 403, "wrong_finisher");
    // Nobody gets a second guess.
    assert_problem(&complete(&world, &session, &code, "acme").await, 409, "session_not_open");
    assert_eq!(world.provider.token_requests(CLASS).len(), 0);
    world.end().await;
}

#[tokio::test]
async fn a_late_confirmation_is_refused() {
    let (world, session, code) = returned(Backend::Sqlite).await;
    // A minute later, as far as the row says.
    let database = world.database.connect().await;
    let set_back = "UPDATE authorization_attempts SET code_expires_at = code_expires_at - 60000";
    sea_orm::ConnectionTrait::execute_unprepared(&database, set_back).await.unwrap();
    assert_problem(&complete(&world, &session, &code, "acme").await, 409, "session_not_open");
    assert_eq!(status(&world, &session).await["status"], "failed");
    assert_eq!(world.provider.token_requests(CLASS).len(), 0);
    world.end().await;
}

#[tokio::test]
async fn another_environments_key_cannot_confirm() {
    let (world, session, code) = returned(Backend::Sqlite).await;
    let stranger = world.api.with_key(world.api_key("dev").await);
    let path = format!("/connect-sessions/{}/complete", session.id);
    let refused = stranger.post(&path, &json!({"code": code, "customer": "acme"})).await;
    assert_problem(&refused, 404, "not_found");
    complete(&world, &session, &code, "acme").await.expect(200);
    world.end().await;
}

#[tokio::test]
async fn a_link_without_a_way_back_to_the_backend_is_refused() {
    let mut world = World::prepared(Backend::Sqlite, "staging").await;
    world.serve().await;
    world.api.register(&world.provider, CLASS).await;
    world.api.put_customer("acme").await;
    let refused = world.api.post("/connect-sessions", &json!({"customer": "acme", "apps": [app_id(CLASS)]})).await;
    assert!(refused.status == 422 && refused.body.contains("/return_url"), "{refused:?}");
    world.command(&["environments", "set", "staging", "--finisher-check", "off"]).await;
    world.api.session("acme", json!({ "apps": [app_id(CLASS)] })).await;
    world.end().await;
}
