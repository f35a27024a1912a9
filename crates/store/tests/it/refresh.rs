//! What becomes of a claimed refresh.

use crate::world::{World, at, event, failure, id, result};
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;

async fn a_pair_is_stored_once(backend: Backend) {
    let world = World::new(backend).await;
    let row = world.due().await;
    let claimed = world.claim(1).await.remove(0);
    let pair = RefreshResult { granted_scopes: Some(ScopeSet::parse("read", " ")), ..result(&claimed) };
    let commit = async |pair: &RefreshResult, kind| world.store.refresh_commit(pair, event(kind)).await.unwrap();
    assert_eq!(commit(&pair, EventKind::Refreshed).await, CommitOutcome::Committed);
    let stored = world.read(row.id).await;
    let expected = Connection {
        generation: 2,
        access: Some(pair.access.clone()),
        refresh: pair.refresh.clone(),
        refreshed_at: Some(pair.refreshed_at),
        expires_at: pair.expires_at,
        next_refresh_at: pair.next_refresh_at,
        granted_scopes: pair.granted_scopes.clone(),
        updated_at: pair.refreshed_at,
        fence: 2,
        ..row.clone()
    };
    assert_eq!(stored, expected);

    assert_eq!(commit(&pair, EventKind::Recovered).await, CommitOutcome::AlreadyCommitted);
    assert_eq!(world.read(row.id).await, stored, "the second time changes nothing");
    let stranger = RefreshResult { attempt: id!(AttemptId), ..pair.clone() };
    assert_eq!(commit(&stranger, EventKind::Refreshed).await, CommitOutcome::GenerationMoved);
    use EventKind::{Connected, RefreshStarted, Refreshed};
    assert_eq!(world.timeline(row.id).await, [Connected, RefreshStarted, Refreshed]);
}

async fn a_replay_is_known_after_later_generations_and_families(backend: Backend) {
    let world = World::new(backend).await;
    let row = world.due().await;
    let claimed = world.claim(1).await.remove(0);
    let first = RefreshResult { next_refresh_at: Some(at(1_000)), ..result(&claimed) };
    world.store.refresh_commit(&first, event(EventKind::Refreshed)).await.unwrap();
    let claimed = world.claim(1).await.remove(0);
    world.store.refresh_commit(&result(&claimed), event(EventKind::Refreshed)).await.unwrap();
    let again = async || world.store.refresh_commit(&first, event(EventKind::Recovered)).await.unwrap();
    assert_eq!(again().await, CommitOutcome::AlreadyCommitted);
    let next = NewGrant { id: row.id, replaces_family: Some(1), generation: 4, granted_at: at(9), ..world.grant(None) };
    world.store.connection_store_grant(&next, event(EventKind::Reconnected), None).await.unwrap();
    assert_eq!(again().await, CommitOutcome::AlreadyCommitted);
    let ending = crate::endings::of(&world.read(row.id).await);
    world.store.connection_revoke(&ending, StateReason::Disconnected, at(9)).await.unwrap();
    assert_eq!(again().await, CommitOutcome::AlreadyCommitted);
}

/// However many write the same pair at once, as a process and its successor might, one of them does it.
async fn commits_at_once(backend: Backend) {
    let world = World::new(backend).await;
    let other = world.other_process().await;
    let row = world.due().await;
    let pair = result(&world.claim(1).await.remove(0));
    let commits = (0..12).map(|n| {
        let store = if n % 2 == 0 { &world.store } else { &other };
        store.refresh_commit(&pair, event(EventKind::Refreshed))
    });
    let outcomes: Vec<_> = futures_util::future::join_all(commits).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == CommitOutcome::Committed).count(), 1);
    let told = [CommitOutcome::Committed, CommitOutcome::AlreadyCommitted];
    assert!(outcomes.iter().all(|outcome| told.contains(outcome)), "{outcomes:?}");
    assert_eq!(world.timeline(row.id).await.iter().filter(|kind| **kind == EventKind::Refreshed).count(), 1);
}

async fn granted_as_requested_is_not_stored_twice(backend: Backend) {
    let world = World::new(backend).await;
    let row = world.due().await;
    let claimed = world.claim(1).await.remove(0);
    let pair = RefreshResult { granted_scopes: Some(row.requested_scopes.clone()), refresh: None, ..result(&claimed) };
    world.store.refresh_commit(&pair, event(EventKind::Refreshed)).await.unwrap();
    let stored = world.read(row.id).await;
    assert_eq!((stored.granted_scopes, stored.refresh), (None, None));
}

async fn a_failure_plans_the_next_attempt(backend: Backend) {
    let world = World::new(backend).await;
    let row = world.due().await;
    let claimed = world.claim(1).await.remove(0);
    assert!(world.store.refresh_failed(&failure(&claimed), event(EventKind::RefreshFailed)).await.unwrap());
    let stored = world.read(row.id).await;
    assert_eq!((stored.failures, stored.last_error.as_deref()), (1, Some("timeout")));
    assert_eq!((stored.lease_until, stored.attempt, stored.next_refresh_at), (None, None, Some(at(2_000))));
    let again = world.store.refresh_failed(&failure(&claimed), event(EventKind::RefreshFailed)).await.unwrap();
    assert!(!again, "a claim ends once");

    let claimed = world.claim(1).await.remove(0);
    let doubtful = RefreshFailed { doubt: Doubt::UnderWay, last_error: "é".repeat(999), ..failure(&claimed) };
    assert!(world.store.refresh_failed(&doubtful, event(EventKind::RefreshAmbiguous)).await.unwrap());
    let stored = world.read(row.id).await;
    assert_eq!((stored.attempt, stored.lease_until), (Some(claimed.attempt), None));
    assert_eq!(stored.attempt_deadline, claimed.connection.attempt_deadline);
    assert!(world.claim(1).await.is_empty(), "the request may still be under way");
    let terms = crate::world::terms(id!(LeaseOwner));
    let busy = world.store.connection_claim_one(&terms, world.env, row.id, 1, id!(AttemptId), id!(EventId));
    assert!(matches!(busy.await.unwrap(), ClaimOne::Busy { leased: false, .. }), "only time will tell");
    // Its own reply may come all the same.
    let outcome = world.store.refresh_commit(&result(&claimed), event(EventKind::Recovered)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
    assert_eq!((world.read(row.id).await.failures, world.read(row.id).await.last_error), (0, None));
}

async fn a_request_that_was_answered_with_doubt_is_remembered_and_not_waited_for(backend: Backend) {
    let world = World::new(backend).await;
    world.due().await;
    let first = world.claim(1).await.remove(0);
    let answered = RefreshFailed { doubt: Doubt::Processed, ..failure(&first) };
    assert!(world.store.refresh_failed(&answered, event(EventKind::RefreshAmbiguous)).await.unwrap());
    let second = world.claim(1).await.remove(0);
    assert_eq!((second.interrupted, second.fence), (Some(first.attempt), first.fence + 2));
}

async fn a_late_pair_revives_what_was_given_up_and_not_what_was_switched_off(backend: Backend) {
    let world = World::new(backend).await;
    for (to, then, due) in [
        (ConnectionState::NeedsReauth, ConnectionState::Active, Some(at(4_000_000_000_000))),
        (ConnectionState::Held, ConnectionState::Held, None),
    ] {
        let row = world.due().await;
        let claimed = world.claim(1).await.remove(0);
        let change = StateChange { to, reason: StateReason::LostRotation, at: at(9) };
        let set = world.store.connection_set_state(world.env, row.id, 1, 1, change, event(EventKind::NeedsReauth));
        assert!(set.await.unwrap());
        let outcome = world.store.refresh_commit(&result(&claimed), event(EventKind::Refreshed)).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Committed, "{to}");
        let stored = world.read(row.id).await;
        assert_eq!((stored.state, stored.next_refresh_at, stored.generation), (then, due, 2));
        let revived = then == ConnectionState::Active;
        let reason = if revived { StateReason::Consented } else { StateReason::LostRotation };
        let since = if revived { at(1_700_000_100_000) } else { at(9) };
        assert_eq!((stored.state_reason, stored.state_since), (reason, since));
    }
}

on_every_database! {
    a_pair_is_stored_once,
    a_replay_is_known_after_later_generations_and_families,
    commits_at_once,
    granted_as_requested_is_not_stored_twice,
    a_failure_plans_the_next_attempt,
    a_request_that_was_answered_with_doubt_is_remembered_and_not_waited_for,
    a_late_pair_revives_what_was_given_up_and_not_what_was_switched_off,
}
