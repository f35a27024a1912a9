//! Ends and other changes of state.

use crate::conformance::ground::{Ground, Kind};
use crate::world::{at, ending, event, failure, result, revocation};
use mortise_domain::*;
use mortise_store::*;

async fn revoked_in_the_middle_of_a_refresh(kind: Kind) {
    let ground = Ground::new(kind).await;
    let row = ground.due().await;
    let claimed = ground.claim(1).await.remove(0);
    let end = Ending { revocations: vec![revocation(&row)], ..ending(&row) };
    assert!(ground.ledger.connection_revoke(&end, StateReason::Disconnected, at(77)).await.unwrap());
    let ended = ground.read(row.id).await;
    assert_eq!((ended.state, ended.state_since), (ConnectionState::Revoked, at(77)));
    assert_eq!((ended.family, ended.access.clone(), ended.refresh.clone()), (2, None, None));
    assert_eq!((ended.lease_until, ended.attempt, ended.next_refresh_at), (None, None, None));

    let outcome = ground.ledger.refresh_commit(&result(&claimed), event(EventKind::Refreshed)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Gone);
    assert_eq!(ground.queued().await, [end.revocations[0].id]);
    let forged = RefreshResult { family: 2, ..result(&claimed) };
    let outcome = ground.ledger.refresh_commit(&forged, event(EventKind::Refreshed)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Gone, "an end has no next pair");
    assert!(!ground.ledger.refresh_failed(&failure(&claimed), event(EventKind::RefreshFailed)).await.unwrap());
    assert!(!ground.ledger.connection_revoke(&end, StateReason::Disconnected, at(78)).await.unwrap());
    assert_eq!(ground.read(row.id).await, ended);
    use EventKind::{Connected, RefreshStarted, Revoked};
    assert_eq!(ground.timeline(row.id).await, [Connected, RefreshStarted, Revoked]);
}

async fn an_end_names_the_tokens_that_it_saw(kind: Kind) {
    let ground = Ground::new(kind).await;
    let row = ground.due().await;
    let claimed = ground.claim(1).await.remove(0);
    ground.ledger.refresh_commit(&result(&claimed), event(EventKind::Refreshed)).await.unwrap();
    let end = Ending { revocations: vec![revocation(&row)], ..ending(&row) };
    let late = ground.ledger.connection_revoke(&end, StateReason::Disconnected, at(77)).await.unwrap();
    assert!(!late, "the tokens to revoke are others now");
    assert!(ground.queued().await.is_empty());
    let end = ending(&ground.read(row.id).await);
    assert!(ground.ledger.connection_revoke(&end, StateReason::Disconnected, at(77)).await.unwrap());
}

async fn a_change_of_state_takes_the_row_from_its_claimer(kind: Kind) {
    let ground = Ground::new(kind).await;
    let (ledger, env) = (&ground.ledger, ground.env);
    let row = ground.due().await;
    let claimed = ground.claim(1).await.remove(0);
    let (to, reason) = (ConnectionState::NeedsReauth, StateReason::RefreshTokenRejected);
    let change = StateChange { to, reason, at: at(88) };
    let set = async |family, generation, change| {
        let event = event(EventKind::NeedsReauth);
        ledger.connection_set_state(env, row.id, family, generation, change, event).await.unwrap()
    };
    assert!(!set(2, 1, change).await && !set(1, 2, change).await);
    assert!(set(1, 1, change).await);
    let changed = ground.read(row.id).await;
    assert_eq!((changed.state, changed.state_reason, changed.state_since), (to, reason, at(88)));
    assert_eq!((changed.next_refresh_at, changed.lease_owner, changed.attempt), (None, None, None));
    assert_eq!(changed.access, row.access, "what is still good can be served");
    assert!(!ledger.refresh_failed(&failure(&claimed), event(EventKind::RefreshFailed)).await.unwrap());
    assert!(ground.claim(1).await.is_empty());

    let change = StateChange { to: ConnectionState::Active, reason: StateReason::Consented, at: at(99) };
    assert!(set(1, 1, change).await);
    assert_eq!(ground.claim(1).await.len(), 1, "active is due at once");
    let change = StateChange { to: ConnectionState::Revoked, reason: StateReason::Disconnected, at: at(99) };
    assert!(set(1, 1, change).await);
    assert_eq!((ground.read(row.id).await.access, ground.read(row.id).await.family), (None, 2));
}

on_every_ledger! {
    revoked_in_the_middle_of_a_refresh,
    an_end_names_the_tokens_that_it_saw,
    a_change_of_state_takes_the_row_from_its_claimer,
}
