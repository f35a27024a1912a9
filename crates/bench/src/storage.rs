//! What a connection takes on disk.

use crate::site::Site;
use crate::template::one;
use anyhow::Result;

/// The tables that grow with connections.
const TABLES: [&str; 4] = ["connections", "customers", "data_keys", "events"];

/// One table. Pages count whole, used or not.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) rows: i64,
    pub(crate) table: i64,
    pub(crate) indexes: i64,
}

impl Table {
    /// Bytes of a row: in the table, and in the indexes.
    pub(crate) fn per_row(&self) -> (f64, f64) {
        let each = |bytes: i64| bytes as f64 / self.rows.max(1) as f64;
        (each(self.table), each(self.indexes))
    }
}

/// Measures them as they are.
pub(crate) async fn tables(site: &Site) -> Result<Vec<Table>> {
    let database = site.connect().await?;
    let mut found = Vec::new();
    for name in TABLES {
        let sql = if site.is_postgres() {
            "SELECT pg_table_size($1::regclass) AS own, pg_indexes_size($1::regclass) AS indexes"
        } else {
            // The primary key is an index too where it is not the table itself.
            "SELECT sum(CASE s.type WHEN 'table' THEN d.pgsize ELSE 0 END) AS own, \
             sum(CASE s.type WHEN 'index' THEN d.pgsize ELSE 0 END) AS indexes \
             FROM dbstat d JOIN sqlite_schema s ON s.name = d.name WHERE s.tbl_name = $1 AND d.aggregate = TRUE"
        };
        let sizes = one(&database, sql, [name.into()]).await?;
        let rows = one(&database, &format!("SELECT count(*) AS count FROM {name}"), []).await?;
        found.push(Table {
            name,
            rows: rows.try_get("", "count")?,
            table: sizes.try_get("", "own")?,
            indexes: sizes.try_get("", "indexes")?,
        });
    }
    database.close().await?;
    Ok(found)
}
