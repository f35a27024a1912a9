//! Storing grants: new ones, replacements, and both once more.

use crate::conformance::ground::{Ground, Kind};
use crate::world::{at, event, id, sealed};
use futures_util::future::join_all;
use mortise_domain::*;
use mortise_store::*;
use std::collections::BTreeMap;

async fn a_grant_reads_back_as_stored(kind: Kind) {
    let ground = Ground::new(kind).await;
    let grant = NewGrant {
        granted_scopes: Some(ScopeSet::parse("read", " ")),
        variables: BTreeMap::from([("subdomain".to_owned(), "kim".to_owned())]),
        access: Sealed::from_bytes((0..=255).cycle().take(70_000).collect()),
        grant_expires_at: Some(at(1_700_000_003_000)),
        refresh_idle_at: Some(at(1_700_000_004_000)),
        ..ground.grant(Some(at(1_700_000_002_000)))
    };
    ground.ledger.connection_store_grant(&grant, event(EventKind::Connected), None).await.unwrap();
    let row = ground.read(grant.id).await;
    let now = at(1_700_000_000_123);
    let expected = Connection {
        id: grant.id,
        environment: ground.env,
        customer: ground.customer_key,
        app: ground.app_key,
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
        suspicions: 0,
        suspected_at: None,
        previous_refresh: None,
        grant_expires_at: grant.grant_expires_at,
        refresh_idle_at: grant.refresh_idle_at,
        used_at: None,
        reauth_warned: None,
        granted_at: grant.granted_at,
        created_at: now,
        updated_at: now,
    };
    assert_eq!(row, expected);
    let token = ground.ledger.connection_token_row(ground.env, grant.id).await.unwrap().unwrap();
    assert_eq!((token.access, token.granted_scopes), (row.access, row.granted_scopes));
    assert_eq!((token.expires_at, token.next_refresh_at, token.generation), (row.expires_at, row.next_refresh_at, 1));
}

async fn a_replacement_names_what_it_saw(kind: Kind) {
    let ground = Ground::new(kind).await;
    let ledger = &ground.ledger;
    let row = ground.due().await;
    let claimed = ground.claim(1).await.remove(0);
    let next = NewGrant {
        id: row.id,
        replaces_family: Some(1),
        generation: 2,
        access: sealed("access 2"),
        refresh: None,
        granted_at: at(1_700_000_500_000),
        ..ground.grant(None)
    };
    for wrong in [
        NewGrant { generation: 3, ..next.clone() },
        NewGrant { replaces_family: Some(2), ..next.clone() },
        NewGrant { customer: id!(CustomerKey), ..next.clone() },
        NewGrant { id: id!(ConnectionId), ..next.clone() },
    ] {
        let stored = ledger.connection_store_grant(&wrong, event(EventKind::Reconnected), None).await;
        assert!(matches!(stored, Err(StoreError::Stale("connection"))), "{stored:?}");
    }
    ledger.connection_store_grant(&next, event(EventKind::Reconnected), None).await.unwrap();
    let replaced = ground.read(row.id).await;
    assert_eq!((replaced.family, replaced.generation, &replaced.refresh), (2, 2, &None));
    assert_eq!((replaced.attempt, replaced.lease_until, replaced.next_refresh_at), (None, None, None));
    assert_eq!(replaced.created_at, row.created_at);

    let late = crate::world::failure(&claimed);
    assert!(!ledger.refresh_failed(&late, event(EventKind::RefreshFailed)).await.unwrap(), "its claim is void");
    let late = crate::world::result(&claimed);
    let outcome = ledger.refresh_commit(&late, event(EventKind::Refreshed)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::FamilyMoved);
    assert_eq!(ground.read(row.id).await, replaced);
}

async fn stored_once_however_often_it_is_tried(kind: Kind) {
    let ground = Ground::new(kind).await;
    let other = ground.other_process().await;
    let grant = ground.grant(Some(at(1_000)));
    let tries = (0..8).map(|n| {
        let ledger = if n % 2 == 0 { &ground.ledger } else { &other };
        ledger.connection_store_grant(&grant, event(EventKind::Connected), None)
    });
    for stored in join_all(tries).await {
        stored.unwrap();
    }
    assert_eq!(ground.timeline(grant.id).await, [EventKind::Connected]);

    // Also when it was refreshed in the meantime, from the folder in which it was kept.
    let claimed = ground.claim(1).await.remove(0);
    ground.ledger.refresh_commit(&crate::world::result(&claimed), event(EventKind::Refreshed)).await.unwrap();
    let refreshed = ground.read(grant.id).await;
    ground.ledger.connection_store_grant(&grant, event(EventKind::Connected), None).await.unwrap();
    assert_eq!(ground.read(grant.id).await, refreshed);
}

async fn a_grant_needs_its_customer_and_its_app(kind: Kind) {
    let ground = Ground::new(kind).await;
    let nobodys = NewGrant { customer: id!(CustomerKey), ..ground.grant(None) };
    let nowhere = NewGrant { app: id!(AppKey), ..ground.grant(None) };
    for (grant, missing) in [(nobodys, "customer"), (nowhere, "app")] {
        let stored = ground.ledger.connection_store_grant(&grant, event(EventKind::Connected), None).await;
        assert!(matches!(stored, Err(StoreError::Missing(what)) if what == missing), "{stored:?}");
        assert_eq!(ground.ledger.connection_get(ground.env, grant.id).await.unwrap(), None);
    }
}

on_every_ledger! {
    a_grant_reads_back_as_stored,
    a_replacement_names_what_it_saw,
    stored_once_however_often_it_is_tried,
    a_grant_needs_its_customer_and_its_app,
}
