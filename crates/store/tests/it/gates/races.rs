//! Eight claimers in two processes at one gate: what it allows is never exceeded.

use super::{at_once, claim, down, due, provider, rate, wait_is_over};
use crate::world::{World, event, id, result, terms};
use futures_util::future::join_all;
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const CLAIMERS: usize = 8;

/// Claims in every way that there is: due ones, and one of them by a caller.
async fn any_claim(store: &Store, env: EnvironmentKey, way: usize, row: ConnectionId) -> Vec<Claimed> {
    if way.is_multiple_of(2) {
        return claim(store, 5).await.claimed;
    }
    let terms = terms(id!(LeaseOwner));
    match store.connection_claim_one(&terms, env, row, 1, id!(AttemptId), id!(EventId)).await.unwrap() {
        ClaimOne::Claimed(claimed) => vec![*claimed],
        _ => Vec::new(),
    }
}

async fn no_more_at_once_than_allowed(backend: Backend) {
    const MOST: usize = 3;
    let world = World::new(backend).await;
    let other = world.other_process().await;
    let rows = due(&world, &world.app, world.customer.key, 40, 1_000).await;
    world.store.gate_limit(provider(&world.app), at_once(MOST as u32)).await.unwrap();
    let (under_way, ended, highest) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let claimers = (0..CLAIMERS).map(|n| {
        let store = if n < CLAIMERS / 2 { world.store.clone() } else { other.clone() };
        let (under_way, ended, highest, rows, env) = (&under_way, &ended, &highest, &rows, world.env);
        async move {
            let mut round = n;
            while ended.load(Ordering::SeqCst) < rows.len() {
                round += CLAIMERS - 1;
                let claimed = any_claim(&store, env, n, rows[round % rows.len()]).await;
                highest
                    .fetch_max(under_way.fetch_add(claimed.len(), Ordering::SeqCst) + claimed.len(), Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(5)).await;
                for claim in claimed {
                    // Counted down before it ends for the database, so that the count is never too high.
                    under_way.fetch_sub(1, Ordering::SeqCst);
                    store.refresh_commit(&result(&claim), event(EventKind::Refreshed)).await.unwrap();
                    ended.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    });
    join_all(claimers).await;
    assert_eq!(ended.load(Ordering::SeqCst), rows.len(), "each was claimed once");
    // Whether all of it is used at one instant depends on who is scheduled when; that some of it is, does not.
    let highest = highest.load(Ordering::SeqCst);
    assert!(highest > 1 && highest <= MOST, "{highest} at once");
}

async fn no_more_in_a_second_than_allowed(backend: Backend) {
    const MOST: usize = 6;
    const WANTED: usize = 16;
    let world = World::new(backend).await;
    let other = world.other_process().await;
    let rows = due(&world, &world.app, world.customer.key, WANTED as i64, 1_000).await;
    world.store.gate_limit(provider(&world.app), rate(MOST as u32, 1)).await.unwrap();
    let claimed = AtomicUsize::new(0);
    let claimers = (0..CLAIMERS).map(|n| {
        let store = if n < CLAIMERS / 2 { world.store.clone() } else { other.clone() };
        let (claimed, rows, env) = (&claimed, &rows, world.env);
        async move {
            let (mut round, mut times) = (n, Vec::new());
            while claimed.load(Ordering::SeqCst) < WANTED {
                round += CLAIMERS - 1;
                let claims = any_claim(&store, env, n, rows[round % rows.len()]).await;
                claimed.fetch_add(claims.len(), Ordering::SeqCst);
                times.extend(claims.into_iter().map(|claim| claim.now.timestamp_millis()));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            times
        }
    });
    let times = join_all(claimers).await.concat();
    assert_eq!(times.len(), WANTED, "each was claimed once");
    let within = |from: i64| times.iter().filter(|at| **at >= from && **at < from + 1_000).count();
    let most = times.iter().map(|from| within(*from)).max().unwrap();
    assert!(most <= MOST, "{most} in a second: {times:?}");
}

async fn one_probe_for_all(backend: Backend) {
    let world = World::new(backend).await;
    let other = world.other_process().await;
    let rows = due(&world, &world.app, world.customer.key, 20, 1_000).await;
    down(&world, &world.app, 5).await;
    for round in 0..3 {
        wait_is_over(&world).await;
        let claimers = (0..CLAIMERS).map(|n| {
            let store = if n < CLAIMERS / 2 { world.store.clone() } else { other.clone() };
            let (row, env) = (rows[19 - round * CLAIMERS.min(6) - n % 6], world.env);
            async move { any_claim(&store, env, n, row).await.len() }
        });
        let claimed: usize = join_all(claimers).await.into_iter().sum();
        assert_eq!(claimed, 1, "round {round}");
    }
}

on_every_database! {
    no_more_at_once_than_allowed,
    no_more_in_a_second_than_allowed,
    one_probe_for_all,
}
