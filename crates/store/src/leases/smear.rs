//! Spreading what became overdue while a provider was down or an app was held, so that it is not all asked at once.

use crate::row::{Reading, impossible};
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Result, Store, time};
use mortise_domain::{AppKey, ConnectionId, Timestamp};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, QueryResult};
use uuid::Uuid;

/// How many are moved in one transaction.
const CHUNK: i64 = 500;

/// An overdue connection, to be given another time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overdue {
    /// Which.
    pub id: ConnectionId,
    /// The database's clock when the spreading began.
    pub now: Timestamp,
    /// How many there were then.
    pub total: u64,
    /// How many of them are more overdue than this one.
    pub index: u64,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// When the refresh token ends unless it is used before.
    pub refresh_idle_at: Option<Timestamp>,
    /// When the grant ends whatever is done.
    pub grant_expires_at: Option<Timestamp>,
}

impl Store {
    /// Gives every overdue connection of an app that nobody is at the time that `place` says, the most overdue first, and
    /// answers how many. A time that is over counts as the next millisecond. Claims go on meanwhile: what they take first
    /// is left to them. `place` may be asked again about the same connection.
    pub async fn connections_smear(
        &self,
        app: AppKey,
        place: &mut (dyn FnMut(Overdue) -> Timestamp + Send),
    ) -> Result<u64> {
        let count = self.free_columns("COUNT(*) AS total, ").text(" AND next_refresh_at <= ").text(self.dialect.now());
        let count = self.db.query_one_raw(count.with(" AND app_id = ", app.as_uuid()).build()).await?;
        let Some(count) = count else { return Ok(0) };
        let total = u64::try_from(count.try_get::<i64>("", "total")?).unwrap_or_default();
        let clock = || impossible("clock", "now", Uuid::nil());
        let now = time::from_millis(count.try_get("", "db_now")?).ok_or_else(clock)?;
        let mut moved = 0;
        while moved < total {
            let chunk = transact!(self, tx, {
                let rows = tx.query_all_raw(self.overdue(app, now).build()).await?;
                let overdue = rows.iter().zip(moved..).map(|(row, index)| read(row, now, total, index));
                let overdue: Vec<Overdue> = overdue.collect::<Result<_>>()?;
                let placed = overdue.iter().map(|row| (row.id, place(*row))).collect();
                self.place(tx, placed, now).await
            })?;
            if chunk == 0 {
                break;
            }
            moved += chunk;
        }
        Ok(moved)
    }

    fn free_columns(&self, columns: &str) -> Sql {
        let select = Sql::new(self.dialect, "SELECT ").text(columns).text(self.dialect.now());
        let select = select.text(" AS db_now FROM connections").text(&self.dialect.by_index("connections_due"));
        super::due::is_free(select.text(" WHERE "), self.dialect.now())
    }

    /// What is moved leaves the selection, because it is due after `cut` then.
    fn overdue(&self, app: AppKey, cut: Timestamp) -> Sql {
        self.free_columns("id, expires_at, refresh_idle_at, grant_expires_at, ")
            .with(" AND next_refresh_at <= ", time::to_millis(cut))
            .with(" AND app_id = ", app.as_uuid())
            .with(" ORDER BY next_refresh_at LIMIT ", CHUNK)
            .text(self.dialect.skip_locked())
    }

    async fn place(
        &self,
        tx: &DatabaseTransaction,
        placed: Vec<(ConnectionId, Timestamp)>,
        cut: Timestamp,
    ) -> Result<u64> {
        if placed.is_empty() {
            return Ok(0);
        }
        let mut update = Sql::new(self.dialect, "UPDATE connections SET next_refresh_at = CASE id");
        for (id, at) in &placed {
            let at = time::to_millis(*at).max(time::to_millis(cut) + 1);
            update = update.with(" WHEN ", id.as_uuid()).with(" THEN ", at);
        }
        let update = update.text(" END WHERE id IN (").list(placed.iter().map(|(id, _)| id.as_uuid())).text(")");
        Ok(tx.execute_raw(update.build()).await?.rows_affected())
    }
}

fn read(row: &QueryResult, now: Timestamp, total: u64, index: u64) -> Result<Overdue> {
    let id: Uuid = row.try_get("", "id")?;
    let reading = Reading { table: "connections", row: id };
    Ok(Overdue {
        id: ConnectionId::from_uuid(id),
        now,
        total,
        index,
        expires_at: reading.some_time("expires_at", row.try_get("", "expires_at")?)?,
        refresh_idle_at: reading.some_time("refresh_idle_at", row.try_get("", "refresh_idle_at")?)?,
        grant_expires_at: reading.some_time("grant_expires_at", row.try_get("", "grant_expires_at")?)?,
    })
}
