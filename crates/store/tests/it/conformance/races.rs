//! Many at once: claimers and committers.

use crate::book::claim;
use crate::conformance::ground::{Ground, Kind};
use crate::world::{at, event, failure, result};
use futures_util::future::join_all;
use mortise_domain::*;
use mortise_store::*;
use std::collections::HashMap;

async fn two_processes_never_claim_the_same_row(kind: Kind) {
    let ground = Ground::new(kind).await;
    let other = ground.other_process().await;
    let ids = ground.many_due(200).await;
    for round in 1..=10_i64 {
        let claimers = (0..8).map(|n| {
            let ledger = if n % 2 == 0 { ground.ledger.clone() } else { other.clone() };
            async move {
                let mut mine = Vec::new();
                loop {
                    let more = claim(&*ledger, 16).await;
                    if more.is_empty() {
                        return mine;
                    }
                    mine.extend(more);
                }
            }
        });
        let claimed: Vec<Claimed> = join_all(claimers).await.into_iter().flatten().collect();
        let mut by_row: HashMap<ConnectionId, usize> = HashMap::new();
        for claim in &claimed {
            *by_row.entry(claim.connection.id).or_default() += 1;
            assert_eq!(claim.fence, 2 * round - 1);
        }
        assert!(by_row.values().all(|times| *times == 1), "round {round}: a row was claimed twice");
        assert_eq!(by_row.len(), ids.len(), "round {round}: rows were left");
        let ended = claimed.iter().enumerate().map(|(n, claim)| {
            let ledger = if n % 2 == 0 { &ground.ledger } else { &other };
            end(&**ledger, claim, n)
        });
        join_all(ended).await;
    }
    assert_eq!(ground.timeline(ids[0]).await.len(), 1 + 20);
}

/// Every third claim ends with a failure, the others with a pair that is due again.
pub async fn end(ledger: &dyn Ledger, claim: &Claimed, n: usize) {
    if n.is_multiple_of(3) {
        assert!(ledger.refresh_failed(&failure(claim), event(EventKind::RefreshFailed)).await.unwrap());
    } else {
        let pair = RefreshResult { next_refresh_at: Some(at(1_000)), ..result(claim) };
        assert_eq!(ledger.refresh_commit(&pair, event(EventKind::Refreshed)).await.unwrap(), CommitOutcome::Committed);
    }
}

on_every_ledger! { two_processes_never_claim_the_same_row, }
