//! Claims: leases, fences, attempts.

use crate::world::{World, at, claim, event, failure, id, result, terms};
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;
use std::time::Duration;

async fn a_claim_leaves_its_trace_before_anything_is_sent(backend: Backend) {
    let world = World::new(backend).await;
    let row = world.due().await;
    let owner = id!(LeaseOwner);
    let (attempt, line) = (id!(AttemptId), id!(EventId));
    let claimed =
        world.store.connections_claim_due(&terms(owner), 10, &[], || attempt, || line).await.unwrap().remove(0);
    assert_eq!((claimed.attempt, claimed.fence, claimed.interrupted), (attempt, 1, None));

    let stored = world.read(row.id).await;
    assert_eq!(claimed.connection, stored, "the claim is what the row says");
    assert_eq!((stored.lease_owner, stored.attempt), (Some(owner), Some(attempt)));
    assert_eq!(stored.lease_until, Some(claimed.now + Duration::from_secs(60)));
    assert_eq!(stored.attempt_deadline, Some(claimed.now + Duration::from_secs(40)));
    let page = Page { limit: 1, after: None };
    let started = world.store.event_list(world.env, row.id, page).await.unwrap().0.remove(0);
    assert_eq!((started.kind, started.id, started.at), (EventKind::RefreshStarted, line, claimed.now));
    assert_eq!(started.detail, serde_json::json!({"attempt": attempt, "generation": 1}));
    assert!(world.claim(10).await.is_empty(), "nobody else gets it");
    let drift = (world.store.database_now().await.unwrap() - claimed.now).num_milliseconds();
    assert!((0..60_000).contains(&drift), "{drift}");
}

async fn most_overdue_first_and_only_what_is_due(backend: Backend) {
    let world = World::new(backend).await;
    let now = world.store.database_now().await.unwrap();
    let mut ids = Vec::new();
    for due in [Some(at(3_000)), Some(at(1_000)), Some(now + Duration::from_secs(600)), None, Some(at(2_000))] {
        let grant = world.grant(due);
        world.store.connection_store_grant(&grant, event(EventKind::Connected), None).await.unwrap();
        ids.push(grant.id);
    }
    let taken: Vec<_> = world.claim(2).await.iter().map(|claimed| claimed.connection.id).collect();
    assert_eq!(taken, [ids[1], ids[4]]);
    let taken: Vec<_> = world.claim(9).await.iter().map(|claimed| claimed.connection.id).collect();
    assert_eq!(taken, [ids[0]]);
}

async fn connections_of_held_apps_wait_for_their_probe(backend: Backend) {
    let world = World::new(backend).await;
    let row = world.due().await;
    let terms = terms(id!(LeaseOwner));
    let held = [world.app.key, id!(AppKey)];
    let claimed =
        world.store.connections_claim_due(&terms, 9, &held, || id!(AttemptId), || id!(EventId)).await.unwrap();
    assert!(claimed.is_empty());
    let probe = || world.store.connection_claim_probe(&terms, world.app.key, id!(AttemptId), id!(EventId));
    assert_eq!(probe().await.unwrap().unwrap().connection.id, row.id);
    assert_eq!(probe().await.unwrap(), None, "somebody is at it");
    let nobodys = world.store.connection_claim_probe(&terms, id!(AppKey), id!(AttemptId), id!(EventId)).await.unwrap();
    assert_eq!(nobodys, None);
}

async fn retaken_when_lease_and_attempt_are_over(backend: Backend) {
    let world = World::new(backend).await;
    let row = world.due().await;
    let short = |lease, attempt| ClaimTerms {
        owner: id!(LeaseOwner),
        lease: Duration::from_millis(lease),
        attempt: Duration::from_millis(attempt),
    };
    let take = async |terms: ClaimTerms| {
        let claimed = world.store.connections_claim_due(&terms, 9, &[], || id!(AttemptId), || id!(EventId));
        claimed.await.unwrap().pop()
    };
    let first = take(short(1, 60_000)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(take(short(1, 1)).await, None, "the lease is over, the attempt may not be");
    world.sql("UPDATE connections SET attempt_deadline = 1 WHERE id = ?", [row.id.as_uuid().into()]).await;
    let second = take(short(60_000, 1)).await.unwrap();
    assert_eq!((second.fence, second.interrupted), (2, Some(first.attempt)));
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(take(short(1, 1)).await, None, "the attempt is over, the lease is not");

    let late = world.store.refresh_failed(&failure(&first), event(EventKind::RefreshFailed)).await.unwrap();
    assert!(!late, "the fence keeps the first claimer out");
    assert_eq!(world.read(row.id).await, second.connection);
    // A pair that the first claimer got all the same is good, and what the second brings is then one too many.
    let outcome = world.store.refresh_commit(&result(&first), event(EventKind::Refreshed)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
    let outcome = world.store.refresh_commit(&result(&second), event(EventKind::Refreshed)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::GenerationMoved);
    assert!(!world.store.refresh_failed(&failure(&second), event(EventKind::RefreshFailed)).await.unwrap());
}

async fn one_connection_for_a_caller(backend: Backend) {
    let world = World::new(backend).await;
    let grant = world.grant(None);
    world.store.connection_store_grant(&grant, event(EventKind::Connected), None).await.unwrap();
    let terms = terms(id!(LeaseOwner));
    let one = async |env, id, generation| {
        let claim = world.store.connection_claim_one(&terms, env, id, generation, id!(AttemptId), id!(EventId));
        claim.await.unwrap()
    };
    assert_eq!(one(world.env, grant.id, 2).await, ClaimOne::Moved);
    assert_eq!(one(world.env, id!(ConnectionId), 1).await, ClaimOne::Gone);
    let ClaimOne::Claimed(claimed) = one(world.env, grant.id, 1).await else { panic!("it is free, due or not") };
    assert_eq!(claimed.connection, world.read(grant.id).await);
    let ClaimOne::Busy { until, now, leased: true } = one(world.env, grant.id, 1).await else { panic!("it is taken") };
    assert_eq!(Some(until), claimed.connection.lease_until);
    assert!(now >= claimed.now && now < until);

    let change = StateChange { to: ConnectionState::Held, reason: StateReason::Consented, at: at(9) };
    let held = world.store.connection_set_state(world.env, grant.id, 1, 1, change, event(EventKind::Quarantined));
    assert!(held.await.unwrap());
    assert_eq!(one(world.env, grant.id, 1).await, ClaimOne::Gone);
}

async fn a_claim_of_nothing_writes_nothing(backend: Backend) {
    let world = World::new(backend).await;
    assert!(claim(&world.store, 64).await.is_empty());
    assert!(claim(&world.store, 0).await.is_empty());
    assert!(claim(&world.store, usize::MAX).await.is_empty());
}

on_every_database! {
    a_claim_leaves_its_trace_before_anything_is_sent,
    most_overdue_first_and_only_what_is_due,
    connections_of_held_apps_wait_for_their_probe,
    retaken_when_lease_and_attempt_are_over,
    one_connection_for_a_caller,
    a_claim_of_nothing_writes_nothing,
}
