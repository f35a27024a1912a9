//! Another environment's ids answer like missing ones, everywhere.

use crate::conformance::ground::{Ground, Kind};
use crate::world::{at, ending, event, failure, id, result, terms};
use mortise_domain::*;
use mortise_store::*;

async fn nothing_of_it_is_seen(kind: Kind) {
    let ground = Ground::new(kind).await;
    let (ledger, env) = (&ground.ledger, ground.elsewhere().await);
    let row = ground.due().await;
    assert_eq!(ledger.connection_get(env, row.id).await.unwrap(), None);
    assert_eq!(ledger.connection_token_row(env, row.id).await.unwrap(), None);
    let page = Page { limit: 10, after: None };
    assert!(ledger.event_list(env, row.id, page).await.unwrap().0.is_empty());
}

async fn nothing_of_it_is_changed(kind: Kind) {
    let ground = Ground::new(kind).await;
    let (ledger, env) = (&ground.ledger, ground.elsewhere().await);
    let row = ground.due().await;
    let change = StateChange { to: ConnectionState::Held, reason: StateReason::Consented, at: at(9) };
    assert!(!ledger.connection_set_state(env, row.id, 1, 1, change, event(EventKind::Quarantined)).await.unwrap());
    let ending = Ending { environment: env, ..ending(&row) };
    assert!(!ledger.connection_revoke(&ending, StateReason::Disconnected, at(9)).await.unwrap());
    let grant =
        NewGrant { environment: env, id: row.id, replaces_family: Some(1), generation: 2, ..ground.grant(None) };
    let grant = NewGrant { granted_at: at(99), ..grant };
    let replaced = ledger.connection_store_grant(&grant, event(EventKind::Reconnected), None).await;
    assert!(matches!(replaced, Err(StoreError::Stale("connection"))), "{replaced:?}");
    let claim =
        ledger.connection_claim_one(&terms(id!(LeaseOwner)), env, row.id, 1, id!(AttemptId), id!(EventId)).await;
    assert_eq!(claim.unwrap(), ClaimOne::Gone);
    assert_eq!(ground.read(row.id).await, row);

    let claimed = ground.claim(1).await.remove(0);
    let pair = RefreshResult { environment: env, ..result(&claimed) };
    assert_eq!(ledger.refresh_commit(&pair, event(EventKind::Refreshed)).await.unwrap(), CommitOutcome::Gone);
    let failed = RefreshFailed { environment: env, ..failure(&claimed) };
    assert!(!ledger.refresh_failed(&failed, event(EventKind::RefreshFailed)).await.unwrap());
    assert_eq!(ground.read(row.id).await, claimed.connection);
}

on_every_ledger! { nothing_of_it_is_seen, nothing_of_it_is_changed, }
