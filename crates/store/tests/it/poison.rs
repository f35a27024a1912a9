//! Rows that this program does not understand are errors with their place, and stand in nobody's way.

use crate::world::{World, id, terms};
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;

fn is_about(error: &StoreError, column: &str, row: ConnectionId) -> bool {
    matches!(error, StoreError::Inconsistent { table: "connections", column: c, row: r } if *c == column && *r == row.as_uuid())
}

async fn an_unknown_word_is_an_inconsistency(backend: Backend) {
    let world = World::new(backend).await;
    for (column, word) in [("state", "dormant"), ("state_reason", "whim"), ("metadata", "{"), ("variables", "[1]")] {
        let row = world.due().await;
        let sql = format!("UPDATE connections SET {column} = ? WHERE id = ?");
        world.sql(&sql, [word.into(), row.id.as_uuid().into()]).await;
        let read = world.store.connection_get(world.env, row.id).await.unwrap_err();
        assert!(is_about(&read, column, row.id), "{read}");
        if column.starts_with("state") {
            let read = world.store.connection_token_row(world.env, row.id).await.unwrap_err();
            assert!(is_about(&read, column, row.id), "{read}");
        }
    }
}

async fn a_time_beyond_time_is_an_inconsistency(backend: Backend) {
    let world = World::new(backend).await;
    let row = world.due().await;
    world.sql("UPDATE connections SET expires_at = ? WHERE id = ?", [i64::MAX.into(), row.id.as_uuid().into()]).await;
    let read = world.store.connection_get(world.env, row.id).await.unwrap_err();
    assert!(is_about(&read, "expires_at", row.id), "{read}");
}

async fn poison_does_not_stop_the_claims_of_others(backend: Backend) {
    let world = World::new(backend).await;
    let ids = world.many_due(12).await;
    // The eight most overdue, more than one claim takes.
    for id in &ids[..8] {
        world.sql("UPDATE connections SET state_reason = 'whim' WHERE id = ?", [id.as_uuid().into()]).await;
    }
    let mut taken = Vec::new();
    for _ in 0..4 {
        taken.extend(world.claim(4).await.into_iter().map(|claimed| claimed.connection.id));
    }
    assert_eq!(taken, ids[8..]);
    let terms = terms(id!(LeaseOwner));
    let one = world.store.connection_claim_one(&terms, world.env, ids[0], 1, id!(AttemptId), id!(EventId)).await;
    assert!(matches!(one, Err(StoreError::Inconsistent { .. })), "{one:?}");
    let mended = "UPDATE connections SET state_reason = 'consented', next_refresh_at = 1 WHERE id = ?";
    assert_eq!(world.sql(mended, [ids[0].as_uuid().into()]).await, 1);
    assert_eq!(world.claim(4).await.len(), 1);
}

async fn a_poisoned_revocation_does_not_stop_others(backend: Backend) {
    let world = World::new(backend).await;
    let row = world.due().await;
    let (bad, good) = (crate::world::revocation(&row), crate::world::revocation(&row));
    for new in [&bad, &good] {
        world.store.revocation_enqueue(new.clone(), crate::world::event(EventKind::LateReply)).await.unwrap();
    }
    let sql = "UPDATE revocations SET variables = '[]', due_at = 1 WHERE id = ?";
    world.sql(sql, [bad.id.as_uuid().into()]).await;
    let lease = std::time::Duration::from_secs(9);
    let mut taken = Vec::new();
    for _ in 0..2 {
        let claimed = world.store.revocations_claim(id!(LeaseOwner), 1, lease).await.unwrap();
        taken.extend(claimed.into_iter().map(|revocation| revocation.id));
    }
    assert_eq!(taken, [good.id]);
}

on_every_database! {
    an_unknown_word_is_an_inconsistency,
    a_time_beyond_time_is_an_inconsistency,
    poison_does_not_stop_the_claims_of_others,
    a_poisoned_revocation_does_not_stop_others,
}
