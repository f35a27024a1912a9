//! A database of its own for each test.
//!
//! The migrations run once for each kind and each fingerprint of the migrations; a test gets a copy, made by the server
//! (PostgreSQL), by statements (MariaDB) or as a file (SQLite), and the copy goes when the test ends.

mod admin;
mod mariadb;
mod postgres;
mod sqlite;

use crate::Backend;
use crate::servers::Server;
use anyhow::{Context as _, Result};
use mortise_migrations::Migrator;
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use sea_orm_migration::MigratorTrait as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Changes whenever the migrations do.
const FINGERPRINT: &str = env!("MORTISE_MIGRATIONS_FINGERPRINT");

/// A database that nobody else uses; dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    backend: Backend,
    url: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    File(tempfile::TempDir),
    Server { server: Arc<Server>, name: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Migrated,
    Nothing,
}

impl TestDatabase {
    /// A database with every migration applied and nothing else in it.
    ///
    /// # Panics
    /// When the server is not installed or does not start: a test that cannot run has failed.
    pub async fn create(backend: Backend) -> Self {
        crate::or_panic(Self::make(backend, Content::Migrated).await)
    }

    /// A database without any table.
    ///
    /// # Panics
    /// As [`create`](Self::create).
    pub async fn create_empty(backend: Backend) -> Self {
        crate::or_panic(Self::make(backend, Content::Nothing).await)
    }

    /// What the product's `database_url` setting takes.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The kind.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The database file, for SQLite only.
    pub fn file(&self) -> Option<std::path::PathBuf> {
        match &self.place {
            Place::File(folder) => Some(sqlite::file_in(folder.path())),
            Place::Server { .. } => None,
        }
    }

    /// The folder where the server keeps this and every other test's rows as files, or that of the SQLite file.
    pub fn folder(&self) -> &Path {
        match &self.place {
            Place::File(folder) => folder.path(),
            Place::Server { server, .. } => &server.folder,
        }
    }

    /// A connection beside the product's, to look at rows or to disturb them.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn connect(&self) -> DatabaseConnection {
        crate::or_panic(connect(&self.url).await)
    }

    async fn make(backend: Backend, content: Content) -> Result<Self> {
        // In boxes: the migrations' futures are large, and a test's own would hold them.
        let made = match backend {
            Backend::Sqlite => Box::pin(sqlite::make(content)).await,
            Backend::Postgres => Box::pin(postgres::make(content)).await,
            Backend::MariaDb => Box::pin(mariadb::make(content)).await,
        };
        made.with_context(|| format!("no {backend} database for this test"))
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Place::Server { server, name } = &self.place else { return };
        // A database that stays behind is found by the next sweep, and goes with the server at the latest.
        drop(admin::in_background(match self.backend {
            Backend::MariaDb => admin::Task::DropMariaDb { port: server.port, name: name.clone() },
            Backend::Postgres | Backend::Sqlite => admin::Task::DropPostgres { port: server.port, name: name.clone() },
        }));
    }
}

async fn connect(url: &str) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(4).sqlx_logging(false);
    Database::connect(options).await.context("the test database does not answer")
}

pub(crate) async fn migrate(url: &str) -> Result<()> {
    let connection = connect(url).await?;
    Migrator::up(&connection, None).await.context("the migrations failed")?;
    connection.close().await.context("the migrated database does not close")
}

/// A name that no other living test of this server has: process and counter.
fn unique_name() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    format!("t_{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// The process that a database was made by, when it is a test's and that process is gone.
fn is_leftover(name: &str) -> bool {
    let owner = name.strip_prefix("t_").and_then(|rest| rest.split('_').next()).and_then(|pid| pid.parse::<u32>().ok());
    owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists())
}

#[cfg(test)]
mod tests;
