//! The proof that reading writes nothing: the databases count what is written.

use crate::site::Site;
use crate::template::one;
use anyhow::Result;
use sea_orm::DatabaseConnection;
use std::time::Duration;

/// What the database had counted at a moment.
pub(crate) struct Untouched<'a> {
    site: &'a Site,
    database: DatabaseConnection,
    count: i64,
}

impl<'a> Untouched<'a> {
    /// From now on.
    pub(crate) async fn watch(site: &'a Site) -> Result<Self> {
        let database = site.connect().await?;
        let count = count(site, &database).await?;
        Ok(Self { site, database, count })
    }

    /// Rows that anybody has written since on PostgreSQL; on SQLite, where nobody counts rows, 0 when no transaction
    /// wrote anything and 1 otherwise.
    pub(crate) async fn writes(self) -> Result<i64> {
        let now = count(self.site, &self.database).await?;
        self.database.close().await?;
        Ok(if self.site.is_postgres() { now - self.count } else { i64::from(now != self.count) })
    }
}

async fn count(site: &Site, database: &DatabaseConnection) -> Result<i64> {
    if !site.is_postgres() {
        // Another number whenever another connection has committed a change.
        return Ok(i64::from(one(database, "PRAGMA data_version", []).await?.try_get_by_index::<i32>(0)?));
    }
    // A backend reports what it did a second late at most, once it is idle.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let sql = "SELECT (sum(n_tup_ins) + sum(n_tup_upd) + sum(n_tup_del))::bigint FROM pg_stat_user_tables";
    Ok(one(database, sql, []).await?.try_get_by_index(0)?)
}
