//! Connections that wait for their first grant; the grants themselves are in the conformance suite.

use crate::world::{World, at, event};
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;
use std::collections::BTreeMap;

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

on_every_database! { pending_until_the_first_consent, }
