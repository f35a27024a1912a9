//! Another environment's ids answer like missing ones, everywhere.

use crate::world::{World, at};
use mortise_store::*;
use mortise_testkit::Backend;
use serde_json::json;

async fn nothing_of_it_is_seen(backend: Backend) {
    let world = World::new(backend).await;
    let (store, env) = (&world.store, world.elsewhere().await);
    world.due().await;
    let (customer, app) = (&world.customer, &world.app);
    let page = Page { limit: 10, after: None };
    assert_eq!(store.connector_get(env, &app.connector_id, None).await.unwrap(), None);
    assert_eq!(store.app_get(env, &app.id).await.unwrap(), None);
    assert_eq!(store.customer_get(env, &customer.id).await.unwrap(), None);
    assert!(store.connection_find(env, customer.key, app.key).await.unwrap().is_empty());
    assert!(store.connections_of_customer(env, customer.key).await.unwrap().is_empty());
    assert!(store.connector_list(env, page).await.unwrap().0.is_empty());
    assert!(store.app_list(env, page).await.unwrap().0.is_empty());
    assert!(store.customer_list(env, page).await.unwrap().0.is_empty());
    let by_customer = ConnectionFilter { customer: Some(customer.key), ..ConnectionFilter::default() };
    assert!(store.connection_list(env, &by_customer, page).await.unwrap().0.is_empty());
}

async fn nothing_of_it_is_changed(backend: Backend) {
    let world = World::new(backend).await;
    let (store, env) = (&world.store, world.elsewhere().await);
    let row = world.due().await;
    let app = App { environment: env, ..world.app.clone() };
    assert!(matches!(store.app_update(1, &app).await, Err(StoreError::Stale("app"))));
    assert!(!store.app_delete(env, &app.id).await.unwrap());
    assert!(!store.connector_delete(env, &app.connector_id).await.unwrap());
    assert!(!store.customer_delete(env, world.customer.key, &[], at(9)).await.unwrap());
    assert!(!store.connection_set_metadata(env, row.id, &json!({"a": 1})).await.unwrap());
    assert_eq!(world.read(row.id).await, row);
}

on_every_database! { nothing_of_it_is_seen, nothing_of_it_is_changed, }
