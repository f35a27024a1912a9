//! Apps.

use crate::world::{World, app, at, connector, event, id, sealed};
use futures_util::future::join_all;
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;

async fn roundtrip(backend: Backend) {
    let world = World::new(backend).await;
    let World { store, env, app: first, .. } = &world;
    let env = *env;
    assert_eq!(store.app_get(env, &first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(store.app_by_key(first.key).await.unwrap(), Some(first.clone()));
    let taken = App { key: id!(AppKey), ..first.clone() };
    assert!(matches!(store.app_insert(&taken).await, Err(StoreError::Conflict("app"))));
    let unversioned = App { connector_version: 9, ..app(&connector(env, "acme"), "other") };
    let unversioned = App { connector: first.connector, ..unversioned };
    assert!(matches!(store.app_insert(&unversioned).await, Err(StoreError::Missing(_))));
}

async fn a_change_names_the_revision_that_it_saw(backend: Backend) {
    let world = World::new(backend).await;
    let World { store, env, app, .. } = &world;
    let env = *env;
    let change = App {
        client_id: "new".to_owned(),
        previous_secret: Some(sealed("old")),
        previous_secret_expires_at: Some(at(99)),
        secret: None,
        updated_at: at(50),
        ..app.clone()
    };
    let stored = store.app_update(1, &change).await.unwrap();
    assert_eq!(stored, App { revision: 2, ..change.clone() });
    assert!(matches!(store.app_update(1, &change).await, Err(StoreError::Stale("app"))));
    assert_eq!(store.app_get(env, &app.id).await.unwrap(), Some(stored));
}

async fn held_and_probed_by_one(backend: Backend) {
    let world = World::new(backend).await;
    let World { store, app, .. } = &world;
    assert!(!store.app_release(app.key).await.unwrap());
    assert!(store.app_hold(app.key, &"é".repeat(400), at(10), at(20)).await.unwrap());
    assert!(!store.app_hold(app.key, "again", at(11), at(21)).await.unwrap(), "held already");
    let held = store.app_by_key(app.key).await.unwrap().unwrap();
    assert_eq!((held.state, held.held_since, held.next_probe_at), (AppState::Held, Some(at(10)), Some(at(20))));
    assert_eq!(held.held_reason, Some("é".repeat(255)));
    assert_eq!(store.apps_held().await.unwrap(), [(app.key, Some(at(20)))]);

    let probes = join_all((0..10).map(|_| store.app_probe_claim(app.key, Some(at(20)), at(30)))).await;
    assert_eq!(probes.into_iter().filter(|probe| *probe.as_ref().unwrap()).count(), 1);
    assert!(store.app_release(app.key).await.unwrap());
    assert!(store.apps_held().await.unwrap().is_empty());
    assert_eq!(store.app_by_key(app.key).await.unwrap().unwrap().held_reason, None);
}

async fn deleted_when_nobody_needs_it(backend: Backend) {
    let world = World::new(backend).await;
    let (store, env, app) = (&world.store, world.env, &world.app);
    let row = world.due().await;
    assert!(matches!(store.app_delete(env, &app.id).await, Err(StoreError::InUse("app"))));
    let ending = Ending {
        environment: env,
        connection: row.id,
        family: 1,
        generation: 1,
        revocations: vec![crate::revocations::of(&row)],
        event: event(EventKind::Revoked),
    };
    assert!(store.connection_revoke(&ending, StateReason::Disconnected, at(9)).await.unwrap());
    assert!(matches!(store.app_delete(env, &app.id).await, Err(StoreError::InUse("app"))), "its secret is needed");
    let queued = ending.revocations[0].id;
    store.revocation_done(queued, event(EventKind::RevokedUpstream)).await.unwrap();
    assert!(store.app_delete(env, &app.id).await.unwrap());
    assert!(!store.app_delete(env, &app.id).await.unwrap());
    assert_eq!(store.app_get(env, &app.id).await.unwrap(), None);
    let buried = store.app_by_key(app.key).await.unwrap().unwrap();
    assert!(buried.deleted_at.is_some() && buried.secret.is_none());

    let grant = store.connection_store_grant(&world.grant(None), event(EventKind::Connected), None).await;
    assert!(matches!(grant, Err(StoreError::Missing("app"))), "{grant:?}");
    let again = App { key: id!(AppKey), ..app.clone() };
    store.app_insert(&again).await.unwrap();
    assert_eq!(store.app_get(env, &app.id).await.unwrap().unwrap().key, again.key);
}

on_every_database! {
    roundtrip, a_change_names_the_revision_that_it_saw, held_and_probed_by_one, deleted_when_nobody_needs_it,
}
