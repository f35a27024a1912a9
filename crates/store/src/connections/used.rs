//! Which connections are used at all: noted coarsely, because a write for each fetch would cost more than the fetch.

use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Result, Store, time};
use mortise_domain::{ConnectionId, Timestamp};
use sea_orm::ConnectionTrait as _;
use std::time::Duration;
use uuid::Uuid;

/// A use is not written while one within this time is.
const COARSE: Duration = Duration::from_secs(3_600);
/// How many are written by one statement.
const CHUNK: usize = 500;

impl Store {
    /// Notes that tokens of these connections were fetched. One that was noted within the hour is not written again, and
    /// neither is one that somebody is changing at this moment: whoever waited for that one would keep all the others from
    /// being claimed. Answers how many were.
    pub async fn connections_mark_used(&self, used: &[ConnectionId], now: Timestamp) -> Result<u64> {
        let mut used = used.to_vec();
        used.sort_unstable();
        used.dedup();
        let mut written = 0;
        for chunk in used.chunks(CHUNK) {
            written += self.mark_used(chunk, time::to_millis(now)).await?;
        }
        Ok(written)
    }

    async fn mark_used(&self, used: &[ConnectionId], now: i64) -> Result<u64> {
        let free = Sql::new(self.dialect, "SELECT id FROM connections WHERE id IN (")
            .list(used.iter().map(|id| id.as_uuid()))
            .with(") AND (used_at IS NULL OR used_at <= ", now - time::millis_of(COARSE))
            .text(")")
            .text(self.dialect.skip_locked())
            .build();
        transact!(self, tx, {
            let rows = tx.query_all_raw(free.clone()).await?;
            let free = rows.iter().map(|row| row.try_get("", "id")).collect::<std::result::Result<Vec<Uuid>, _>>()?;
            if free.is_empty() {
                return Ok(0);
            }
            let update = Sql::new(self.dialect, "UPDATE connections SET used_at = ").bind(now);
            let update = update.text(" WHERE id IN (").list(free).text(")");
            Ok(tx.execute_raw(update.build()).await?.rows_affected())
        })
    }
}
