//! Ends and other changes of state.

use crate::world::{World, at, event, failure, id, result};
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;

/// The end of a connection as it was read, without anything to tell its provider.
pub fn of(row: &Connection) -> Ending {
    Ending {
        environment: row.environment,
        connection: row.id,
        family: row.family,
        generation: row.generation,
        revocations: Vec::new(),
        event: event(EventKind::Revoked),
    }
}

async fn revoked_in_the_middle_of_a_refresh(backend: Backend) {
    let world = World::new(backend).await;
    let row = world.due().await;
    let claimed = world.claim(1).await.remove(0);
    let ending = Ending { revocations: vec![crate::revocations::of(&row)], ..of(&row) };
    assert!(world.store.connection_revoke(&ending, StateReason::Disconnected, at(77)).await.unwrap());
    let ended = world.read(row.id).await;
    assert_eq!((ended.state, ended.state_since), (ConnectionState::Revoked, at(77)));
    assert_eq!((ended.family, ended.access.clone(), ended.refresh.clone()), (2, None, None));
    assert_eq!((ended.lease_until, ended.attempt, ended.next_refresh_at), (None, None, None));

    let outcome = world.store.refresh_commit(&result(&claimed), event(EventKind::Refreshed)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Gone);
    assert!(!world.store.refresh_failed(&failure(&claimed), event(EventKind::RefreshFailed)).await.unwrap());
    assert!(!world.store.connection_revoke(&ending, StateReason::Disconnected, at(78)).await.unwrap());
    assert_eq!(world.read(row.id).await, ended);
    use EventKind::{Connected, RefreshStarted, Revoked};
    assert_eq!(world.timeline(row.id).await, [Connected, RefreshStarted, Revoked]);
}

async fn an_end_names_the_tokens_that_it_saw(backend: Backend) {
    let world = World::new(backend).await;
    let row = world.due().await;
    let claimed = world.claim(1).await.remove(0);
    world.store.refresh_commit(&result(&claimed), event(EventKind::Refreshed)).await.unwrap();
    let ending = Ending { revocations: vec![crate::revocations::of(&row)], ..of(&row) };
    let late = world.store.connection_revoke(&ending, StateReason::Disconnected, at(77)).await.unwrap();
    assert!(!late, "the tokens to revoke are others now");
    assert!(
        world.store.revocation_claim_one(ending.revocations[0].id, id!(LeaseOwner), SECOND).await.unwrap().is_none()
    );
    let ending = of(&world.read(row.id).await);
    assert!(world.store.connection_revoke(&ending, StateReason::Disconnected, at(77)).await.unwrap());
}

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

async fn a_change_of_state_takes_the_row_from_its_claimer(backend: Backend) {
    let world = World::new(backend).await;
    let (store, env) = (&world.store, world.env);
    let row = world.due().await;
    let claimed = world.claim(1).await.remove(0);
    let (to, reason) = (ConnectionState::NeedsReauth, StateReason::RefreshTokenRejected);
    let change = StateChange { to, reason, at: at(88) };
    let set = async |family, generation, change| {
        let event = event(EventKind::NeedsReauth);
        store.connection_set_state(env, row.id, family, generation, change, event).await.unwrap()
    };
    assert!(!set(2, 1, change).await && !set(1, 2, change).await);
    assert!(set(1, 1, change).await);
    let changed = world.read(row.id).await;
    assert_eq!((changed.state, changed.state_reason, changed.state_since), (to, reason, at(88)));
    assert_eq!((changed.next_refresh_at, changed.lease_owner, changed.attempt), (None, None, None));
    assert_eq!(changed.access, row.access, "what is still good can be served");
    assert!(!store.refresh_failed(&failure(&claimed), event(EventKind::RefreshFailed)).await.unwrap());
    assert!(world.claim(1).await.is_empty());

    let change = StateChange { to: ConnectionState::Active, reason: StateReason::Consented, at: at(99) };
    assert!(set(1, 1, change).await);
    assert_eq!(world.claim(1).await.len(), 1, "active is due at once");
    let change = StateChange { to: ConnectionState::Revoked, reason: StateReason::Disconnected, at: at(99) };
    assert!(set(1, 1, change).await);
    assert_eq!((world.read(row.id).await.access, world.read(row.id).await.family), (None, 2));
}

on_every_database! {
    revoked_in_the_middle_of_a_refresh,
    an_end_names_the_tokens_that_it_saw,
    a_change_of_state_takes_the_row_from_its_claimer,
}
