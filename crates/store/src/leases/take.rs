//! The second half of a claim: the update that names the fences that were seen, and the lines in the timelines.

use super::{ClaimTerms, Claimed};
use crate::entity::connections::Model;
use crate::events::{self, NewEvent};
use crate::row::impossible;
use crate::sql::Sql;
use crate::{Connection, Result, Store, StoreError, time};
use mortise_domain::{AttemptId, ConnectorKey, EventId, EventKind, Timestamp};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, FromQueryResult as _, QueryResult};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

/// For how long a row that does not read is left alone.
const PUT_OFF: Duration = Duration::from_secs(600);

/// The ids of one claim.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ids {
    pub(super) attempt: AttemptId,
    pub(super) event: EventId,
}

/// A row that may be claimed, with its app's connector, at the database's time.
#[derive(Debug)]
pub(crate) struct Free {
    pub(crate) connection: Connection,
    pub(crate) provider: ConnectorKey,
    pub(crate) now: Timestamp,
}

/// A row that does not read, at the database's time in milliseconds.
pub(super) struct Unread {
    id: Uuid,
    now: i64,
}

/// Sorts candidates into those that read and those that do not.
pub(super) fn read(rows: Vec<QueryResult>) -> Result<(Vec<Free>, Vec<Unread>)> {
    let (mut free, mut unread) = (Vec::with_capacity(rows.len()), Vec::new());
    let Some(first) = rows.first() else { return Ok((free, unread)) };
    // One time for all of them: SQLite looks at the clock again for each row.
    let millis: i64 = first.try_get("", "db_now")?;
    let now = time::from_millis(millis).ok_or_else(|| impossible("clock", "now", Uuid::nil()))?;
    for row in rows {
        let id: Uuid = row.try_get("", "id")?;
        let provider = ConnectorKey::from_uuid(row.try_get("", "provider")?);
        match Model::from_query_result(&row, "").map_err(StoreError::from).and_then(Connection::try_from) {
            Ok(connection) => free.push(Free { connection, provider, now }),
            Err(error) => {
                tracing::error!(connection = %id, error = ?error, "a connection does not read and is not refreshed");
                unread.push(Unread { id, now: millis });
            }
        }
    }
    Ok((free, unread))
}

impl Store {
    pub(super) async fn put_off(&self, tx: &DatabaseTransaction, unread: &[Unread]) -> Result<()> {
        let Some(first) = unread.first() else { return Ok(()) };
        let update = Sql::new(self.dialect, "UPDATE connections SET next_refresh_at = ")
            .bind(first.now + time::millis_of(PUT_OFF))
            .text(" WHERE id IN (")
            .list(unread.iter().map(|row| row.id))
            .text(")");
        tx.execute_raw(update.build()).await?;
        Ok(())
    }

    /// Takes all of `free`, or fails and takes none.
    pub(super) async fn take(
        &self,
        tx: &DatabaseTransaction,
        terms: &ClaimTerms,
        free: Vec<Free>,
        ids: &[Ids],
    ) -> Result<Vec<Claimed>> {
        let Some(now) = free.iter().map(|row| row.now).max() else { return Ok(Vec::new()) };
        let claimed: Vec<Claimed> =
            free.into_iter().zip(ids).map(|(row, ids)| claimed(row, *ids, now, terms)).collect();
        let update = Sql::new(self.dialect, "UPDATE connections SET lease_owner = ")
            .bind(terms.owner.as_uuid())
            .with(", lease_until = ", time::to_millis(now + terms.lease))
            .with(", attempt_deadline = ", time::to_millis(now + terms.attempt));
        let update = each(update.text(", attempt_id = "), &claimed, |claim| claim.attempt.as_uuid())
            .text(", fence = fence + 1 WHERE id IN (")
            .list(claimed.iter().map(|claim| claim.connection.id.as_uuid()))
            .text(") AND fence = ");
        let update = each(update, &claimed, |claim| claim.fence - 1);
        let updated = tx.execute_raw(update.build()).await?.rows_affected();
        if usize::try_from(updated).ok() != Some(claimed.len()) {
            return Err(StoreError::Stale("connection"));
        }
        let lines = claimed.iter().zip(ids).map(|(claim, ids)| started(claim, ids.event).row(claim.connection.id));
        events::append(tx, lines.collect()).await?;
        Ok(claimed)
    }
}

fn claimed(row: Free, ids: Ids, now: Timestamp, terms: &ClaimTerms) -> Claimed {
    let mut connection = row.connection;
    let interrupted = connection.attempt.replace(ids.attempt);
    connection.fence += 1;
    connection.lease_owner = Some(terms.owner);
    connection.lease_until = Some(now + terms.lease);
    connection.attempt_deadline = Some(now + terms.attempt);
    let provider = row.provider;
    Claimed { fence: connection.fence, attempt: ids.attempt, interrupted, now, provider, connection }
}

fn started(claim: &Claimed, id: EventId) -> NewEvent {
    let mut detail = json!({"attempt": claim.attempt, "generation": claim.connection.generation});
    if let Some(interrupted) = claim.interrupted {
        detail["interrupted"] = json!(interrupted);
    }
    // Whoever drew the id has a clock of its own, and lines stand in the order of their ids.
    NewEvent { id: id.moved_to(claim.now), kind: EventKind::RefreshStarted, at: claim.now, detail }
}

/// A value for each row of one update. A claim of one row, by far the most frequent, needs no case.
fn each<V: Into<sea_orm::Value>>(mut sql: Sql, claimed: &[Claimed], value: impl Fn(&Claimed) -> V) -> Sql {
    if let [one] = claimed {
        return sql.bind(value(one));
    }
    sql = sql.text("CASE id");
    for claim in claimed {
        sql = sql.with(" WHEN ", claim.connection.id.as_uuid()).with(" THEN ", value(claim));
    }
    sql.text(" END")
}
