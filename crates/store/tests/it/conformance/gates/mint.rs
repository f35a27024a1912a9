//! How often one connection may be renewed, whoever asks.

use super::{claim, due, ids, provider};
use crate::conformance::ground::{Ground, Kind};
use crate::world::{at, event, failure, id, terms};
use mortise_domain::gate::{Limits, Rate};
use mortise_domain::*;
use mortise_store::*;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

async fn counting(kind: Kind, requests: u32) -> Ground {
    let ground = Ground::new(kind).await;
    let mint = Some(Rate { requests, seconds: 3_600 });
    ground.ledger.gate_limit(provider(ground.app()), Limits { mint, ..Limits::default() }).await.unwrap();
    ground
}

async fn one(ground: &Ground, id: ConnectionId) -> ClaimOne {
    let terms = terms(id!(LeaseOwner));
    let ledger = ground.other_process().await;
    ledger.connection_claim_one(&terms, ground.env, id, 1, id!(AttemptId), id!(EventId)).await.unwrap()
}

async fn ends(ground: &Ground, claimed: &Claimed) {
    let failed = RefreshFailed { next_refresh_at: at(1_000), ..failure(claimed) };
    assert!(ground.ledger.refresh_failed(&failed, event(EventKind::RefreshFailed)).await.unwrap());
}

async fn nobody_renews_one_connection_more_often(kind: Kind) {
    let ground = counting(kind, 2).await;
    let rows = due(&ground, ground.app(), ground.customer_key, 2, 1_000).await;
    let first = claim(&*ground.ledger, 1).await.claimed.remove(0);
    assert_eq!(first.connection.id, rows[0]);
    ends(&ground, &first).await;
    let ClaimOne::Claimed(second) = one(&ground, rows[0]).await else { panic!("twice is allowed") };
    ends(&ground, &second).await;

    let ClaimOne::Gated { until, .. } = one(&ground, rows[0]).await else { panic!("a third time") };
    assert_eq!(until, first.now + HOUR, "an hour after the first");
    let terms = terms(id!(LeaseOwner));
    let probe = ground.ledger.connection_claim_probe(&terms, ground.app_key, id!(AttemptId), id!(EventId));
    assert_eq!(probe.await.unwrap(), None, "no more does a probe, which tries the one that is due first");
    let claims = claim(&*ground.ledger, 9).await;
    assert_eq!(ids(&claims), rows[1..], "others have budgets of their own");
    assert_eq!(ground.read(rows[0]).await.next_refresh_at, Some(until), "and it is due when it may be renewed");
    assert_eq!(claim(&*ground.ledger, 9).await.claimed, []);
}

/// Seconds that nobody counts cost nothing: without a budget everything is as before.
async fn a_budget_that_is_lifted_is_gone(kind: Kind) {
    let ground = counting(kind, 1).await;
    let row = due(&ground, ground.app(), ground.customer_key, 1, 1_000).await[0];
    let ClaimOne::Claimed(first) = one(&ground, row).await else { panic!("once is allowed") };
    ends(&ground, &first).await;
    assert!(matches!(one(&ground, row).await, ClaimOne::Gated { .. }));
    ground.ledger.gate_limit(provider(ground.app()), Limits::default()).await.unwrap();
    assert!(matches!(one(&ground, row).await, ClaimOne::Claimed(_)));
}

on_every_ledger! {
    nobody_renews_one_connection_more_often,
    a_budget_that_is_lifted_is_gone,
}
