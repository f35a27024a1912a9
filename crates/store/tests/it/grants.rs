//! Storing grants: new ones, replacements, and both once more.

use crate::world::{World, at, event, id, sealed};
use futures_util::future::join_all;
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;
use std::collections::BTreeMap;

async fn a_grant_reads_back_as_stored(backend: Backend) {
    let world = World::new(backend).await;
    let grant = NewGrant {
        granted_scopes: Some(ScopeSet::parse("read", " ")),
        variables: BTreeMap::from([("subdomain".to_owned(), "kim".to_owned())]),
        access: Sealed::from_bytes((0..=255).cycle().take(70_000).collect()),
        ..world.grant(Some(at(1_700_000_002_000)))
    };
    world.store.connection_store_grant(&grant, event(EventKind::Connected), None).await.unwrap();
    let row = world.read(grant.id).await;
    let now = at(1_700_000_000_123);
    let expected = Connection {
        id: grant.id,
        environment: world.env,
        customer: world.customer.key,
        app: world.app.key,
        connector_version: 1,
        state: ConnectionState::Active,
        state_reason: StateReason::Consented,
        state_since: now,
        family: 1,
        generation: 1,
        access: Some(grant.access.clone()),
        refresh: grant.refresh.clone(),
        expires_at: grant.expires_at,
        refreshed_at: Some(grant.granted_at),
        next_refresh_at: grant.next_refresh_at,
        granted_scopes: grant.granted_scopes.clone(),
        requested_scopes: grant.requested_scopes.clone(),
        variables: grant.variables.clone(),
        metadata: serde_json::json!({}),
        failures: 0,
        lease_owner: None,
        lease_until: None,
        fence: 0,
        attempt: None,
        attempt_deadline: None,
        last_error: None,
        granted_at: grant.granted_at,
        created_at: now,
        updated_at: now,
    };
    assert_eq!(row, expected);
    let token = world.store.connection_token_row(world.env, grant.id).await.unwrap().unwrap();
    assert_eq!((token.access, token.granted_scopes), (row.access, row.granted_scopes));
    assert_eq!((token.expires_at, token.next_refresh_at, token.generation), (row.expires_at, row.next_refresh_at, 1));
}

async fn a_replacement_names_what_it_saw(backend: Backend) {
    let world = World::new(backend).await;
    let store = &world.store;
    let row = world.due().await;
    let claimed = world.claim(1).await.remove(0);
    let next = NewGrant {
        id: row.id,
        replaces_family: Some(1),
        generation: 2,
        access: sealed("access 2"),
        refresh: None,
        granted_at: at(1_700_000_500_000),
        ..world.grant(None)
    };
    for wrong in [
        NewGrant { generation: 3, ..next.clone() },
        NewGrant { replaces_family: Some(2), ..next.clone() },
        NewGrant { customer: id!(CustomerKey), ..next.clone() },
        NewGrant { id: id!(ConnectionId), ..next.clone() },
    ] {
        let stored = store.connection_store_grant(&wrong, event(EventKind::Reconnected), None).await;
        assert!(matches!(stored, Err(StoreError::Stale("connection"))), "{stored:?}");
    }
    store.connection_store_grant(&next, event(EventKind::Reconnected), None).await.unwrap();
    let replaced = world.read(row.id).await;
    assert_eq!((replaced.family, replaced.generation, &replaced.refresh), (2, 2, &None));
    assert_eq!((replaced.attempt, replaced.lease_until, replaced.next_refresh_at), (None, None, None));
    assert_eq!(replaced.created_at, row.created_at);

    let late = crate::world::failure(&claimed);
    assert!(!store.refresh_failed(&late, event(EventKind::RefreshFailed)).await.unwrap(), "its claim is void");
    let late = crate::world::result(&claimed);
    let outcome = store.refresh_commit(&late, event(EventKind::Refreshed)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::FamilyMoved);
    assert_eq!(world.read(row.id).await, replaced);
}

async fn stored_once_however_often_it_is_tried(backend: Backend) {
    let world = World::new(backend).await;
    let other = world.other_process().await;
    let grant = world.grant(Some(at(1_000)));
    let tries = (0..8).map(|n| {
        let store = if n % 2 == 0 { &world.store } else { &other };
        store.connection_store_grant(&grant, event(EventKind::Connected), None)
    });
    for stored in join_all(tries).await {
        stored.unwrap();
    }
    assert_eq!(world.timeline(grant.id).await, [EventKind::Connected]);

    // Also when it was refreshed in the meantime, from the folder in which it was kept.
    let claimed = world.claim(1).await.remove(0);
    world.store.refresh_commit(&crate::world::result(&claimed), event(EventKind::Refreshed)).await.unwrap();
    let refreshed = world.read(grant.id).await;
    world.store.connection_store_grant(&grant, event(EventKind::Connected), None).await.unwrap();
    assert_eq!(world.read(grant.id).await, refreshed);
}

async fn pending_until_the_first_consent(backend: Backend) {
    let world = World::new(backend).await;
    let grant = world.grant(None);
    let pending = NewPending {
        id: grant.id,
        environment: world.env,
        customer: world.customer.key,
        app: world.app.key,
        connector_version: 1,
        variables: BTreeMap::new(),
        requested_scopes: ScopeSet::default(),
        at: at(50),
    };
    world.store.connection_insert_pending(&pending).await.unwrap();
    let row = world.read(grant.id).await;
    assert_eq!((row.state, row.family, row.generation, row.access), (ConnectionState::Pending, 0, 0, None));
    assert!(world.claim(9).await.is_empty());
    let grant = NewGrant { replaces_family: Some(0), ..grant };
    world.store.connection_store_grant(&grant, event(EventKind::Connected), None).await.unwrap();
    let row = world.read(grant.id).await;
    assert_eq!((row.state, row.family, row.generation), (ConnectionState::Active, 1, 1));
}

on_every_database! {
    a_grant_reads_back_as_stored,
    a_replacement_names_what_it_saw,
    stored_once_however_often_it_is_tried,
    pending_until_the_first_consent,
}
