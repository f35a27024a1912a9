//! Switching connections off and on, five hundred in a transaction.

use super::Reach;
use crate::events::{self, NewEvent};
use crate::row::{Reading, impossible};
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Result, Store, time};
use mortise_domain::{AppKey, ConnectionId, EventId, EventKind, StateReason, Timestamp};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, QueryResult};
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// How many are switched in one transaction.
const CHUNK: i64 = 500;

/// A hold that stands and reaches the connection. A connection is in the reach of five things.
const COVERED: &str = "EXISTS (SELECT 1 FROM holds WHERE lifted_at = 0 AND target_id IN (connections.id, \
     connections.customer_id, connections.app_id, connections.environment_id, \
     (SELECT apps.connector_id FROM apps WHERE apps.id = connections.app_id)))";

/// What is done to connections, and how it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// Which connections.
    pub reach: Reach,
    /// Why they are held, or were.
    pub reason: StateReason,
    /// For each timeline: an object without secrets.
    pub detail: Value,
}

/// A connection that is about to be switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The database's clock.
    pub now: Timestamp,
    /// Whether there is a refresh token.
    pub refreshable: bool,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// When the refresh token ends unless it is used before.
    pub refresh_idle_at: Option<Timestamp>,
}

impl Store {
    /// Holds every active connection within reach that is not held, and answers how many. Again changes nothing.
    pub async fn connections_hold(
        &self,
        switch: &Switch,
        mut ids: impl FnMut(Timestamp) -> EventId + Send,
    ) -> Result<u64> {
        let (mut held, mut after) = (0, Uuid::nil());
        loop {
            let rows = transact!(self, tx, {
                let select = self.within(switch.reach, after).text(off_by(switch.reason));
                let rows = self.chunk(tx, select).await?;
                let Some((_, waiting)) = rows.first() else { return Ok(rows) };
                let at = time::to_millis(waiting.now);
                let update = Sql::new(self.dialect, "UPDATE connections SET state = 'held', state_reason = ")
                    .bind(switch.reason.as_str())
                    .with(", state_since = ", at)
                    .with(", updated_at = ", at)
                    .text(", next_refresh_at = NULL WHERE id IN (")
                    .list(rows.iter().map(|(id, _)| id.as_uuid()))
                    .text(")");
                tx.execute_raw(update.build()).await?;
                tell(tx, switch, EventKind::Held, &rows, &mut ids).await?;
                Ok(rows)
            })?;
            held += rows.len() as u64;
            match rows.last() {
                Some((last, _)) => after = last.as_uuid(),
                None => return Ok(held),
            }
        }
    }

    /// Switches every connection within reach on again that is held for that reason and that no other hold reaches, and
    /// answers how many. `place` says when each is due. Again changes nothing.
    pub async fn connections_release(
        &self,
        switch: &Switch,
        mut place: impl FnMut(Waiting) -> Option<Timestamp> + Send,
        mut ids: impl FnMut(Timestamp) -> EventId + Send,
    ) -> Result<u64> {
        let (mut released, mut after) = (0, Uuid::nil());
        loop {
            let rows = transact!(self, tx, {
                let select = self.within(switch.reach, after).text(" AND state = 'held' AND state_reason = ");
                let select = select.bind(switch.reason.as_str()).text(" AND NOT ").text(COVERED);
                let rows = self.chunk(tx, select).await?;
                let Some((_, waiting)) = rows.first() else { return Ok(rows) };
                let at = time::to_millis(waiting.now);
                let mut update = Sql::new(self.dialect, "UPDATE connections SET state = 'active', state_reason = ")
                    .bind(StateReason::HoldLifted.as_str())
                    .with(", state_since = ", at)
                    .with(", updated_at = ", at)
                    .text(", next_refresh_at = CASE id");
                for (id, waiting) in &rows {
                    let due = place(*waiting).map(time::to_millis);
                    update = update.with(" WHEN ", id.as_uuid()).with(" THEN ", due);
                }
                let update = update.text(" END WHERE id IN (").list(rows.iter().map(|(id, _)| id.as_uuid())).text(")");
                tx.execute_raw(update.build()).await?;
                tell(tx, switch, EventKind::Released, &rows, &mut ids).await?;
                Ok(rows)
            })?;
            released += rows.len() as u64;
            match rows.last() {
                Some((last, _)) => after = last.as_uuid(),
                None => return Ok(released),
            }
        }
    }

    /// Holds a connection whose grant was stored just now, if a hold reaches it.
    pub(crate) async fn held_if_covered(
        &self,
        tx: &DatabaseTransaction,
        id: ConnectionId,
        stored: &NewEvent,
    ) -> Result<()> {
        let at = time::to_millis(stored.at);
        let update = Sql::new(self.dialect, "UPDATE connections SET state = 'held', state_reason = ")
            .bind(StateReason::HeldByAdmin.as_str())
            .with(", state_since = ", at)
            .with(", next_refresh_at = NULL WHERE id = ", id.as_uuid())
            .text(" AND state = 'active' AND ")
            .text(COVERED);
        if tx.execute_raw(update.build()).await?.rows_affected() == 0 {
            return Ok(());
        }
        let after = stored.at + Duration::from_millis(1);
        let line = NewEvent { id: stored.id.moved_to(after), kind: EventKind::Held, at: after, detail: Value::Null };
        events::append(tx, vec![line.row(id)]).await
    }

    /// Every app with every version of its connector that a connection was made with.
    pub async fn connection_makes(&self) -> Result<Vec<(AppKey, i32)>> {
        let select = Sql::new(self.dialect, "SELECT DISTINCT app_id, connector_version FROM connections");
        let rows = self.db.query_all_raw(select.build()).await?;
        let read = |row: &QueryResult| {
            Ok((AppKey::from_uuid(row.try_get("", "app_id")?), row.try_get("", "connector_version")?))
        };
        rows.iter().map(read).collect()
    }

    /// How many connections within reach are held for that reason.
    pub async fn connections_held(&self, reach: Reach, reason: StateReason) -> Result<u64> {
        let count = Sql::new(self.dialect, "SELECT COUNT(*) AS held FROM connections WHERE ");
        let count = reached(count, reach).with(" AND state = 'held' AND state_reason = ", reason.as_str());
        let row = self.db.query_one_raw(count.build()).await?;
        let held = row.map(|row| row.try_get::<i64>("", "held")).transpose()?;
        Ok(u64::try_from(held.unwrap_or_default()).unwrap_or_default())
    }

    fn within(&self, reach: Reach, after: Uuid) -> Sql {
        let select = "SELECT id, refresh_token IS NOT NULL AS refreshable, expires_at, refresh_idle_at, ";
        let select = Sql::new(self.dialect, select).text(self.dialect.now()).text(" AS db_now FROM connections WHERE ");
        reached(select, reach).with(" AND id > ", after)
    }

    async fn chunk(&self, tx: &DatabaseTransaction, select: Sql) -> Result<Vec<(ConnectionId, Waiting)>> {
        let select = select.with(" ORDER BY id LIMIT ", CHUNK).text(self.dialect.for_update());
        tx.query_all_raw(select.build()).await?.iter().map(read).collect()
    }
}

/// What can be switched off for a reason. Whoever lifts an admin's hold does not vouch for tokens out of a backup, so that
/// doubt goes over what is held already.
const fn off_by(reason: StateReason) -> &'static str {
    match reason {
        StateReason::RestoredFromBackup => {
            " AND state IN ('active', 'held') AND state_reason <> 'restored_from_backup'"
        }
        _ => " AND state = 'active'",
    }
}

fn reached(sql: Sql, reach: Reach) -> Sql {
    match reach {
        Reach::Environment(key) => sql.with("environment_id = ", key.as_uuid()),
        Reach::Connector(key) => {
            sql.with("app_id IN (SELECT apps.id FROM apps WHERE apps.connector_id = ", key.as_uuid()).text(")")
        }
        Reach::App(key) => sql.with("app_id = ", key.as_uuid()),
        Reach::Version(key, version) => sql.with("app_id = ", key.as_uuid()).with(" AND connector_version = ", version),
        Reach::Customer(key) => sql.with("customer_id = ", key.as_uuid()),
        Reach::Connection(id) => sql.with("connections.id = ", id.as_uuid()),
    }
}

async fn tell(
    tx: &DatabaseTransaction,
    switch: &Switch,
    kind: EventKind,
    rows: &[(ConnectionId, Waiting)],
    ids: &mut (dyn FnMut(Timestamp) -> EventId + Send),
) -> Result<()> {
    let lines = rows.iter().map(|(id, waiting)| {
        let at = waiting.now;
        NewEvent { id: ids(at), kind, at, detail: switch.detail.clone() }.row(*id)
    });
    let lines: Vec<_> = lines.collect();
    events::append(tx, lines).await
}

fn read(row: &QueryResult) -> Result<(ConnectionId, Waiting)> {
    let id: Uuid = row.try_get("", "id")?;
    let reading = Reading { table: "connections", row: id };
    let clock = || impossible("clock", "now", Uuid::nil());
    let waiting = Waiting {
        now: time::from_millis(row.try_get("", "db_now")?).ok_or_else(clock)?,
        refreshable: row.try_get("", "refreshable")?,
        expires_at: reading.some_time("expires_at", row.try_get("", "expires_at")?)?,
        refresh_idle_at: reading.some_time("refresh_idle_at", row.try_get("", "refresh_idle_at")?)?,
    };
    Ok((ConnectionId::from_uuid(id), waiting))
}
