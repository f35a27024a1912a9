//! What is told to gates, and when they are forgotten.

use super::{another_app, at_once, down, provider, rate};
use crate::world::World;
use mortise_domain::gate::{GateId, Limits, Outcome};
use mortise_testkit::Backend;

async fn a_gate_is_swept_when_it_is_at_rest(backend: Backend) {
    let world = World::new(backend).await;
    let (store, id) = (&world.store, provider(&world.app));
    assert!(store.gate_limit(id, at_once(4)).await.unwrap());
    down(&world, &world.app, 2).await;
    assert_eq!(store.gates_sweep().await.unwrap(), 0);
    assert!(store.gate_limit(id, Limits::default()).await.unwrap());
    assert_eq!(store.gates_sweep().await.unwrap(), 0, "the trouble is of now");
    world.sql("UPDATE gates SET trouble_at = trouble_at - 3600000", []).await;
    assert_eq!(store.gates_sweep().await.unwrap(), 1);
    assert_eq!(store.gates().await.unwrap(), []);
}

async fn gates_of_what_was_deleted_are_swept(backend: Backend) {
    let world = World::new(backend).await;
    let gone = another_app(&world, "gone").await;
    for app in [&world.app, &gone] {
        world.store.gate_limit(provider(app), rate(1, 1)).await.unwrap();
        world.store.gate_limit(GateId::App(app.key), at_once(1)).await.unwrap();
    }
    assert!(world.store.app_delete(world.env, &gone.id).await.unwrap());
    assert!(world.store.connector_delete(world.env, &gone.connector_id).await.unwrap());
    assert_eq!(world.store.gates_sweep().await.unwrap(), 2);
    assert_eq!(world.store.gates().await.unwrap().len(), 2);
}

async fn a_gate_that_does_not_read_stops_nobody(backend: Backend) {
    let world = World::new(backend).await;
    let row = world.due().await;
    let id = provider(&world.app);
    world.store.gate_limit(id, rate(1, 1)).await.unwrap();
    world.sql("UPDATE gates SET kind = 'moat'", []).await;
    assert_eq!(world.store.gates().await.unwrap(), []);
    assert_eq!(world.store.gates_note(&[(id, Outcome::Down)]).await.unwrap(), []);
    assert_eq!(super::ids(&super::claim(&world.store, 1).await), [row.id]);
    assert_eq!(
        world.sql("UPDATE gates SET kind = 'provider' WHERE kind = 'moat'", []).await,
        1,
        "it is left as it was"
    );
}

on_every_database! {
    a_gate_is_swept_when_it_is_at_rest,
    gates_of_what_was_deleted_are_swept,
    a_gate_that_does_not_read_stops_nobody,
}
