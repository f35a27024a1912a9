//! Customers.

use crate::world::{World, at, event, id};
use futures_util::future::join_all;
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;
use serde_json::json;

async fn put_twice(backend: Backend) {
    let world = World::new(backend).await;
    let World { store, env, .. } = &world;
    let env = *env;
    let name: CustomerId = "Größe 😀 / no".replace('/', "|").parse().unwrap();
    let put = |key, called, metadata, now| {
        let name = &name;
        async move { store.customer_put(env, key, name, called, &metadata, at(now)).await.unwrap() }
    };
    let (first, created) = put(id!(CustomerKey), Some("A"), json!({"plan": ["x", 1, null]}), 10).await;
    assert!(created);
    let (second, created) = put(id!(CustomerKey), None, json!({}), 20).await;
    assert!(!created);
    let expected = Customer { name: None, metadata: json!({}), updated_at: at(20), ..first.clone() };
    assert_eq!(second, expected);
    assert_eq!(store.customer_get(env, &name).await.unwrap(), Some(expected.clone()));
    assert_eq!(store.customer_by_key(first.key).await.unwrap(), Some(expected));
}

/// As on PostgreSQL everywhere: `Kim`, `kim` and `kím` are three customers.
async fn ids_differ_by_case_and_accent(backend: Backend) {
    let world = World::new(backend).await;
    let World { store, env, .. } = &world;
    let env = *env;
    for name in ["Kim", "kím", "KIM"] {
        let id: CustomerId = name.parse().unwrap();
        assert_eq!(store.customer_get(env, &id).await.unwrap(), None, "{name}");
        let (_, created) = store.customer_put(env, id!(CustomerKey), &id, None, &json!({}), at(1)).await.unwrap();
        assert!(created, "{name}");
    }
}

async fn put_at_once(backend: Backend) {
    let world = World::new(backend).await;
    let World { store, env, .. } = &world;
    let env = *env;
    let name: CustomerId = "busy".parse().unwrap();
    let nothing = json!({});
    let puts = (0..16).map(|_| store.customer_put(env, id!(CustomerKey), &name, None, &nothing, at(1)));
    let puts: Vec<_> = join_all(puts).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(puts.iter().filter(|(_, created)| *created).count(), 1);
    assert!(puts.iter().all(|(row, _)| row.key == puts[0].0.key));
}

async fn deleted_with_everything(backend: Backend) {
    let world = World::new(backend).await;
    let (store, env, customer) = (&world.store, world.env, &world.customer);
    let row = world.due().await;
    let key = DataKeyRow {
        id: id!(DataKeyId),
        environment: Some(env),
        owner: customer.key.as_uuid(),
        key_encryption_key: "kek".to_owned(),
        wrapped: vec![1],
        created_at: at(1),
    };
    store.data_key_insert(&key).await.unwrap();
    let attempt = crate::attempts::begun(&world).await;

    let mut ending = Ending {
        environment: env,
        connection: row.id,
        family: row.family,
        generation: row.generation + 1,
        revocations: vec![crate::world::revocation(&row)],
        event: event(EventKind::Revoked),
    };
    for endings in [vec![], vec![ending.clone()]] {
        let stale = store.customer_delete(env, customer.key, &endings, at(30)).await;
        assert!(matches!(stale, Err(StoreError::Stale("customer"))), "{stale:?}");
        assert_eq!(world.read(row.id).await, row, "nothing of it happened");
    }
    ending.generation = row.generation;
    assert!(!store.customer_delete(world.elsewhere().await, customer.key, &[ending.clone()], at(30)).await.unwrap());
    assert!(store.customer_delete(env, customer.key, &[ending.clone()], at(30)).await.unwrap());
    assert!(!store.customer_delete(env, customer.key, &[ending], at(30)).await.unwrap());

    let ended = world.read(row.id).await;
    assert_eq!((ended.state, ended.state_reason), (ConnectionState::Revoked, StateReason::CustomerDeleted));
    assert!(ended.access.is_none() && ended.refresh.is_none());
    assert_eq!(store.data_key_by_id(key.id).await.unwrap(), None);
    assert_eq!(store.attempt_by_state(&attempt.state_digest).await.unwrap(), None);
    assert_eq!(store.connect_session_get(env, attempt.session).await.unwrap(), None);
    assert_eq!(store.customer_get(env, &customer.id).await.unwrap(), None);
    assert_eq!(store.customer_by_key(customer.key).await.unwrap().unwrap().deleted_at, Some(at(30)));
    assert_eq!(store.revocations_claim(id!(LeaseOwner), 9, std::time::Duration::from_secs(9)).await.unwrap().len(), 1);

    let late = store.connection_store_grant(&world.grant(None), event(EventKind::Connected), None).await;
    assert!(matches!(late, Err(StoreError::Missing("customer"))), "{late:?}");
    let (again, created) =
        store.customer_put(env, id!(CustomerKey), &customer.id, None, &json!({}), at(40)).await.unwrap();
    assert!(created && again.key != customer.key);
}

on_every_database! { put_twice, ids_differ_by_case_and_accent, put_at_once, deleted_with_everything, }
