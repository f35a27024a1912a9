//! What the three databases say differently.

use crate::{Store, StoreError, row, time};
use mortise_domain::Timestamp;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use uuid::Uuid;

/// Which SQL a database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Postgres,
    MySql,
    Sqlite,
}

impl Dialect {
    pub(crate) fn of(backend: DbBackend) -> Result<Self, StoreError> {
        match backend {
            DbBackend::Postgres => Ok(Self::Postgres),
            DbBackend::MySql => Ok(Self::MySql),
            DbBackend::Sqlite => Ok(Self::Sqlite),
            _ => Err(StoreError::UnknownDatabase),
        }
    }

    pub(crate) const fn backend(self) -> DbBackend {
        match self {
            Self::Postgres => DbBackend::Postgres,
            Self::MySql => DbBackend::MySql,
            Self::Sqlite => DbBackend::Sqlite,
        }
    }

    /// The database's clock in unix milliseconds. Wrapped in a subquery where it would otherwise be asked for every row,
    /// which would keep an index from being used.
    pub(crate) const fn now(self) -> &'static str {
        match self {
            Self::Postgres => "(SELECT (extract(epoch from clock_timestamp())*1000)::bigint)",
            Self::MySql => "CAST(UNIX_TIMESTAMP(NOW(3))*1000 AS SIGNED)",
            Self::Sqlite => "CAST(unixepoch('subsec')*1000 AS INTEGER)",
        }
    }

    /// Locks the rows of a select. SQLite locks the whole database when a transaction begins.
    pub(crate) const fn for_update(self) -> &'static str {
        match self {
            Self::Postgres | Self::MySql => " FOR UPDATE",
            Self::Sqlite => "",
        }
    }

    /// As [`for_update`](Self::for_update), and leaves out what others have locked.
    pub(crate) const fn skip_locked(self) -> &'static str {
        match self {
            Self::Postgres | Self::MySql => " FOR UPDATE SKIP LOCKED",
            Self::Sqlite => "",
        }
    }

    /// Keeps the rows of a select from being changed, and lets others do the same.
    pub(crate) const fn for_share(self) -> &'static str {
        match self {
            Self::Postgres => " FOR SHARE",
            Self::MySql => " LOCK IN SHARE MODE",
            Self::Sqlite => "",
        }
    }

    /// Names the index to use, where statistics that are a little off would have the whole table read and locked.
    pub(crate) fn by_index(self, index: &str) -> String {
        match self {
            Self::MySql => format!(" FORCE INDEX ({index})"),
            Self::Postgres | Self::Sqlite => String::new(),
        }
    }
}

impl Store {
    /// The time by the clock that leases and due times are compared with: the database's.
    pub async fn database_now(&self) -> crate::Result<Timestamp> {
        let sql = format!("SELECT {} AS now", self.dialect.now());
        let row = self.db.query_one_raw(Statement::from_string(self.dialect.backend(), sql)).await?;
        let millis: i64 = match row {
            Some(row) => row.try_get_by_index(0)?,
            None => return Err(row::impossible("clock", "now", Uuid::nil())),
        };
        time::from_millis(millis).ok_or_else(|| row::impossible("clock", "now", Uuid::nil()))
    }
}
