//! A connector's new version, with the built program and the sandbox: a bad one is taken back, a good one takes everybody
//! along, whatever becomes of the worker on the way.

use crate::world::api::app_id;
use crate::world::{PATIENCE, World};
use mortise_sandbox::RecoveryClass::F;
use mortise_testkit::{Backend, wait};
use serde_json::{Value, json};

/// Registers the connector anew, with its refreshes sent to this path of the provider.
async fn version(world: &World, path: &str) -> Value {
    let id = app_id(F);
    let mut manifest = world.api.get(&format!("/connectors/{id}")).await.expect(200).json()["manifest"].clone();
    manifest["auth"]["refresh_url"] = json!(format!("{}/{path}", world.provider.sandbox.issuer(F)));
    world.api.put(&format!("/connectors/{id}"), &manifest).await.expect(200).json()["version"].clone()
}

async fn begin(world: &World) -> String {
    let body = json!({"app": app_id(F), "canary_percent": 50, "batch_interval": 0, "retire_when_done": true});
    let begun = world.api.post("/moves", &body).await.expect(201).json();
    assert_eq!(begun["canary_size"], 2, "{begun}");
    begun["id"].as_str().unwrap().to_owned()
}

/// Waits until something is so of a move.
async fn until(world: &World, id: &str, what: impl Fn(&Value) -> bool) -> Value {
    let found = wait::until(PATIENCE, async || {
        let view = world.api.get(&format!("/moves/{id}")).await.expect(200).json();
        Ok(what(&view).then_some(view))
    });
    found.await.unwrap_or_else(|error| panic!("{error}"))
}

async fn all_renew_in(world: &World, connections: &[String], version: i64) {
    for id in connections {
        // Further attempts have a budget, so that a provider in trouble is not asked by everybody at once.
        let renewed = wait::until(PATIENCE, async || Ok((world.api.refresh(id).await.status == 200).then_some(())));
        renewed.await.unwrap_or_else(|error| panic!("{id}: {error}"));
        let view = world.api.connection(id).await;
        assert_eq!((&view["state"], &view["connector_version"]), (&json!("active"), &json!(version)), "{view}");
        let token = world.api.token(id).await;
        assert!(world.provider.alive(token["access_token"].as_str().unwrap()), "{id}");
    }
}

#[tokio::test]
async fn a_bad_version_is_taken_back_and_a_good_one_is_kept() {
    let mut world = World::running(Backend::Sqlite).await;
    world.provider.lifetime(F, 3600);
    world.api.register(&world.provider, F).await;
    let mut connections = Vec::new();
    for customer in ["ann", "bob", "cy", "dee"] {
        connections.push(world.api.connect(customer, F).await);
    }

    assert_eq!(version(&world, "nowhere").await, 2);
    let id = begin(&world).await;
    until(&world, &id, |view| view["connections"]["moved"] == 2).await;
    // Whoever moved them dies; the next worker finds out that they fail, and takes them back.
    world.worker.take().unwrap().kill9();
    world.work();
    let ended = until(&world, &id, |view| view["finished_at"].is_string()).await;
    assert_eq!((&ended["state"], &ended["reason"]), (&json!("rolled_back"), &json!("error_rate")), "{ended}");
    assert_eq!(ended["connections"]["returned"], 2, "{ended}");
    all_renew_in(&world, &connections, 1).await;

    assert_eq!(version(&world, "token").await, 3);
    let id = begin(&world).await;
    let ended = until(&world, &id, |view| view["finished_at"].is_string()).await;
    assert_eq!((&ended["state"], &ended["connections"]["moved"]), (&json!("completed"), &json!(4)), "{ended}");
    all_renew_in(&world, &connections, 3).await;
    let versions = world.api.get(&format!("/connectors/{}/versions", app_id(F))).await.expect(200).json();
    let retired: Vec<_> =
        versions["items"].as_array().unwrap().iter().map(|item| item["retired_at"].is_string()).collect();
    assert_eq!(retired, [false, false, true], "{versions}");
    assert_eq!(world.provider.sandbox.oracle(&Default::default(), 0).totals.reuse_events, 0, "a token was used twice");
    world.end().await;
}
