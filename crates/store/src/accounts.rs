//! Whose grants there are, where a provider keeps only so many of one account and drops the oldest for a newer one.
//!
//! Invariant: an account is known by a digest only. Deliberately absent: how many a provider keeps, and what follows.

use crate::row::{Reading, impossible};
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Result, Store, time};
use mortise_domain::{AppKey, ConnectionId, Timestamp};
use sea_orm::ConnectionTrait as _;
use uuid::Uuid;

impl Store {
    /// Remembers that a connection holds a grant of this account since `granted_at`, in the place of what it held before.
    pub async fn account_note(
        &self,
        connection: ConnectionId,
        app: AppKey,
        account: [u8; 32],
        granted_at: Timestamp,
    ) -> Result<()> {
        let forget = Sql::new(self.dialect, "DELETE FROM upstream_accounts WHERE connection_id = ");
        let forget = forget.bind(connection.as_uuid()).build();
        let note = Sql::new(
            self.dialect,
            "INSERT INTO upstream_accounts (connection_id, app_id, account, granted_at) VALUES (",
        )
        .bind(connection.as_uuid())
        .with(", ", app.as_uuid())
        .with(", ", account.to_vec())
        .with(", ", time::to_millis(granted_at))
        .text(")")
        .build();
        transact!(self, tx, {
            tx.execute_raw(forget.clone()).await?;
            tx.execute_raw(note.clone()).await?;
            Ok(())
        })
    }

    /// The connections with grants of an account that nobody has ended, the oldest grant first.
    pub async fn account_grants(&self, app: AppKey, account: [u8; 32]) -> Result<Vec<(ConnectionId, Timestamp)>> {
        let select = Sql::new(self.dialect, "SELECT u.connection_id, u.granted_at FROM upstream_accounts u")
            .text(" JOIN connections c ON c.id = u.connection_id WHERE c.state NOT IN ('revoked', 'needs_reauth')")
            .with(" AND u.app_id = ", app.as_uuid())
            .with(" AND u.account = ", account.to_vec())
            .text(" ORDER BY u.granted_at, u.connection_id");
        let rows = self.db.query_all_raw(select.build()).await?;
        let read = |row: &sea_orm::QueryResult| {
            let id: Uuid = row.try_get("", "connection_id")?;
            let reading = Reading { table: "upstream_accounts", row: id };
            let at = reading.time("granted_at", row.try_get("", "granted_at")?)?;
            Ok((ConnectionId::from_uuid(id), at))
        };
        rows.iter().map(read).collect()
    }

    /// How many grants of a connection's account are newer than its own and have not been ended here; 0 where the account
    /// is not known.
    pub async fn account_newer(&self, connection: ConnectionId) -> Result<u64> {
        let count = Sql::new(self.dialect, "SELECT COUNT(*) AS newer FROM upstream_accounts mine")
            .text(" JOIN upstream_accounts u ON u.app_id = mine.app_id AND u.account = mine.account")
            .text(" AND u.granted_at > mine.granted_at JOIN connections c ON c.id = u.connection_id")
            .with(" WHERE c.state <> 'revoked' AND mine.connection_id = ", connection.as_uuid());
        let row = self.db.query_one_raw(count.build()).await?;
        let newer: Option<i64> = row.map(|row| row.try_get("", "newer")).transpose()?;
        u64::try_from(newer.unwrap_or_default())
            .map_err(|_| impossible("upstream_accounts", "count", connection.as_uuid()))
    }
}
