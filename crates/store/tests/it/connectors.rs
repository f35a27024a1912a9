//! Connectors and their versions.

use crate::world::{World, app, at, connector, digest, id};
use futures_util::future::join_all;
use mortise_domain::ConnectorKey;
use mortise_store::*;
use mortise_testkit::Backend;

async fn versions_are_added_and_never_changed(backend: Backend) {
    let world = World::new(backend).await;
    let World { store, env, .. } = &world;
    let env = *env;
    let first = connector(env, "slack");
    store.connector_insert(&first).await.unwrap();
    let taken = Connector { key: id!(ConnectorKey), ..first.clone() };
    assert!(matches!(store.connector_insert(&taken).await, Err(StoreError::Conflict("connector"))));

    let same = store.connector_add_version(env, &first.id, first.digest, "other", "other", at(2)).await.unwrap();
    assert_eq!(same, Some(first.clone()), "an unchanged manifest makes no version");
    let long = "ä".repeat(100_000);
    let second = store.connector_add_version(env, &first.id, digest(2), "{}", &long, at(2)).await.unwrap().unwrap();
    assert_eq!((second.version, second.source.len()), (2, 200_000));
    assert_eq!(store.connector_get(env, &first.id, None).await.unwrap(), Some(second.clone()));
    assert_eq!(store.connector_get(env, &first.id, Some(1)).await.unwrap(), Some(first.clone()));
    assert_eq!(store.connector_get(env, &first.id, Some(3)).await.unwrap(), None);
    assert_eq!(store.connector_by_key(first.key, 2).await.unwrap(), Some(second));
    let nobody = store.connector_add_version(env, &"nobody".parse().unwrap(), digest(2), "{}", "", at(2)).await;
    assert_eq!(nobody.unwrap(), None);
}

async fn versions_made_at_once_get_numbers_of_their_own(backend: Backend) {
    let world = World::new(backend).await;
    let World { store, env, .. } = &world;
    let env = *env;
    let id = "acme".parse().unwrap();
    let added = (0..8_u8).map(|n| store.connector_add_version(env, &id, digest(100 + n), "{}", "", at(2)));
    let mut versions: Vec<_> = join_all(added).await.into_iter().map(|added| added.unwrap().unwrap().version).collect();
    versions.sort_unstable();
    assert_eq!(versions, [2, 3, 4, 5, 6, 7, 8, 9]);
}

async fn a_connector_in_use_stays(backend: Backend) {
    let world = World::new(backend).await;
    let World { store, env, app: used, .. } = &world;
    let env = *env;
    assert!(matches!(store.connector_delete(env, &used.connector_id).await, Err(StoreError::InUse("connector"))));
    assert!(store.app_delete(env, &used.id).await.unwrap());
    assert!(store.connector_delete(env, &used.connector_id).await.unwrap());
    assert!(!store.connector_delete(env, &used.connector_id).await.unwrap());
    assert_eq!(store.connector_get(env, &used.connector_id, None).await.unwrap(), None);
    assert!(store.connector_by_key(used.connector, 1).await.unwrap().is_some(), "old connections still read theirs");

    let again = connector(env, "acme");
    store.connector_insert(&again).await.unwrap();
    assert_eq!(store.connector_get(env, &again.id, None).await.unwrap(), Some(again));
    let late = App { connector: used.connector, ..app(&connector(env, "x"), "late") };
    assert!(matches!(store.app_insert(&late).await, Err(StoreError::Missing("connector"))));
}

on_every_database! {
    versions_are_added_and_never_changed,
    versions_made_at_once_get_numbers_of_their_own,
    a_connector_in_use_stays,
}
