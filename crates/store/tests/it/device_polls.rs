//! Device flows: claims, plans and ends, on each database.

use crate::attempts::session;
use crate::world::{World, at, digest, id, sealed};
use futures_util::future::join_all;
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;
use std::collections::BTreeMap;
use std::time::Duration;

/// A flow that ends at `expires_at`, stored.
async fn begun(world: &World, interval: u32, expires_at: Timestamp) -> Attempt {
    let session = session(world);
    world.store.connect_session_insert(&session).await.unwrap();
    let attempt = Attempt {
        id: id!(AttemptId),
        environment: world.env,
        session: session.id,
        app: world.app.key,
        connector_version: 1,
        state_digest: session.token_digest,
        cookie_digest: digest(5),
        verifier: sealed("codes"),
        variables: BTreeMap::new(),
        scopes: ScopeSet::default(),
        created_at: at(100),
        expires_at,
        consumed_at: None,
        code: None,
        completion_digest: None,
        code_expires_at: None,
    };
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
    let attempt = begun(&world, 0, at(700)).await;
    let other = world.other_process().await;
    let stores = [&world.store, &other];
    let claims = join_all((0..20).map(|n| stores[n % 2].device_claim(10, Duration::from_secs(600)))).await;
    let mut won: Vec<_> = claims.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(won.len(), 1);
    let won = won.remove(0);
    assert_eq!((won.attempt, won.poll.interval, won.poll.completion_digest), (attempt, 0, digest(9)));
}

async fn a_claim_ends_by_itself_and_whoever_lost_it_changes_nothing(backend: Backend) {
    let world = World::new(backend).await;
    let (store, attempt) = (&world.store, begun(&world, 0, at(700)).await);
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
    let (store, attempt) = (&world.store, begun(&world, 0, at(700)).await);
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
    let (store, attempt) = (&world.store, begun(&world, 0, at(700)).await);
    assert!(store.attempt_consume(attempt.id, at(200)).await.unwrap());
    assert!(store.attempt_hold_code(attempt.id, &sealed("grant"), &digest(9), at(260)).await.unwrap());
    let other = world.other_process().await;
    let stores = [&world.store, &other];
    let found = join_all((0..10).map(|n| stores[n % 2].device_grants_abandoned(10))).await;
    let found: Vec<_> = found.into_iter().flat_map(Result::unwrap).collect();
    let found: Vec<_> = found.into_iter().map(|(attempt, sealed)| (attempt.id, sealed)).collect();
    assert_eq!(found, [(attempt.id, sealed("grant"))]);
    assert!(!store.attempt_take_code(attempt.id).await.unwrap());
}

on_every_database! {
    of_many_workers_one_asks,
    a_claim_ends_by_itself_and_whoever_lost_it_changes_nothing,
    what_ended_is_never_asked_about_again,
    an_abandoned_grant_is_handed_over_once,
}
