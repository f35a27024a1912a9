//! Claims: leases, fences, attempts.

use crate::book::{claim, claim_on, claim_without};
use crate::conformance::ground::{Ground, Kind};
use crate::world::{at, event, failure, id, result, terms};
use mortise_domain::*;
use mortise_store::*;
use std::time::Duration;

async fn a_claim_leaves_its_trace_before_anything_is_sent(kind: Kind) {
    let ground = Ground::new(kind).await;
    let row = ground.due().await;
    let owner = id!(LeaseOwner);
    let (attempt, line) = (id!(AttemptId), id!(EventId));
    let (attempts, lines) = (&mut || attempt, &mut || line);
    let claimed = ground.ledger.connections_claim_due(&terms(owner), 10, &[], attempts, lines).await.unwrap().remove(0);
    assert_eq!((claimed.attempt, claimed.fence, claimed.interrupted), (attempt, 1, None));

    let stored = ground.read(row.id).await;
    assert_eq!(claimed.connection, stored, "the claim is what the row says");
    assert_eq!((stored.lease_owner, stored.attempt), (Some(owner), Some(attempt)));
    assert_eq!(stored.lease_until, Some(claimed.now + Duration::from_secs(60)));
    assert_eq!(stored.attempt_deadline, Some(claimed.now + Duration::from_secs(40)));
    let page = Page { limit: 1, after: None };
    let started = ground.ledger.event_list(ground.env, row.id, page).await.unwrap().0.remove(0);
    assert_eq!(
        (started.kind, started.id, started.at),
        (EventKind::RefreshStarted, line.moved_to(claimed.now), claimed.now)
    );
    assert_eq!(started.detail, serde_json::json!({"attempt": attempt, "generation": 1}));
    assert!(ground.claim(10).await.is_empty(), "nobody else gets it");
    let drift = (ground.ledger.database_now().await.unwrap() - claimed.now).num_milliseconds();
    assert!((0..60_000).contains(&drift), "{drift}");
}

async fn most_overdue_first_and_only_what_is_due(kind: Kind) {
    let ground = Ground::new(kind).await;
    let now = ground.ledger.database_now().await.unwrap();
    let mut ids = Vec::new();
    for due in [Some(at(3_000)), Some(at(1_000)), Some(now + Duration::from_secs(600)), None, Some(at(2_000))] {
        let grant = ground.grant(due);
        ground.ledger.connection_store_grant(&grant, event(EventKind::Connected), None).await.unwrap();
        ids.push(grant.id);
    }
    let taken: Vec<_> = ground.claim(2).await.iter().map(|claimed| claimed.connection.id).collect();
    assert_eq!(taken, [ids[1], ids[4]]);
    let taken: Vec<_> = ground.claim(9).await.iter().map(|claimed| claimed.connection.id).collect();
    assert_eq!(taken, [ids[0]]);
}

async fn connections_of_held_apps_wait_for_their_probe(kind: Kind) {
    let ground = Ground::new(kind).await;
    let row = ground.due().await;
    let terms = terms(id!(LeaseOwner));
    let held = [ground.app_key, id!(AppKey)];
    assert!(claim_without(&*ground.ledger, &terms, 9, &held).await.is_empty());
    let probe = || ground.ledger.connection_claim_probe(&terms, ground.app_key, id!(AttemptId), id!(EventId));
    assert_eq!(probe().await.unwrap().unwrap().connection.id, row.id);
    assert_eq!(probe().await.unwrap(), None, "somebody is at it");
    let nobodys =
        ground.ledger.connection_claim_probe(&terms, id!(AppKey), id!(AttemptId), id!(EventId)).await.unwrap();
    assert_eq!(nobodys, None);
}

async fn retaken_when_lease_and_attempt_are_over(kind: Kind) {
    let ground = Ground::new(kind).await;
    let row = ground.due().await;
    let short = |lease, attempt| ClaimTerms {
        owner: id!(LeaseOwner),
        lease: Duration::from_millis(lease),
        attempt: Duration::from_millis(attempt),
    };
    let take = async |terms: ClaimTerms| claim_on(&*ground.ledger, &terms, 9).await.pop();
    let first = take(short(1, 60_000)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(take(short(1, 1)).await, None, "the lease is over, the attempt may not be");
    ground.end_attempt(row.id).await;
    let second = take(short(60_000, 1)).await.unwrap();
    assert_eq!((second.fence, second.interrupted), (2, Some(first.attempt)));
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(take(short(1, 1)).await, None, "the attempt is over, the lease is not");

    let late = ground.ledger.refresh_failed(&failure(&first), event(EventKind::RefreshFailed)).await.unwrap();
    assert!(!late, "the fence keeps the first claimer out");
    assert_eq!(ground.read(row.id).await, second.connection);
    // A pair that the first claimer got all the same is good, and what the second brings is then one too many.
    let outcome = ground.ledger.refresh_commit(&result(&first), event(EventKind::Refreshed)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
    let outcome = ground.ledger.refresh_commit(&result(&second), event(EventKind::Refreshed)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::GenerationMoved);
    assert!(!ground.ledger.refresh_failed(&failure(&second), event(EventKind::RefreshFailed)).await.unwrap());
}

async fn one_connection_for_a_caller(kind: Kind) {
    let ground = Ground::new(kind).await;
    let grant = ground.grant(None);
    ground.ledger.connection_store_grant(&grant, event(EventKind::Connected), None).await.unwrap();
    let terms = terms(id!(LeaseOwner));
    let one = async |env, id, generation| {
        let claim = ground.ledger.connection_claim_one(&terms, env, id, generation, id!(AttemptId), id!(EventId));
        claim.await.unwrap()
    };
    assert_eq!(one(ground.env, grant.id, 2).await, ClaimOne::Moved);
    assert_eq!(one(ground.env, id!(ConnectionId), 1).await, ClaimOne::Gone);
    let ClaimOne::Claimed(claimed) = one(ground.env, grant.id, 1).await else { panic!("it is free, due or not") };
    assert_eq!(claimed.connection, ground.read(grant.id).await);
    let ClaimOne::Busy { until, now, leased: true } = one(ground.env, grant.id, 1).await else { panic!("it is taken") };
    assert_eq!(Some(until), claimed.connection.lease_until);
    assert!(now >= claimed.now && now < until);

    let change = StateChange { to: ConnectionState::Held, reason: StateReason::Consented, at: at(9) };
    let held = ground.ledger.connection_set_state(ground.env, grant.id, 1, 1, change, event(EventKind::Quarantined));
    assert!(held.await.unwrap());
    assert_eq!(one(ground.env, grant.id, 1).await, ClaimOne::Gone);
}

async fn a_probe_takes_what_is_due_first(kind: Kind) {
    let ground = Ground::new(kind).await;
    let mut ids = Vec::new();
    for due in [None, Some(at(4_000_000_000_000)), Some(at(4_000_000_000_001)), Some(at(2_000))] {
        let grant = ground.grant(due);
        ground.store_grant(&grant).await;
        ids.push(grant.id);
    }
    let terms = terms(id!(LeaseOwner));
    let probe = async || {
        let claim = ground.ledger.connection_claim_probe(&terms, ground.app_key, id!(AttemptId), id!(EventId)).await;
        claim.unwrap().map(|claimed| claimed.connection.id)
    };
    assert_eq!([probe().await, probe().await, probe().await], [Some(ids[3]), Some(ids[1]), Some(ids[2])]);
    assert_eq!(probe().await, None, "what is never due is not tried");
}

async fn a_claim_tells_of_the_attempt_that_it_found(kind: Kind) {
    let ground = Ground::new(kind).await;
    let row = ground.due().await;
    let first = ground.claim(1).await.remove(0);
    let doubtful = RefreshFailed { doubt: Doubt::Processed, ..failure(&first) };
    assert!(ground.ledger.refresh_failed(&doubtful, event(EventKind::RefreshAmbiguous)).await.unwrap());
    let second = ground.claim(1).await.remove(0);
    assert_eq!(second.interrupted, Some(first.attempt));
    let page = Page { limit: 1, after: None };
    let started = ground.ledger.event_list(ground.env, row.id, page).await.unwrap().0.remove(0);
    let told = serde_json::json!({"attempt": second.attempt, "generation": 1, "interrupted": first.attempt});
    assert_eq!(started.detail, told);
}

async fn a_claim_of_nothing_writes_nothing(kind: Kind) {
    let ground = Ground::new(kind).await;
    assert!(claim(&*ground.ledger, 64).await.is_empty());
    assert!(claim(&*ground.ledger, 0).await.is_empty());
    assert!(claim(&*ground.ledger, usize::MAX).await.is_empty());
}

on_every_ledger! {
    a_claim_leaves_its_trace_before_anything_is_sent,
    most_overdue_first_and_only_what_is_due,
    connections_of_held_apps_wait_for_their_probe,
    retaken_when_lease_and_attempt_are_over,
    one_connection_for_a_caller,
    a_probe_takes_what_is_due_first,
    a_claim_tells_of_the_attempt_that_it_found,
    a_claim_of_nothing_writes_nothing,
}
