//! Figures of the queue, for metrics.

use super::due::is_free;
use crate::sql::Sql;
use crate::{Result, Store, time};
use sea_orm::ConnectionTrait as _;
use std::time::Duration;

/// How far behind the refreshes are, by the database's clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DueStats {
    /// Connections that are due and that nobody is at, held apps' left out.
    pub due: u64,
    /// For how long the first of them has been due; zero when none is.
    pub oldest_overdue: Duration,
    /// Leases that ran out, and whose connections nobody has taken since: a process died, or took too long.
    pub lapsed_leases: u64,
    /// Apps that are held.
    pub held_apps: u64,
}

impl Store {
    /// Three selects, each by an index of its own.
    pub async fn due_stats(&self) -> Result<DueStats> {
        let now = self.dialect.now();
        let due = Sql::new(self.dialect, "SELECT COUNT(*) AS due, ")
            .text(now)
            .text(" - MIN(next_refresh_at) AS behind FROM connections")
            .text(&self.dialect.by_index("connections_due"))
            .text(" WHERE next_refresh_at <= ")
            .text(now)
            .text(" AND app_id NOT IN (SELECT id FROM apps WHERE held_since IS NOT NULL AND state = 'held') AND ");
        let due = self.db.query_one_raw(is_free(due, now).build()).await?;
        let (due, behind): (i64, Option<i64>) = match due {
            Some(row) => (row.try_get("", "due")?, row.try_get("", "behind")?),
            None => (0, None),
        };
        let lapsed = Sql::new(self.dialect, "SELECT COUNT(*) AS n FROM connections WHERE lease_until <= ").text(now);
        let held = "SELECT COUNT(*) AS n FROM apps WHERE held_since IS NOT NULL AND state = 'held' AND deleted_at = 0";
        Ok(DueStats {
            due: u64::try_from(due).unwrap_or_default(),
            oldest_overdue: time::duration_of(behind.unwrap_or_default()),
            lapsed_leases: self.count(lapsed).await?,
            held_apps: self.count(Sql::new(self.dialect, held)).await?,
        })
    }

    async fn count(&self, select: Sql) -> Result<u64> {
        let row = self.db.query_one_raw(select.build()).await?;
        let count: Option<i64> = row.map(|row| row.try_get("", "n")).transpose()?;
        Ok(u64::try_from(count.unwrap_or_default()).unwrap_or_default())
    }
}
