//! What becomes of a claimed refresh.

use crate::conformance::ground::{Ground, Kind};
use crate::world::{at, event, failure, id, result};
use mortise_domain::*;
use mortise_store::*;

async fn a_pair_is_stored_once(kind: Kind) {
    let ground = Ground::new(kind).await;
    let row = ground.due().await;
    let claimed = ground.claim(1).await.remove(0);
    let pair = RefreshResult { granted_scopes: Some(ScopeSet::parse("read", " ")), ..result(&claimed) };
    let commit = async |pair: &RefreshResult, kind| ground.ledger.refresh_commit(pair, event(kind)).await.unwrap();
    assert_eq!(commit(&pair, EventKind::Refreshed).await, CommitOutcome::Committed);
    let stored = ground.read(row.id).await;
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
    assert_eq!(ground.read(row.id).await, stored, "the second time changes nothing");
    let stranger = RefreshResult { attempt: id!(AttemptId), ..pair.clone() };
    assert_eq!(commit(&stranger, EventKind::Refreshed).await, CommitOutcome::GenerationMoved);
    use EventKind::{Connected, RefreshStarted, Refreshed};
    assert_eq!(ground.timeline(row.id).await, [Connected, RefreshStarted, Refreshed]);
}

async fn a_replay_is_known_after_later_generations_and_families(kind: Kind) {
    let ground = Ground::new(kind).await;
    let row = ground.due().await;
    let claimed = ground.claim(1).await.remove(0);
    let first = RefreshResult { next_refresh_at: Some(at(1_000)), ..result(&claimed) };
    ground.ledger.refresh_commit(&first, event(EventKind::Refreshed)).await.unwrap();
    let claimed = ground.claim(1).await.remove(0);
    ground.ledger.refresh_commit(&result(&claimed), event(EventKind::Refreshed)).await.unwrap();
    let again = async || ground.ledger.refresh_commit(&first, event(EventKind::Recovered)).await.unwrap();
    assert_eq!(again().await, CommitOutcome::AlreadyCommitted);
    let next =
        NewGrant { id: row.id, replaces_family: Some(1), generation: 4, granted_at: at(9), ..ground.grant(None) };
    ground.ledger.connection_store_grant(&next, event(EventKind::Reconnected), None).await.unwrap();
    assert_eq!(again().await, CommitOutcome::AlreadyCommitted);
    let ending = crate::world::ending(&ground.read(row.id).await);
    ground.ledger.connection_revoke(&ending, StateReason::Disconnected, at(9)).await.unwrap();
    assert_eq!(again().await, CommitOutcome::AlreadyCommitted);
}

/// However many write the same pair at once, as a process and its successor might, one of them does it.
async fn commits_at_once(kind: Kind) {
    let ground = Ground::new(kind).await;
    let other = ground.other_process().await;
    let row = ground.due().await;
    let pair = result(&ground.claim(1).await.remove(0));
    let commits = (0..12).map(|n| {
        let ledger = if n % 2 == 0 { &ground.ledger } else { &other };
        ledger.refresh_commit(&pair, event(EventKind::Refreshed))
    });
    let outcomes: Vec<_> = futures_util::future::join_all(commits).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == CommitOutcome::Committed).count(), 1);
    let told = [CommitOutcome::Committed, CommitOutcome::AlreadyCommitted];
    assert!(outcomes.iter().all(|outcome| told.contains(outcome)), "{outcomes:?}");
    assert_eq!(ground.timeline(row.id).await.iter().filter(|kind| **kind == EventKind::Refreshed).count(), 1);
}

async fn granted_as_requested_is_not_stored_twice(kind: Kind) {
    let ground = Ground::new(kind).await;
    let row = ground.due().await;
    let claimed = ground.claim(1).await.remove(0);
    let pair = RefreshResult { granted_scopes: Some(row.requested_scopes.clone()), refresh: None, ..result(&claimed) };
    ground.ledger.refresh_commit(&pair, event(EventKind::Refreshed)).await.unwrap();
    let stored = ground.read(row.id).await;
    assert_eq!((stored.granted_scopes, stored.refresh), (None, None));
}

async fn a_failure_plans_the_next_attempt(kind: Kind) {
    let ground = Ground::new(kind).await;
    let row = ground.due().await;
    let claimed = ground.claim(1).await.remove(0);
    assert!(ground.ledger.refresh_failed(&failure(&claimed), event(EventKind::RefreshFailed)).await.unwrap());
    let stored = ground.read(row.id).await;
    assert_eq!((stored.failures, stored.last_error.as_deref()), (1, Some("timeout")));
    assert_eq!((stored.lease_until, stored.attempt, stored.next_refresh_at), (None, None, Some(at(2_000))));
    let again = ground.ledger.refresh_failed(&failure(&claimed), event(EventKind::RefreshFailed)).await.unwrap();
    assert!(!again, "a claim ends once");

    let claimed = ground.claim(1).await.remove(0);
    let doubtful = RefreshFailed { doubt: Doubt::UnderWay, last_error: "é".repeat(999), ..failure(&claimed) };
    assert!(ground.ledger.refresh_failed(&doubtful, event(EventKind::RefreshAmbiguous)).await.unwrap());
    let stored = ground.read(row.id).await;
    assert_eq!((stored.attempt, stored.lease_until), (Some(claimed.attempt), None));
    assert_eq!(stored.attempt_deadline, claimed.connection.attempt_deadline);
    assert!(ground.claim(1).await.is_empty(), "the request may still be under way");
    let terms = crate::world::terms(id!(LeaseOwner));
    let busy = ground.ledger.connection_claim_one(&terms, ground.env, row.id, 1, id!(AttemptId), id!(EventId));
    assert!(matches!(busy.await.unwrap(), ClaimOne::Busy { leased: false, .. }), "only time will tell");
    // Its own reply may come all the same.
    let outcome = ground.ledger.refresh_commit(&result(&claimed), event(EventKind::Recovered)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
    assert_eq!((ground.read(row.id).await.failures, ground.read(row.id).await.last_error), (0, None));
}

async fn a_request_that_was_answered_with_doubt_is_remembered_and_not_waited_for(kind: Kind) {
    let ground = Ground::new(kind).await;
    ground.due().await;
    let first = ground.claim(1).await.remove(0);
    let answered = RefreshFailed { doubt: Doubt::Processed, ..failure(&first) };
    assert!(ground.ledger.refresh_failed(&answered, event(EventKind::RefreshAmbiguous)).await.unwrap());
    let second = ground.claim(1).await.remove(0);
    assert_eq!((second.interrupted, second.fence), (Some(first.attempt), first.fence + 2));
}

/// By the time that it names, the attempt is over for certain: not before, and not later than that.
async fn a_request_that_is_over_by_a_known_time_is_waited_for_until_then(kind: Kind) {
    let ground = Ground::new(kind).await;
    let row = ground.due().await;
    let first = ground.claim(1).await.remove(0);
    let until = first.now + std::time::Duration::from_secs(600);
    let doubtful = RefreshFailed { doubt: Doubt::UnderWayUntil(until), ..failure(&first) };
    assert!(ground.ledger.refresh_failed(&doubtful, event(EventKind::RefreshAmbiguous)).await.unwrap());
    let stored = ground.read(row.id).await;
    assert_eq!((stored.attempt, stored.attempt_deadline), (Some(first.attempt), Some(until)));
    assert!(ground.claim(1).await.is_empty(), "it may still be under way");
    ground.end_attempt(row.id).await;
    let second = ground.claim(1).await.remove(0);
    assert_eq!(second.interrupted, Some(first.attempt));

    let over = RefreshFailed { doubt: Doubt::UnderWayUntil(at(5)), ..failure(&second) };
    assert!(ground.ledger.refresh_failed(&over, event(EventKind::RefreshAmbiguous)).await.unwrap());
    assert_eq!(ground.claim(1).await.remove(0).interrupted, Some(second.attempt));
}

async fn a_late_pair_revives_what_was_given_up_and_not_what_was_switched_off(kind: Kind) {
    let ground = Ground::new(kind).await;
    for (to, then, due) in [
        (ConnectionState::NeedsReauth, ConnectionState::Active, Some(at(4_000_000_000_000))),
        (ConnectionState::Held, ConnectionState::Held, None),
    ] {
        let row = ground.due().await;
        let claimed = ground.claim(1).await.remove(0);
        let change = StateChange { to, reason: StateReason::LostRotation, at: at(9) };
        let set = ground.ledger.connection_set_state(ground.env, row.id, 1, 1, change, event(EventKind::NeedsReauth));
        assert!(set.await.unwrap());
        let outcome = ground.ledger.refresh_commit(&result(&claimed), event(EventKind::Refreshed)).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Committed, "{to}");
        let stored = ground.read(row.id).await;
        assert_eq!((stored.state, stored.next_refresh_at, stored.generation), (then, due, 2));
        let revived = then == ConnectionState::Active;
        let reason = if revived { StateReason::Consented } else { StateReason::LostRotation };
        let since = if revived { at(1_700_000_100_000) } else { at(9) };
        assert_eq!((stored.state_reason, stored.state_since), (reason, since));
    }
}

/// The end of a token that nobody told when it came.
async fn an_end_is_learnt_of_the_token_in_store_only(kind: Kind) {
    let ground = Ground::new(kind).await;
    let row = ground.due().await;
    let claimed = ground.claim(1).await.remove(0);
    let pair = RefreshResult { expires_at: None, next_refresh_at: None, ..result(&claimed) };
    ground.ledger.refresh_commit(&pair, event(EventKind::Refreshed)).await.unwrap();
    let stored = ground.read(row.id).await;
    let learned = LifetimeLearned {
        environment: ground.env,
        id: row.id,
        family: 1,
        generation: 2,
        expires_at: at(1_700_000_900_000),
        next_refresh_at: Some(at(1_700_000_700_000)),
    };
    let learn = async |learned: &LifetimeLearned| {
        ground.ledger.connection_lifetime_learned(learned, event(EventKind::LifetimeLearned)).await.unwrap()
    };
    for other in [
        LifetimeLearned { environment: id!(EnvironmentKey), ..learned.clone() },
        LifetimeLearned { id: id!(ConnectionId), ..learned.clone() },
        LifetimeLearned { family: 2, ..learned.clone() },
        LifetimeLearned { generation: 1, ..learned.clone() },
        LifetimeLearned { generation: 3, ..learned.clone() },
    ] {
        assert!(!learn(&other).await, "{other:?}");
    }
    assert_eq!(ground.read(row.id).await, stored);
    assert!(learn(&learned).await);
    let known = ground.read(row.id).await;
    assert_eq!((known.expires_at, known.next_refresh_at), (Some(learned.expires_at), learned.next_refresh_at));
    let expected = Connection {
        expires_at: known.expires_at,
        next_refresh_at: known.next_refresh_at,
        updated_at: known.updated_at,
        ..stored
    };
    assert_eq!(known, expected, "and nothing else");
    assert!(!learn(&learned).await, "it is known now");
    use EventKind::{Connected, LifetimeLearned as Learned, RefreshStarted, Refreshed};
    assert_eq!(ground.timeline(row.id).await, [Connected, RefreshStarted, Refreshed, Learned]);
}

/// Who is at a connection, or has failed at it, has a plan of its own.
async fn an_end_that_is_learnt_late_changes_no_other_plan(kind: Kind) {
    let ground = Ground::new(kind).await;
    let row = ground.due().await;
    let claimed = ground.claim(1).await.remove(0);
    let pair = RefreshResult { expires_at: None, next_refresh_at: Some(at(1_000)), ..result(&claimed) };
    ground.ledger.refresh_commit(&pair, event(EventKind::Refreshed)).await.unwrap();
    let claimed = ground.claim(1).await.remove(0);
    let learned = LifetimeLearned {
        environment: ground.env,
        id: row.id,
        family: 1,
        generation: 2,
        expires_at: at(9_000),
        next_refresh_at: Some(at(7_000)),
    };
    let line = || event(EventKind::LifetimeLearned);
    assert!(ground.ledger.connection_lifetime_learned(&learned, line()).await.unwrap());
    let leased = ground.read(row.id).await;
    assert_eq!((leased.expires_at, leased.next_refresh_at), (Some(at(9_000)), Some(at(1_000))));
    assert_eq!(leased.fence, claimed.fence, "the claim goes on");
    assert!(ground.ledger.refresh_failed(&failure(&claimed), event(EventKind::RefreshFailed)).await.unwrap());
}

on_every_ledger! {
    an_end_is_learnt_of_the_token_in_store_only,
    an_end_that_is_learnt_late_changes_no_other_plan,
    a_pair_is_stored_once,
    a_replay_is_known_after_later_generations_and_families,
    commits_at_once,
    granted_as_requested_is_not_stored_twice,
    a_failure_plans_the_next_attempt,
    a_request_that_was_answered_with_doubt_is_remembered_and_not_waited_for,
    a_request_that_is_over_by_a_known_time_is_waited_for_until_then,
    a_late_pair_revives_what_was_given_up_and_not_what_was_switched_off,
}
