//! Timelines: every line once, newest first, and nothing written that was not wholly written.

use crate::conformance::ground::{Ground, Kind};
use crate::world::{at, ending, event, failure, id, result, revocation};
use mortise_domain::*;
use mortise_store::*;
use serde_json::json;

async fn pages_newest_first(kind: Kind) {
    let ground = Ground::new(kind).await;
    let row = ground.due().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let line = NewEvent { detail: json!({"n": n}), ..event(EventKind::LateReply) };
        ids.insert(0, line.id);
        ground.ledger.revocation_enqueue(revocation(&row), line).await.unwrap();
    }
    let page = |limit, after| ground.ledger.event_list(ground.env, row.id, Page { limit, after });
    let (first, next) = page(3, None).await.unwrap();
    assert_eq!(first.iter().map(|line| line.id).collect::<Vec<_>>(), ids[..3]);
    assert_eq!(
        (&first[0].detail, first[0].at, next),
        (&json!({"n": 4}), at(1_700_000_000_123), Some(ids[2].as_uuid()))
    );
    let (rest, end) = page(3, next).await.unwrap();
    assert_eq!((rest.len(), end, rest[2].kind), (3, None, EventKind::Connected));
    assert_eq!(rest[2].detail, json!({}), "nothing told is an empty object");
    assert_eq!((page(0, None).await.unwrap().0.len(), page(u64::MAX, None).await.unwrap().0.len()), (1, 6));
    assert_eq!(
        ground.ledger.event_list(ground.env, id!(ConnectionId), Page { limit: 9, after: None }).await.unwrap(),
        (vec![], None)
    );
}

/// A line whose id is taken keeps everything that should have come with it from being written.
async fn all_or_nothing(kind: Kind) {
    let ground = Ground::new(kind).await;
    let row = ground.due().await;
    let claimed = ground.claim(1).await.remove(0);
    let taken =
        ground.ledger.event_list(ground.env, row.id, Page { limit: 1, after: None }).await.unwrap().0.remove(0).id;
    let line = |kind| NewEvent { id: taken, ..event(kind) };
    let before = ground.read(row.id).await;

    let ledger = &ground.ledger;
    ledger.refresh_commit(&result(&claimed), line(EventKind::Refreshed)).await.unwrap_err();
    ledger.refresh_failed(&failure(&claimed), line(EventKind::RefreshFailed)).await.unwrap_err();
    let change = StateChange { to: ConnectionState::Held, reason: StateReason::Consented, at: at(9) };
    let set = ledger.connection_set_state(ground.env, row.id, 1, 1, change, line(EventKind::Quarantined));
    set.await.unwrap_err();
    let ending = Ending { revocations: vec![revocation(&row)], event: line(EventKind::Revoked), ..ending(&row) };
    ledger.connection_revoke(&ending, StateReason::Disconnected, at(9)).await.unwrap_err();
    ledger.revocation_enqueue(revocation(&row), line(EventKind::LateReply)).await.unwrap_err();
    let next =
        NewGrant { id: row.id, replaces_family: Some(1), generation: 2, granted_at: at(9), ..ground.grant(None) };
    ledger.connection_store_grant(&next, line(EventKind::Reconnected), None).await.unwrap_err();

    assert_eq!(ground.read(row.id).await, before);
    assert!(ground.queued().await.is_empty());
    assert_eq!(ground.timeline(row.id).await, [EventKind::Connected, EventKind::RefreshStarted]);
}

async fn a_revocation_needs_its_connection(kind: Kind) {
    let ground = Ground::new(kind).await;
    let row = ground.due().await;
    let new = revocation(&row);
    ground.ledger.revocation_enqueue(new.clone(), event(EventKind::LateReply)).await.unwrap();
    assert_eq!(ground.queued().await, [new.id]);
    let again = ground.ledger.revocation_enqueue(new.clone(), event(EventKind::LateReply)).await;
    assert!(matches!(again, Err(StoreError::Conflict("revocation"))), "{again:?}");
    let nobodys = NewRevocation { id: id!(RevocationId), connection: id!(ConnectionId), ..new };
    let queued = ground.ledger.revocation_enqueue(nobodys.clone(), event(EventKind::LateReply)).await;
    assert!(matches!(queued, Err(StoreError::Missing(_))), "{queued:?}");
    let ending = Ending { revocations: vec![nobodys], ..ending(&row) };
    let ended = ground.ledger.connection_revoke(&ending, StateReason::Disconnected, at(9)).await;
    assert!(matches!(ended, Err(StoreError::Missing("the connection of a revocation"))), "{ended:?}");
    assert_eq!(ground.read(row.id).await, row);
}

on_every_ledger! { pages_newest_first, all_or_nothing, a_revocation_needs_its_connection, }
