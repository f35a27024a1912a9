//! Environments, API keys, data keys.

use crate::world::{World, at, digest, id};
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;
use uuid::Uuid;

async fn environments(backend: Backend) {
    let world = World::new(backend).await;
    let World { store, .. } = &world;
    let settings = EnvironmentSettings::initial("staging");
    let name: EnvironmentName = "staging".parse().unwrap();
    let row = Environment { key: id!(EnvironmentKey), name: name.clone(), settings, created_at: at(7) };
    store.environment_insert(&row).await.unwrap();
    assert_eq!(store.environment_by_name(&name).await.unwrap(), Some(row.clone()));
    let again = Environment { key: id!(EnvironmentKey), ..row.clone() };
    assert!(matches!(store.environment_insert(&again).await, Err(StoreError::Conflict("environment"))));

    let changed = EnvironmentSettings { display_name: "Größe 😀".to_owned(), ..row.settings };
    assert!(store.environment_set_settings(row.key, &changed).await.unwrap());
    assert!(store.environment_set_settings(row.key, &changed).await.unwrap(), "the same again is no miss");
    assert_eq!(store.environment_by_key(row.key).await.unwrap().unwrap().settings, changed);
    assert!(!store.environment_set_settings(id!(EnvironmentKey), &changed).await.unwrap());
    assert_eq!(store.environment_by_key(id!(EnvironmentKey)).await.unwrap(), None);
}

async fn api_keys(backend: Backend) {
    let world = World::new(backend).await;
    let (store, env, elsewhere) = (&world.store, world.env, world.elsewhere().await);
    let key = ApiKey {
        id: id!(ApiKeyId),
        environment: env,
        name: "backend".to_owned(),
        digest: digest(9),
        scopes: vec![ApiScope::TokensRead, ApiScope::AppsWrite],
        created_at: at(1),
        expires_at: Some(at(2)),
        revoked_at: None,
    };
    store.api_key_insert(&key).await.unwrap();
    assert!(matches!(store.api_key_insert(&key).await, Err(StoreError::Conflict(_))));
    let nowhere = ApiKey { id: id!(ApiKeyId), environment: id!(EnvironmentKey), ..key.clone() };
    assert!(matches!(store.api_key_insert(&nowhere).await, Err(StoreError::Missing(_))));
    assert_eq!(store.api_key_by_id(key.id).await.unwrap(), Some(key.clone()));

    assert!(!store.api_key_revoke(elsewhere, key.id, at(3)).await.unwrap());
    assert!(store.api_key_revoke(env, key.id, at(3)).await.unwrap());
    assert!(!store.api_key_revoke(env, key.id, at(4)).await.unwrap());
    let page = Page { limit: 10, after: None };
    let listed = store.api_key_list(env, page).await.unwrap().0;
    assert_eq!(listed, [ApiKey { revoked_at: Some(at(3)), ..key }]);
    assert!(store.api_key_list(elsewhere, page).await.unwrap().0.is_empty());
}

async fn data_keys(backend: Backend) {
    let world = World::new(backend).await;
    let World { store, env, customer, .. } = &world;
    let env = *env;
    let row = |owner: Uuid, environment, kek: &str| DataKeyRow {
        id: id!(DataKeyId),
        environment,
        owner,
        key_encryption_key: kek.to_owned(),
        wrapped: vec![0, 255, 7],
        created_at: at(1),
    };
    let own = row(customer.key.as_uuid(), Some(env), "kek-1");
    let system = row(Uuid::nil(), None, "kek-2");
    store.data_key_insert(&own).await.unwrap();
    store.data_key_insert(&system).await.unwrap();
    let second = row(own.owner, Some(env), "kek-2");
    assert!(matches!(store.data_key_insert(&second).await, Err(StoreError::Conflict("data key"))));
    assert_eq!(store.data_key_by_owner(own.owner).await.unwrap(), Some(own.clone()));
    assert_eq!(store.data_key_by_id(system.id).await.unwrap(), Some(system.clone()));

    assert_eq!(store.data_key_one_per_kek().await.unwrap(), [own.clone(), system.clone()]);
    assert_eq!(store.data_keys_not_under("kek-2", 10).await.unwrap(), std::slice::from_ref(&own));
    assert!(store.data_key_rewrap(own.id, "kek-1", "kek-2", vec![1]).await.unwrap());
    assert!(!store.data_key_rewrap(own.id, "kek-1", "kek-2", vec![2]).await.unwrap(), "it is wrapped anew already");
    assert_eq!(store.data_key_by_id(own.id).await.unwrap().unwrap().wrapped, [1]);
    assert_eq!(store.data_key_counts().await.unwrap(), [("kek-2".to_owned(), 2)]);
}

on_every_database! { environments, api_keys, data_keys, }
