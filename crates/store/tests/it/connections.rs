//! Finding connections, their metadata and their timelines.

use crate::world::{World, at, event, id};
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;
use serde_json::json;

async fn found_by_natural_key_and_filter(backend: Backend) {
    let world = World::new(backend).await;
    let (store, env) = (&world.store, world.env);
    let (one, two) = (world.due().await, world.due().await);
    let (customer, app) = (world.customer.key, world.app.key);
    let ids = |rows: Vec<Connection>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(store.connection_find(env, customer, app).await.unwrap()), [one.id, two.id]);
    assert!(store.connection_find(env, customer, id!(AppKey)).await.unwrap().is_empty());

    let ending = crate::world::ending(&one);
    assert!(store.connection_revoke(&ending, StateReason::Disconnected, at(9)).await.unwrap());
    assert_eq!(ids(store.connection_find(env, customer, app).await.unwrap()), [two.id]);
    assert_eq!(ids(store.connections_of_customer(env, customer).await.unwrap()), [two.id]);

    let page = Page { limit: 10, after: None };
    let listed = async |filter: ConnectionFilter| ids(store.connection_list(env, &filter, page).await.unwrap().0);
    let all = ConnectionFilter::default();
    assert_eq!(listed(all).await, [one.id, two.id]);
    assert_eq!(listed(ConnectionFilter { state: Some(ConnectionState::Revoked), ..all }).await, [one.id]);
    assert_eq!(listed(ConnectionFilter { customer: Some(customer), app: Some(app), ..all }).await, [one.id, two.id]);
    assert!(listed(ConnectionFilter { app: Some(id!(AppKey)), ..all }).await.is_empty());
}

async fn metadata_is_replaced(backend: Backend) {
    let world = World::new(backend).await;
    let row = world.due().await;
    let metadata = json!({"z": 1, "a": {"deep": [true, null, "😀"]}});
    for metadata in [metadata, json!({})] {
        assert!(world.store.connection_set_metadata(world.env, row.id, &metadata).await.unwrap());
        assert_eq!(world.read(row.id).await.metadata, metadata);
    }
    assert!(!world.store.connection_set_metadata(world.env, id!(ConnectionId), &json!({})).await.unwrap());
}

async fn a_timeline_newest_first(backend: Backend) {
    let world = World::new(backend).await;
    let row = world.due().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let line = NewEvent { detail: json!({"n": n}), ..event(EventKind::RefreshFailed) };
        world.store.event_append(row.id, &line).await.unwrap();
        ids.insert(0, line.id);
    }
    let page = Page { limit: 3, after: None };
    let (first, next) = world.store.event_list(world.env, row.id, page).await.unwrap();
    assert_eq!(first.iter().map(|line| line.id).collect::<Vec<_>>(), ids[..3]);
    assert_eq!((first[0].detail["n"].clone(), first[0].at), (json!(4), at(1_700_000_000_123)));
    let page = Page { limit: 3, after: next };
    let (rest, end) = world.store.event_list(world.env, row.id, page).await.unwrap();
    assert_eq!((rest.len(), end), (3, None));
    assert_eq!(rest[2].kind, EventKind::Connected);

    let nowhere = world.store.event_append(id!(ConnectionId), &event(EventKind::Revoked)).await;
    assert!(matches!(nowhere, Err(StoreError::Missing(_))), "{nowhere:?}");
}

on_every_database! { found_by_natural_key_and_filter, metadata_is_replaced, a_timeline_newest_first, }
