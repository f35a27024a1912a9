//! Budgets of providers and apps, as all processes share them through the database.

mod notes;
mod races;

use crate::world::{World, app, connector, event, id, terms};
use mortise_domain::gate::{GateId, Limits, Outcome, Rate};
use mortise_domain::*;
use mortise_store::*;

/// Another connector with an app, beside those of the world.
pub async fn another_app(world: &World, name: &str) -> App {
    let connector = connector(world.env, name);
    world.store.connector_insert(&connector).await.unwrap();
    let app = app(&connector, &format!("{name}-app"));
    world.store.app_insert(&app).await.unwrap();
    app
}

/// So many connections of an app and a customer, due since so many milliseconds after 1970, each one later than the one
/// before.
pub async fn due(world: &World, app: &App, customer: CustomerKey, count: i64, since: i64) -> Vec<ConnectionId> {
    let mut ids = Vec::new();
    for n in 0..count {
        let due = Some(crate::world::at(since + n));
        let grant = NewGrant { app: app.key, customer, ..world.grant(due) };
        world.store.connection_store_grant(&grant, event(EventKind::Connected), None).await.unwrap();
        ids.push(grant.id);
    }
    ids
}

/// A claim with room for so many and no other bounds.
pub async fn claim(store: &Store, limit: usize) -> DueClaims {
    let room = ClaimRoom::of(limit, &[]);
    store.connections_claim(&terms(id!(LeaseOwner)), &room, || id!(AttemptId), || id!(EventId)).await.unwrap()
}

pub fn ids(claims: &DueClaims) -> Vec<ConnectionId> {
    claims.claimed.iter().map(|claim| claim.connection.id).collect()
}

pub fn provider(app: &App) -> GateId {
    GateId::Provider(app.connector)
}

pub const fn rate(requests: u32, seconds: u32) -> Limits {
    Limits { rate: Some(Rate { requests, seconds }), concurrency: None, mint: None }
}

pub const fn at_once(requests: u32) -> Limits {
    Limits { rate: None, concurrency: Some(requests), mint: None }
}

pub async fn down(world: &World, app: &App, times: usize) {
    world.store.gates_note(&vec![(provider(app), Outcome::Down); times]).await.unwrap();
}

/// Lets the wait of a gate be over.
pub async fn wait_is_over(world: &World) {
    world.sql("UPDATE gates SET next_probe_at = 1 WHERE next_probe_at IS NOT NULL", []).await;
    world.sql("UPDATE gates SET closed_until = 1 WHERE closed_until IS NOT NULL", []).await;
    world.sql("UPDATE gates SET retry_floor_at = 1 WHERE retry_floor_at IS NOT NULL", []).await;
}
