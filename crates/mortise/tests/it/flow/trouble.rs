//! Grants that end at the provider, and clients that it no longer accepts.

use crate::world::api::{app, app_id, assert_problem, text};
use crate::world::visitor::Visitor;
use crate::world::{CLIENT_SECRET, PATIENCE, World};
use mortise_sandbox::{FamilyId, RecoveryClass};
use mortise_testkit::{Backend, wait};
use serde_json::json;

const CLASS: RecoveryClass = RecoveryClass::F;

#[tokio::test]
async fn a_withdrawn_consent_asks_for_a_new_one_which_heals_in_place() {
    let world = World::running(Backend::Postgres).await;
    world.provider.lifetime(CLASS, 16);
    world.api.register_final(&world.provider, CLASS).await;
    let connection = world.api.connect("acme", CLASS).await;
    assert!(world.provider.sandbox.end_grant(FamilyId(1)).unwrap());

    let view = world.api.wait_for_state(&connection, "needs_reauth").await;
    assert_eq!(view["state_reason"], "refresh_token_rejected", "{view}");
    let asked = world.provider.count(CLASS, "refresh_token");
    let answer = world.api.get(&format!("/connections/{connection}/token")).await;
    assert_problem(&answer, 409, "connection_needs_reauth");
    let detail = text(&answer.json(), "detail");
    assert!(detail.contains("connect session") && detail.contains(&connection), "it says how to go on: {detail}");
    assert_eq!((&answer.json()["connection"], &answer.json()["reason"]), (&json!(connection), &view["state_reason"]));
    assert_problem(&world.api.refresh(&connection).await, 409, "connection_needs_reauth");
    assert_eq!(world.provider.count(CLASS, "refresh_token"), asked, "a dead grant is not asked again");

    world.provider.lifetime(CLASS, 600);
    let session = world.api.session("acme", json!({ "connection": connection })).await;
    Visitor::new().consent(&session.url, &app_id(CLASS)).await;
    assert_eq!(world.api.result_of(&session).await, connection, "the same connection");
    let token = world.api.access_token(&connection).await;
    assert_eq!(world.provider.userinfo(CLASS, &token).await["sub"], "alex");
    assert_eq!(world.api.connection(&connection).await["state"], "active");
    world.api.refresh(&connection).await.expect(200);
    let events = world.api.events(&connection).await;
    let story: Vec<_> = events.iter().filter(|kind| !kind.starts_with("refresh")).map(String::as_str).collect();
    assert_eq!(story, ["connected", "needs_reauth", "reconnected"]);
    assert_eq!(world.provider.sandbox.totals().live_grants, 1);
    world.end().await;
}

#[tokio::test]
async fn a_refused_client_holds_the_app_and_not_its_connections() {
    let world = World::running(Backend::Sqlite).await;
    world.provider.lifetime(CLASS, 600);
    world.api.register(&world.provider, CLASS).await;
    let mut connections = Vec::new();
    for customer in ["one", "two"] {
        connections.push(world.api.connect(customer, CLASS).await);
    }
    let token = world.api.access_token(&connections[0]).await;
    world.provider.register_client("canary-another-secret");

    let answer = world.api.refresh(&connections[0]).await;
    assert_problem(&answer, 503, "app_held");
    assert!(text(&answer.json(), "detail").contains(&app_id(CLASS)), "it names the app: {answer:?}");
    let path = format!("/apps/{}", app_id(CLASS));
    let held = world.api.get(&path).await.expect(200).json();
    assert_eq!((&held["state"], &held["held_reason"]), (&json!("held"), &json!("invalid_client")), "{held}");
    for connection in &connections {
        assert_eq!(world.api.connection(connection).await["state"], "active");
    }
    assert_eq!(world.api.access_token(&connections[0]).await, token, "what is valid is served");

    let mut repaired = app(CLASS, "canary-another-secret");
    repaired.as_object_mut().unwrap().remove("id");
    world.api.put(&path, &repaired).await.expect(200);
    let healed = wait::until(PATIENCE, async || {
        let app = world.api.get(&path).await.expect(200).json();
        Ok((app["state"] == "active").then_some(()))
    });
    healed.await.unwrap();
    for connection in &connections {
        world.api.refresh(connection).await.expect(200);
    }
    let totals = world.provider.sandbox.totals();
    assert_eq!((totals.reuse_events, totals.overlaps, totals.live_grants), (0, 0, 2));
    world.end().await;
}

#[tokio::test]
async fn while_one_client_secret_replaces_another_both_are_tried() {
    let world = World::serving(Backend::MariaDb).await;
    world.provider.lifetime(CLASS, 600);
    world.api.register(&world.provider, CLASS).await;
    let connection = world.api.connect("acme", CLASS).await;
    // Told here first, at the provider later: the old one goes on until then.
    let mut rotated = app(CLASS, "canary-another-secret");
    rotated.as_object_mut().unwrap().remove("id");
    let path = format!("/apps/{}", app_id(CLASS));
    let view = world.api.put(&path, &rotated).await.expect(200);
    assert!(!view.body.contains("canary-another-secret") && !view.body.contains(CLIENT_SECRET));
    world.api.refresh(&connection).await.expect(200);
    world.provider.register_client("canary-another-secret");
    world.api.refresh(&connection).await.expect(200);
    assert_eq!(world.api.get(&path).await.json()["state"], "active");
    world.end().await;
}

/// The end is at once here; the provider hears of it as soon as it listens, from the worker if need be.
#[tokio::test]
async fn a_provider_that_is_down_is_told_of_the_end_later() {
    let mut world = World::serving(Backend::Postgres).await;
    world.provider.lifetime(CLASS, 600);
    world.api.register(&world.provider, CLASS).await;
    let connection = world.api.connect("acme", CLASS).await;
    let token = world.api.access_token(&connection).await;
    world.provider.script_revocations(CLASS, 2, json!({"status": 503}));
    world.api.delete(&format!("/connections/{connection}")).await.expect(204);
    let answer = world.api.get(&format!("/connections/{connection}/token")).await;
    assert_problem(&answer, 409, "connection_revoked");
    assert!(world.provider.alive(&token), "nobody was told yet");
    world.work();
    world.api.wait_for_event(&connection, "revoked_upstream", 1).await;
    let grant = world.provider.grant(CLASS);
    assert!(grant.alive_refresh_tokens.is_empty() && grant.alive_access_tokens.is_empty(), "{grant:?}");
    // Once more changes nothing, here or there.
    world.api.delete(&format!("/connections/{connection}")).await.expect(204);
    world.end().await;
}

#[tokio::test]
async fn a_deleted_customer_takes_every_connection_along() {
    let world = World::serving(Backend::MariaDb).await;
    let classes = [RecoveryClass::S, RecoveryClass::F];
    for class in classes {
        world.provider.lifetime(class, 600);
        world.api.register(&world.provider, class).await;
        world.api.connect("acme", class).await;
    }
    world.api.delete("/customers/acme").await.expect(204);
    for class in classes {
        let gone = wait::until(PATIENCE, async || {
            let grant = world.provider.grant(class);
            Ok((grant.alive_refresh_tokens.is_empty() && grant.alive_access_tokens.is_empty()).then_some(()))
        });
        gone.await.unwrap();
    }
    assert_problem(&world.api.get("/customers/acme").await, 404, "not_found");
    world.end().await;
}
