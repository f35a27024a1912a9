//! Everything that can go wrong in the store.

use sea_orm::{DbErr, RuntimeErr, SqlErr};
use uuid::Uuid;

/// Why a method did not do what it was asked. "Not there" is no error: it is `None` or `false`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique name, key or id is taken already.
    #[error("{0} exists already")]
    Conflict(&'static str),
    /// A compare-and-set lost: somebody else changed it since it was read.
    #[error("{0} was changed since it was read")]
    Stale(&'static str),
    /// Others still need it.
    #[error("{0} is in use")]
    InUse(&'static str),
    /// Something that a new row refers to is not there, or was deleted.
    #[error("{0} does not exist")]
    Missing(&'static str),
    /// A row holds what this program does not understand. It is left as it is.
    #[error("row {row} of `{table}` holds an impossible `{column}`")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's id, or its parent's where the row has none of its own.
        row: Uuid,
    },
    /// The URL names a SQLite database in memory, of which every connection would have its own.
    #[error("a SQLite database in memory forgets everything: name a file, as in `sqlite:mortise.db`")]
    InMemory,
    /// A value cannot be written as JSON.
    #[error("a value cannot be stored as JSON")]
    Json(#[from] serde_json::Error),
    /// The URL of the database is none that this program knows.
    #[error("the database URL must begin with `postgres:`, `mysql:` or `sqlite:`")]
    UnknownDatabase,
    /// The database cannot be reached, or stayed busy for longer than is reasonable. Trying again later is right.
    #[error("the database is not available")]
    Unavailable(#[source] DbErr),
    /// The database refused a statement.
    #[error("the database refused a statement")]
    Refused(#[source] DbErr),
}

impl StoreError {
    /// Whether trying again later may help.
    pub const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// Whether the statement met a connection that was dead, which says nothing about the next one.
    pub(crate) fn lost_its_connection(&self) -> bool {
        use sea_orm::sqlx::Error::{Io, Protocol};
        let (Self::Refused(error) | Self::Unavailable(error)) = self else { return false };
        if code_of(error).is_some_and(|code| ENDED.contains(&code.as_str())) {
            return true;
        }
        let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error else {
            return false;
        };
        matches!(**error, Io(_) | Protocol(_))
    }

    /// A violated unique constraint becomes a [`Conflict`](Self::Conflict), a violated reference a
    /// [`Missing`](Self::Missing).
    pub(crate) fn on_insert(what: &'static str) -> impl Fn(DbErr) -> Self {
        move |error| match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Conflict(what),
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => Self::Missing("a row that is referred to"),
            _ => error.into(),
        }
    }

    /// Whether the same transaction, begun anew, may succeed: it was a victim of others and changed nothing.
    pub(crate) fn is_transient(&self) -> bool {
        let (Self::Refused(error) | Self::Unavailable(error)) = self else { return false };
        code_of(error).is_some_and(|code| TRANSIENT.contains(&code.as_str()))
    }
}

/// PostgreSQL: serialization failure, deadlock, lock not available. MariaDB and MySQL: record changed since it was read,
/// lock wait timeout, deadlock. SQLite: busy, locked, busy while recovering, busy by an old snapshot.
const TRANSIENT: [&str; 10] = ["40001", "40P01", "55P03", "1020", "1205", "1213", "5", "6", "261", "517"];

/// The last word of a server on a connection that it ends. PostgreSQL: shutting down, crashed. MariaDB and MySQL: shutting
/// down, connection killed.
const ENDED: [&str; 4] = ["57P01", "57P02", "1053", "1927"];

/// PostgreSQL: too many connections, shutting down, crashed, starting up. MariaDB and MySQL: too many connections,
/// shutting down. SQLite: the disk is full, the file cannot be opened.
const UNAVAILABLE: [&str; 9] = ["53300", "57P01", "57P02", "57P03", "1040", "1053", "1203", "13", "14"];

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        let away = match &error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
            DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e)) => connection_lost(e),
            _ => false,
        };
        let code = code_of(&error);
        let told = code.is_some_and(|code| {
            code.starts_with("08") || UNAVAILABLE.contains(&code.as_str()) || TRANSIENT.contains(&code.as_str())
        });
        if away || told { Self::Unavailable(error) } else { Self::Refused(error) }
    }
}

fn connection_lost(error: &sea_orm::sqlx::Error) -> bool {
    use sea_orm::sqlx::Error;
    matches!(
        error,
        Error::Io(_)
            | Error::Tls(_)
            | Error::Protocol(_)
            | Error::PoolTimedOut
            | Error::PoolClosed
            | Error::WorkerCrashed
    )
}

/// The SQLSTATE of PostgreSQL, the number of MariaDB and MySQL, the extended result code of SQLite.
fn code_of(error: &DbErr) -> Option<String> {
    use sea_orm::sqlx::mysql::MySqlDatabaseError;
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error else {
        return None;
    };
    let error = error.as_database_error()?;
    match error.try_downcast_ref::<MySqlDatabaseError>() {
        Some(error) => Some(error.number().to_string()),
        None => error.code().map(std::borrow::Cow::into_owned),
    }
}
