//! Queued revocations.

use crate::world::{World, at, event, id, revocation};
use futures_util::future::join_all;
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(60);

async fn queued_tried_and_done(backend: Backend) {
    let world = World::new(backend).await;
    let (store, owner) = (&world.store, id!(LeaseOwner));
    let row = world.due().await;
    let new = revocation(&row);
    store.revocation_enqueue(new.clone(), event(EventKind::LateReply)).await.unwrap();
    let claimed = store.revocations_claim(owner, 9, LEASE).await.unwrap().remove(0);
    assert_eq!((claimed.id, &claimed.variables, &claimed.refresh), (new.id, &new.variables, &new.refresh));
    assert!(store.revocations_claim(owner, 9, LEASE).await.unwrap().is_empty());
    assert_eq!(store.revocation_claim_one(new.id, owner, LEASE).await.unwrap(), None, "somebody is at it");

    let later = store.database_now().await.unwrap() + Duration::from_secs(60);
    store.revocation_retry(new.id, later, 1, "503").await.unwrap();
    store.revocation_retry(new.id, at(1), 1, "a second writer").await.unwrap();
    assert!(store.revocations_claim(owner, 9, LEASE).await.unwrap().is_empty(), "not due");
    let claimed = store.revocation_claim_one(new.id, owner, LEASE).await.unwrap().unwrap();
    assert_eq!((claimed.attempts, claimed.last_error.as_deref(), claimed.due_at), (1, Some("503"), later));

    store.revocation_done(new.id, event(EventKind::RevokedUpstream)).await.unwrap();
    store.revocation_done(new.id, event(EventKind::RevokedUpstream)).await.unwrap();
    assert_eq!(store.revocation_claim_one(new.id, owner, LEASE).await.unwrap(), None);
    use EventKind::{Connected, LateReply, RevokedUpstream};
    assert_eq!(world.timeline(row.id).await, [Connected, LateReply, RevokedUpstream]);
}

async fn retaken_after_its_lease(backend: Backend) {
    let world = World::new(backend).await;
    let new = revocation(&world.due().await);
    world.store.revocation_enqueue(new, event(EventKind::LateReply)).await.unwrap();
    let claim =
        async || world.store.revocations_claim(id!(LeaseOwner), 9, Duration::from_millis(1)).await.unwrap().len();
    assert_eq!(claim().await, 1);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(claim().await, 1);
}

async fn claimed_by_one_of_many(backend: Backend) {
    let world = World::new(backend).await;
    let other = world.other_process().await;
    let row = world.due().await;
    for _ in 0..40 {
        world.store.revocation_enqueue(revocation(&row), event(EventKind::LateReply)).await.unwrap();
    }
    let claims = (0..8).map(|n| {
        let store = if n % 2 == 0 { &world.store } else { &other };
        store.revocations_claim(id!(LeaseOwner), 10, LEASE)
    });
    let mut taken: Vec<_> = join_all(claims).await.into_iter().flat_map(Result::unwrap).map(|row| row.id).collect();
    let all = taken.len();
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), all, "none was taken twice");
}

on_every_database! { queued_tried_and_done, retaken_after_its_lease, claimed_by_one_of_many, }
