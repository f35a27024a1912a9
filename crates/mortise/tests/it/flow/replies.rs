//! Replies that make no sense: the caller hears that the provider is to blame, and nothing is lost.

use crate::world::api::{app_id, assert_problem, text};
use crate::world::visitor::{Visitor, title_of};
use crate::world::{PATIENCE, World};
use mortise_sandbox::RecoveryClass;
use mortise_testkit::{Backend, wait};
use serde_json::{Value, json};

const CLASS: RecoveryClass = RecoveryClass::F;
/// Stands in every senseless reply and must never be seen again.
const CANARY: &str = "canary-in-a-reply";

/// What a provider may send instead of tokens, none of it with an effect on what it granted.
fn senseless() -> Vec<(&'static str, Value)> {
    let body = |text: String| json!({"status": 200, "body": text, "content_type": "application/json"});
    let token = |more: Value| {
        let mut reply = json!({"access_token": CANARY, "token_type": "Bearer", "expires_in": 600});
        reply.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body(reply.to_string())
    };
    vec![
        ("a page", json!({"status": 200, "body": format!("<!doctype html><p>{CANARY}"), "content_type": "text/html"})),
        ("nothing", body(String::new())),
        ("half a document", body(format!("{{\"access_token\":\"{CANARY}"))),
        ("a list", body(format!("[\"{CANARY}\"]"))),
        ("a huge document", token(json!({"padding": "x".repeat(3 << 20)}))),
        ("no token", body(json!({"token_type": "Bearer", "note": CANARY}).to_string())),
        ("a number as token", token(json!({"access_token": 42}))),
        ("an empty token", token(json!({"access_token": ""}))),
        ("a token with a line break", token(json!({"access_token": format!("{CANARY}\r\nX: y")}))),
        ("a token for another scheme", token(json!({"token_type": {"a": 1}}))),
        (
            "an error in a success",
            body(json!({"error": "temporarily_unavailable", "error_description": CANARY}).to_string()),
        ),
        ("a failure", json!({"status": 502, "body": CANARY, "content_type": "text/plain"})),
    ]
}

/// Asks for a refresh until there is one.
async fn healed(world: &World, connection: &str) {
    let healed = wait::until(PATIENCE, async || {
        let answer = world.api.refresh(connection).await;
        assert!([200, 503].contains(&answer.status), "{answer:?}");
        Ok((answer.status == 200).then_some(()))
    });
    healed.await.unwrap();
}

#[tokio::test]
async fn a_refresh_that_makes_no_sense_loses_nothing() {
    let world = World::serving(Backend::Sqlite).await;
    world.provider.lifetime(CLASS, 600);
    world.api.register(&world.provider, CLASS).await;
    let connection = world.api.connect("acme", CLASS).await;
    for (what, action) in senseless() {
        let token = world.api.access_token(&connection).await;
        world.provider.script(CLASS, "refresh_token", 1, action);
        let answer = world.api.refresh(&connection).await;
        assert!(answer.status == 503, "{what}: {answer:?}");
        assert_problem(&answer, 503, "provider_unavailable");
        assert!(!answer.body.contains(CANARY), "{what}: {answer:?}");
        assert_eq!(world.api.access_token(&connection).await, token, "{what}");
        let view = world.api.connection(&connection).await;
        assert_eq!(view["state"], "active", "{what}: {view}");
        // At once, or where the reply was not read to its end, as soon as it can no longer be under way.
        healed(&world, &connection).await;
    }
    // One senseless and one good request each: those in between never left.
    assert_eq!(world.provider.count(CLASS, "refresh_token"), 2 * senseless().len());
    let timeline = world.api.get(&format!("/connections/{connection}/events?limit=100")).await.expect(200).body;
    assert!(!timeline.contains(CANARY), "{timeline}");
    let totals = world.provider.sandbox.totals();
    assert_eq!((totals.reuse_events, totals.overlaps, totals.live_grants), (0, 0, 1));
    let log = world.server.as_ref().unwrap().output();
    assert!(!log.contains(CANARY), "{log}");
    world.end().await;
}

/// A reply that breaks off may have had its effect. Where the old refresh token stays good, the next attempt mends it, but
/// not before the one that broke off can no longer be under way.
#[tokio::test]
async fn a_refresh_that_breaks_off_is_repeated_when_it_is_safe() {
    // Each waits for the time in which its first request may still be processed.
    let ways = [json!({"truncate_at": 20}), json!({"drop": "after"}), json!({"drop": "before"})];
    futures_util::future::join_all(ways.map(breaks_off)).await;
}

async fn breaks_off(action: Value) {
    let class = RecoveryClass::M;
    let world = World::serving(Backend::Postgres).await;
    world.provider.lifetime(class, 600);
    world.api.register(&world.provider, class).await;
    let connection = world.api.connect("acme", class).await;
    let token = world.api.access_token(&connection).await;
    world.provider.script(class, "refresh_token", 1, action.clone());
    assert_problem(&world.api.refresh(&connection).await, 503, "provider_unavailable");
    assert_eq!(world.api.access_token(&connection).await, token, "{action}");
    healed(&world, &connection).await;
    assert_eq!(world.provider.count(class, "refresh_token"), 2, "{action}");
    assert_eq!(world.provider.sandbox.totals().overlaps, 0);
    assert!(world.provider.alive(&world.api.access_token(&connection).await));
    world.end().await;
}

#[tokio::test]
async fn a_code_exchange_that_makes_no_sense_can_be_begun_again() {
    let world = World::serving(Backend::MariaDb).await;
    world.api.register(&world.provider, CLASS).await;
    let session = world.api.session("acme", json!({ "apps": [app_id(CLASS)] })).await;
    let mut visitor = Visitor::new();
    let replies = senseless();
    let count = replies.len();
    for (what, action) in replies {
        world.provider.script(CLASS, "authorization_code", 1, action);
        let callback = visitor.up_to_the_callback(&session.url, &app_id(CLASS), "allow").await;
        let answer = visitor.get(&callback).await;
        assert_eq!((answer.status, title_of(&answer.body)), (502, "The connection was not completed"), "{what}");
        assert!(!answer.body.contains(CANARY) && answer.body.contains("/connect/"), "{what}: {}", answer.body);
    }
    assert_eq!(world.provider.count(CLASS, "authorization_code"), count, "a code is never sent twice");
    assert_eq!(world.api.get("/connections").await.json()["items"], json!([]));
    visitor.consent(&session.url, &app_id(CLASS)).await;
    let connection = world.api.result_of(&session).await;
    let token = text(&world.api.token(&connection).await, "access_token");
    assert!(world.provider.alive(&token));
    world.end().await;
}
