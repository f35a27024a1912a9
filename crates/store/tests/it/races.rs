//! Many at once: claimers, committers, writers.

use crate::world::{World, at, claim, event, failure, id, result};
use futures_util::future::join_all;
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;
use std::collections::HashMap;

async fn two_processes_never_claim_the_same_row(backend: Backend) {
    let world = World::new(backend).await;
    let other = world.other_process().await;
    let ids = world.many_due(200).await;
    for round in 1..=10_i64 {
        let claimers = (0..8).map(|n| {
            let store = if n % 2 == 0 { world.store.clone() } else { other.clone() };
            async move {
                let mut mine = Vec::new();
                loop {
                    let more = claim(&store, 16).await;
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
            let store = if n % 2 == 0 { &world.store } else { &other };
            end(store, claim, n)
        });
        join_all(ended).await;
    }
    assert_eq!(world.timeline(ids[0]).await.len(), 1 + 20);
}

/// Every third claim ends with a failure, the others with a pair that is due again.
async fn end(store: &Store, claim: &Claimed, n: usize) {
    if n.is_multiple_of(3) {
        assert!(store.refresh_failed(&failure(claim), event(EventKind::RefreshFailed)).await.unwrap());
    } else {
        let pair = RefreshResult { next_refresh_at: Some(at(1_000)), ..result(claim) };
        assert_eq!(store.refresh_commit(&pair, event(EventKind::Refreshed)).await.unwrap(), CommitOutcome::Committed);
    }
}

/// The statement mix of a busy product. On SQLite a deferred transaction would fail here with code 517, and two processes
/// that did not wait for each other with code 5.
async fn sixteen_writers_never_fail(backend: Backend) {
    let world = World::new(backend).await;
    let other = world.other_process().await;
    let rows = world.many_due(64).await;
    let writers = (0..16).map(|n: usize| {
        let store = if n.is_multiple_of(2) { world.store.clone() } else { other.clone() };
        let (env, id) = (world.env, rows[n]);
        let customer: CustomerId = format!("w{}", n % 4).parse().unwrap();
        async move {
            for round in 0..20 {
                for claimed in claim(&store, 4).await {
                    end(&store, &claimed, round).await;
                }
                let metadata = serde_json::json!({"round": round});
                assert!(store.connection_set_metadata(env, id, &metadata).await.unwrap());
                let put = store.customer_put(env, id!(CustomerKey), &customer, None, &metadata, at(1));
                put.await.unwrap();
                store.event_append(id, &event(EventKind::LateReply)).await.unwrap();
            }
        }
    });
    join_all(writers).await;
}

on_every_database! { two_processes_never_claim_the_same_row, sixteen_writers_never_fail, }
