//! Apps.

use crate::world::{World, app, at, connector, event, id, sealed};
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
        revocations: vec![crate::world::revocation(&row)],
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
    roundtrip, a_change_names_the_revision_that_it_saw, deleted_when_nobody_needs_it,
}
