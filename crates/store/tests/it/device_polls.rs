//! Device flows: claims, plans and ends, on each database.

use crate::attempts;
use crate::world::{World, at, digest, sealed};
use futures_util::future::join_all;
use mortise_store::*;
use mortise_testkit::Backend;
use std::time::Duration;

/// A stored flow that is asked about after so many seconds.
async fn begun(world: &World, interval: u32) -> Attempt {
    let attempt = attempts::new(world).await;
    world.store.device_begin(&attempt, interval, &digest(9)).await.unwrap();
    attempt
}

/// Claims for so long until something is due.
async fn claimed(store: &Store, lease: Duration) -> Vec<ClaimedPoll> {
    for _ in 0..200 {
        let due = store.device_claim(10, lease).await.unwrap();
        if !due.is_empty() {
            return due;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing becomes due");
}

async fn of_many_workers_one_asks(backend: Backend) {
    let world = World::new(backend).await;
    let attempt = begun(&world, 0).await;
    let other = world.other_process().await;
    let stores = [&world.store, &other];
    let claims = join_all((0..20).map(|n| stores[n % 2].device_claim(10, Duration::from_secs(600)))).await;
    let mut won: Vec<_> = claims.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(won.len(), 1);
    let won = won.remove(0);
    assert_eq!((won.attempt, won.poll.interval, won.poll.completion_digest), (attempt, 0, digest(9)));
}

async fn what_is_not_due_waits_and_no_more_is_claimed_than_asked_for(backend: Backend) {
    let world = World::new(backend).await;
    let later = begun(&world, 3_600).await;
    for _ in 0..3 {
        begun(&world, 0).await;
    }
    let mut claims = Vec::new();
    for _ in 0..3 {
        claims.push(world.store.device_claim(2, Duration::from_secs(600)).await.unwrap());
    }
    assert_eq!(claims.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 0]);
    assert!(claims.iter().flatten().all(|flow| flow.attempt.id != later.id), "it is due in an hour");
}

async fn a_claim_ends_by_itself_and_whoever_lost_it_changes_nothing(backend: Backend) {
    let world = World::new(backend).await;
    let (store, attempt) = (&world.store, begun(&world, 0).await);
    let first = claimed(store, Duration::from_millis(100)).await.remove(0);
    let second = claimed(store, Duration::from_secs(600)).await.remove(0);
    assert!(!store.device_poll_again(&first, 0).await.unwrap());
    assert!(!store.device_poll_end(&first, Some("late")).await.unwrap());
    assert!(store.device_poll_again(&second, 7).await.unwrap());
    let (_, poll) = store.device_flow(world.env, attempt.id).await.unwrap().unwrap();
    assert_eq!((poll.interval, poll.failure), (7, None));
    assert!(store.device_claim(10, Duration::ZERO).await.unwrap().is_empty(), "it is not due for seven seconds");
}

async fn what_ended_is_never_asked_about_again(backend: Backend) {
    let world = World::new(backend).await;
    let (store, attempt) = (&world.store, begun(&world, 0).await);
    let won = claimed(store, Duration::from_millis(1)).await.remove(0);
    assert!(store.device_poll_end(&won, Some("access_denied")).await.unwrap());
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(store.device_claim(10, Duration::ZERO).await.unwrap().is_empty());
    let (stored, poll) = store.device_flow(world.env, attempt.id).await.unwrap().unwrap();
    assert_eq!((stored, poll.poll_at, poll.failure.as_deref()), (attempt.clone(), None, Some("access_denied")));
    assert_eq!(store.device_flow(world.elsewhere().await, attempt.id).await.unwrap(), None);
    assert_eq!(store.attempts_sweep(at(9_999)).await.unwrap(), 1, "the poll goes with its attempt");
    assert_eq!(store.device_flow(world.env, attempt.id).await.unwrap(), None);
}

async fn an_abandoned_grant_is_handed_over_once(backend: Backend) {
    let world = World::new(backend).await;
    let (store, attempt) = (&world.store, begun(&world, 0).await);
    // One that the backend may still ask for, and a code, which ends by itself.
    let (waiting, code) = (begun(&world, 0).await, attempts::begun(&world).await);
    for (held, until) in [(&attempt, at(260)), (&waiting, at(99_999_999_999_999)), (&code, at(260))] {
        assert!(store.attempt_consume(held.id, at(200)).await.unwrap());
        assert!(store.attempt_hold_code(held.id, &sealed("grant"), &digest(9), until).await.unwrap());
    }
    let other = world.other_process().await;
    let stores = [&world.store, &other];
    let found = join_all((0..10).map(|n| stores[n % 2].device_grants_abandoned(10))).await;
    let found: Vec<_> = found.into_iter().flat_map(Result::unwrap).collect();
    let found: Vec<_> = found.into_iter().map(|(attempt, sealed)| (attempt.id, sealed)).collect();
    assert_eq!(found, [(attempt.id, sealed("grant"))]);
    assert!(!store.attempt_take_code(attempt.id).await.unwrap());
}

/// The others are asked about, and their grants given back, as if it were not there.
async fn what_does_not_read_stands_in_nobodys_way(backend: Backend) {
    let world = World::new(backend).await;
    let (store, broken) = (&world.store, begun(&world, 0).await);
    let sound = begun(&world, 0).await;
    let breaks = "UPDATE authorization_attempts SET variables = 'nonsense' WHERE id = ?";
    assert_eq!(world.sql(breaks, [broken.id.as_uuid().into()]).await, 1);
    let due = claimed(store, Duration::from_secs(600)).await;
    assert_eq!(due.iter().map(|flow| flow.attempt.id).collect::<Vec<_>>(), [sound.id]);
    for attempt in [&broken, &sound] {
        assert!(store.attempt_consume(attempt.id, at(200)).await.unwrap());
        assert!(store.attempt_hold_code(attempt.id, &sealed("grant"), &digest(9), at(260)).await.unwrap());
    }
    let found = store.device_grants_abandoned(10).await.unwrap();
    assert_eq!(found.iter().map(|(attempt, _)| attempt.id).collect::<Vec<_>>(), [sound.id]);
}

on_every_database! {
    of_many_workers_one_asks,
    what_is_not_due_waits_and_no_more_is_claimed_than_asked_for,
    a_claim_ends_by_itself_and_whoever_lost_it_changes_nothing,
    what_ended_is_never_asked_about_again,
    an_abandoned_grant_is_handed_over_once,
    what_does_not_read_stands_in_nobodys_way,
}
