//! Requests that may be sent twice.

use crate::world::{World, at, digest, sealed};
use futures_util::future::join_all;
use mortise_domain::Timestamp;
use mortise_store::*;
use mortise_testkit::Backend;

fn now() -> Timestamp {
    at(1_700_000_000_000)
}

async fn the_first_answer_is_given_again(backend: Backend) {
    let world = World::new(backend).await;
    let store = &world.store;
    let key = IdempotencyKey { environment: world.env, digest: digest(1) };
    let begin = async |key: &IdempotencyKey, body, now| store.idempotency_begin(key, &digest(body), now).await.unwrap();
    assert_eq!(begin(&key, 2, now()).await, IdempotencyBegin::New);
    assert_eq!(begin(&key, 2, now()).await, IdempotencyBegin::InFlight);
    assert_eq!(begin(&key, 3, now()).await, IdempotencyBegin::Mismatch);
    let elsewhere = IdempotencyKey { environment: world.elsewhere().await, ..key };
    assert_eq!(begin(&elsewhere, 2, now()).await, IdempotencyBegin::New, "keys belong to environments");

    store.idempotency_forget(&key).await.unwrap();
    assert_eq!(begin(&key, 3, now()).await, IdempotencyBegin::New, "it changed nothing, so it may be another one");
    store.idempotency_finish(&key, 201, &sealed("first")).await.unwrap();
    store.idempotency_finish(&key, 500, &sealed("second")).await.unwrap();
    store.idempotency_forget(&key).await.unwrap();
    let replay = IdempotencyBegin::Replay { status: 201, body: sealed("first") };
    assert_eq!(begin(&key, 3, now()).await, replay);
    assert_eq!(begin(&key, 2, now()).await, IdempotencyBegin::Mismatch);

    assert_eq!(store.idempotency_sweep(now()).await.unwrap(), 0);
    assert_eq!(store.idempotency_sweep(now() + std::time::Duration::from_secs(1)).await.unwrap(), 2);
    assert_eq!(begin(&key, 2, now()).await, IdempotencyBegin::New);
}

async fn of_many_that_begin_one_is_new(backend: Backend) {
    let world = World::new(backend).await;
    let other = world.other_process().await;
    let (key, body) = (IdempotencyKey { environment: world.env, digest: digest(1) }, digest(2));
    // The second round is a request that was cut off: one of those who find it takes it over.
    for time in [now(), now() + std::time::Duration::from_secs(301)] {
        let begins = (0..20).map(|n| {
            let store = if n % 2 == 0 { &world.store } else { &other };
            store.idempotency_begin(&key, &body, time)
        });
        let begun: Vec<_> = join_all(begins).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(begun.iter().filter(|begun| **begun == IdempotencyBegin::New).count(), 1, "{begun:?}");
        assert_eq!(begun.iter().filter(|begun| **begun == IdempotencyBegin::InFlight).count(), 19);
    }
}

on_every_database! { the_first_answer_is_given_again, of_many_that_begin_one_is_new, }
