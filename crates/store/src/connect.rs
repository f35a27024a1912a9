//! Connecting, with the settings that each database needs.

use crate::dialect::Dialect;
use crate::{Result, Store, StoreError};
use sea_orm::sqlx::Executor as _;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use std::sync::Arc;
use std::time::Duration;

/// How long a request waits for a free connection.
const ACQUIRE: Duration = Duration::from_secs(10);
/// How long a SQLite writer waits for another process.
const BUSY: Duration = Duration::from_secs(10);
/// A connection that lay idle for this long is tried before it is used; a busy one is not, which saves a round trip.
const IDLE: Duration = Duration::from_secs(30);

impl Store {
    /// Connects to `postgres:`, `mysql:` (MariaDB too) or `sqlite:` (the file is made if there is none). The schema is
    /// not looked at. Of the connections a quarter, at least one, is kept for serving tokens; on SQLite, where one writer
    /// at a time holds one of them, all are shared.
    ///
    /// # Errors
    /// [`StoreError::UnknownDatabase`] for another URL, [`StoreError::InMemory`] for one without a file,
    /// [`StoreError::Unavailable`] when nobody answers.
    pub async fn connect(url: &str, max_connections: u32) -> Result<Self> {
        let url = native_url(url)?;
        if url.starts_with("sqlite:") {
            return Self::from_connection(pool(url, max_connections).await?);
        }
        let reads = (max_connections / 4).max(1);
        let store = Self::from_connection(pool(url.clone(), max_connections.saturating_sub(reads)).await?)?;
        Ok(Self { reads: pool(url, reads).await?, ..store })
    }

    /// A store on a connection that was made elsewhere, whose settings are the caller's business.
    ///
    /// # Errors
    /// [`StoreError::UnknownDatabase`] for a kind of database that this program does not know.
    pub fn from_connection(db: DatabaseConnection) -> Result<Self> {
        let dialect = Dialect::of(db.get_database_backend())?;
        Ok(Self { reads: db.clone(), db, dialect, writer: Arc::default(), together: Arc::default() })
    }

    /// The connection, to migrate the schema with.
    pub const fn connection(&self) -> &DatabaseConnection {
        &self.db
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it does not.
    pub async fn ping(&self) -> Result<()> {
        self.db.ping().await.map_err(StoreError::Unavailable)
    }

    /// Closes every connection, once they are idle.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if that fails.
    pub async fn close(self) -> Result<()> {
        let reads = self.reads.close().await;
        self.db.close().await.and(reads).map_err(StoreError::Unavailable)
    }
}

/// At most so many connections, at least one.
async fn pool(url: String, most: u32) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(most.max(1))
        .min_connections(1)
        .connect_timeout(ACQUIRE)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(Duration::from_secs(600))
        .test_before_acquire_if_idle_for(IDLE)
        // Statements are this program's own and known; their values are nobody's business.
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                // A rotated token that a power cut takes back is lost for good.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(BUSY)
                .foreign_keys(true)
                .optimize_on_close(true, None)
        })
        // Repeatable reads would lock the gaps between due rows, and claims would wait for each other.
        .map_sqlx_mysql_pool_opts(|pool| {
            pool.after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
                    Ok(())
                })
            })
        });
    Database::connect(options).await.map_err(StoreError::Unavailable)
}

/// `postgresql:` and `mariadb:` are other people's words for the same.
fn native_url(url: &str) -> Result<String> {
    let (scheme, rest) = url.split_once(':').ok_or(StoreError::UnknownDatabase)?;
    match scheme {
        "postgres" | "postgresql" => Ok(format!("postgres:{rest}")),
        "mysql" | "mariadb" => Ok(format!("mysql:{rest}")),
        "sqlite" if rest.is_empty() || url.contains(":memory:") || url.contains("mode=memory") => {
            Err(StoreError::InMemory)
        }
        "sqlite" => Ok(url.to_owned()),
        _ => Err(StoreError::UnknownDatabase),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_by_their_scheme() {
        assert_eq!(native_url("postgresql://h/d").ok().as_deref(), Some("postgres://h/d"));
        assert_eq!(native_url("mariadb://h/d").ok().as_deref(), Some("mysql://h/d"));
        assert_eq!(native_url("sqlite:a.db").ok().as_deref(), Some("sqlite:a.db"));
        for bad in ["", "a.db", "mssql://h/d", "POSTGRES://h/d"] {
            assert!(matches!(native_url(bad), Err(StoreError::UnknownDatabase)), "{bad}");
        }
        for forgetful in ["sqlite:", "sqlite::memory:", "sqlite://file?mode=memory"] {
            assert!(matches!(native_url(forgetful), Err(StoreError::InMemory)), "{forgetful}");
        }
    }
}
