//! Budgets of providers and apps, as all processes share them.

mod claims;
mod herds;
mod mint;
mod notes;
mod shares;

use super::ground::{Ground, Place};
use crate::world::{at, id, terms};
use mortise_domain::gate::{Gate, GateId, Limits, Outcome, Rate};
use mortise_domain::*;
use mortise_store::*;
use std::time::Duration;

/// So many connections of an app and a customer, due since so many milliseconds after 1970, each one later than the one
/// before.
pub async fn due(ground: &Ground, app: Place, customer: CustomerKey, count: i64, since: i64) -> Vec<ConnectionId> {
    let mut ids = Vec::new();
    for n in 0..count {
        let grant = NewGrant { app: app.key, customer, ..ground.grant(Some(at(since + n))) };
        ground.store_grant(&grant).await;
        ids.push(grant.id);
    }
    ids
}

/// A claim with room for so many and no other bounds.
pub async fn claim(ledger: &dyn Ledger, limit: usize) -> DueClaims {
    let room = ClaimRoom::of(limit, &[]);
    claim_in(ledger, &room).await
}

async fn claim_in(ledger: &dyn Ledger, room: &ClaimRoom<'_>) -> DueClaims {
    let terms = terms(id!(LeaseOwner));
    ledger.connections_claim(&terms, room, &mut || id!(AttemptId), &mut || id!(EventId)).await.unwrap()
}

fn ids(claims: &DueClaims) -> Vec<ConnectionId> {
    claims.claimed.iter().map(|claim| claim.connection.id).collect()
}

async fn gate(ledger: &dyn Ledger, id: GateId) -> Option<Gate> {
    ledger.gates().await.unwrap().into_iter().find(|gate| gate.id == id)
}

fn provider(app: Place) -> GateId {
    GateId::Provider(app.connector)
}

const fn rate(requests: u32, seconds: u32) -> Limits {
    Limits { rate: Some(Rate { requests, seconds }), concurrency: None, mint: None }
}

const fn at_once(requests: u32) -> Limits {
    Limits { rate: None, concurrency: Some(requests), mint: None }
}

async fn down(ground: &Ground, app: Place, times: usize) {
    ground.ledger.gates_note(&vec![(provider(app), Outcome::Down); times]).await.unwrap();
}

async fn quiet(ground: &Ground, app: Place, seconds: u64) {
    let retry_after = Some(Duration::from_secs(seconds));
    ground.ledger.gates_note(&[(provider(app), Outcome::Throttled { retry_after })]).await.unwrap();
}
