//! Pages: every row once, in order, whatever is added in between.

use crate::world::{World, app, at, connector, id};
use mortise_domain::{CustomerKey, EnvironmentKey};
use mortise_store::{ConnectionFilter, Page, Store};
use mortise_testkit::Backend;
use serde_json::json;
use uuid::Uuid;

async fn all_pages<T>(limit: u64, page: impl AsyncFn(Page) -> (Vec<T>, Option<Uuid>)) -> Vec<Vec<T>> {
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let (rows, next) = page(Page { limit, after }).await;
        pages.push(rows);
        after = next;
        if after.is_none() {
            return pages;
        }
    }
}

async fn put(store: &Store, env: EnvironmentKey, name: &str) {
    store.customer_put(env, id!(CustomerKey), &name.parse().unwrap(), None, &json!({}), at(1)).await.unwrap();
}

async fn every_row_once(backend: Backend) {
    let world = World::new(backend).await;
    let (store, env) = (&world.store, world.env);
    for n in 0..6 {
        put(store, env, &format!("c{n}")).await;
        let made = connector(env, &format!("connector-{n}"));
        store.connector_insert(&made).await.unwrap();
        store.app_insert(&app(&made, &format!("app-{n}"))).await.unwrap();
        world.due().await;
    }
    let customers = all_pages(3, async |page| store.customer_list(env, page).await.unwrap()).await;
    assert_eq!(customers.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    let names: Vec<_> = customers.iter().flatten().map(|row| row.id.as_str().to_owned()).collect();
    assert_eq!(names, ["kim", "c0", "c1", "c2", "c3", "c4", "c5"]);
    let apps = all_pages(7, async |page| store.app_list(env, page).await.unwrap()).await;
    assert_eq!(apps.iter().map(Vec::len).collect::<Vec<_>>(), [7], "a full last page has no next");
    let connectors = all_pages(6, async |page| store.connector_list(env, page).await.unwrap()).await;
    assert_eq!(connectors.iter().map(Vec::len).collect::<Vec<_>>(), [6, 1]);
    let filter = ConnectionFilter::default();
    let connections = all_pages(4, async |page| store.connection_list(env, &filter, page).await.unwrap()).await;
    assert_eq!(connections.iter().map(Vec::len).collect::<Vec<_>>(), [4, 2]);
}

async fn no_page_is_larger_than_the_largest(backend: Backend) {
    let world = World::new(backend).await;
    for n in 0..105 {
        put(&world.store, world.env, &format!("c{n}")).await;
    }
    let largest = Page { limit: u64::MAX, after: None };
    assert_eq!(world.store.customer_list(world.env, largest).await.unwrap().0.len(), 100);
    let least = Page { limit: 0, after: None };
    assert_eq!(world.store.customer_list(world.env, least).await.unwrap().0.len(), 1);
}

on_every_database! { every_row_once, no_page_is_larger_than_the_largest, }
