//! An installation of the measured program: a database, keys, settings, and its processes.

use crate::template::one;
use anyhow::{Context as _, Result, bail, ensure};
use mortise_testkit::{DedicatedPostgres, Http, Launch, Process, ports};
use sea_orm::{ConnectOptions, ConnectionTrait as _, DatabaseConnection, Statement};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);

/// Where the rows are.
enum Database {
    Postgres(Box<DedicatedPostgres>),
    Sqlite(PathBuf),
}

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DatabaseKind {
    Postgres,
    Sqlite,
}

/// One installation. Its processes and its data go with the value.
pub(crate) struct Site {
    // Before the database and the folder: processes end before their data goes.
    pub(crate) server: Option<Process>,
    database: Database,
    program: PathBuf,
    settings: Vec<(&'static str, String)>,
    pub(crate) listen: SocketAddr,
    pub(crate) base: String,
    pub(crate) key: String,
    folder: tempfile::TempDir,
}

impl Site {
    /// On a database of its own: a PostgreSQL server, or a SQLite file.
    pub(crate) async fn on(kind: DatabaseKind, program: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (database, url) = match kind {
            DatabaseKind::Postgres => {
                // Room for many processes.
                let server = DedicatedPostgres::with_max_connections(300).await;
                let url = server.url();
                (Database::Postgres(Box::new(server)), url)
            }
            DatabaseKind::Sqlite => {
                let file = folder.path().join("mortise.db");
                let url = format!("sqlite://{}?mode=rwc", file.display());
                (Database::Sqlite(file), url)
            }
        };
        Self::prepare(database, url, program, folder).await
    }

    /// Settings are the defaults but for what names a place, so that what is measured is what people run.
    async fn prepare(database: Database, url: String, program: &Path, folder: tempfile::TempDir) -> Result<Self> {
        let workers = std::thread::available_parallelism()?;
        let listen = SocketAddr::from(([127, 0, 0, 1], ports::free()?));
        let path = |name: &str| folder.path().join(name).display().to_string();
        let settings = vec![
            ("MORTISE_DATABASE_URL", url),
            ("MORTISE_KEY_FILE", path("keys.json")),
            ("MORTISE_LISTEN", listen.to_string()),
            ("MORTISE_EGRESS_ALLOW", "127.0.0.0/8".to_owned()),
            ("MORTISE_HTTP_WORKERS", workers.to_string()),
        ];
        let (program, base) = (program.to_owned(), format!("http://{listen}"));
        let mut site = Self { server: None, database, program, settings, listen, base, key: String::new(), folder };
        site.command(&["migrate"]).await?;
        site.command(&["keys", "init"]).await?;
        let key = ["api-keys", "create", "--environment", "dev", "--name", "bench", "--scopes", "all"];
        site.key = site.command(&key).await?.trim().to_owned();
        Ok(site)
    }

    pub(crate) const fn name(&self) -> &'static str {
        match self.database {
            Database::Postgres(_) => "PostgreSQL",
            Database::Sqlite(_) => "SQLite",
        }
    }

    pub(crate) const fn is_postgres(&self) -> bool {
        matches!(self.database, Database::Postgres(_))
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.folder.path().join("keys.json")
    }

    /// A file of this name beside the keys.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The database server's first process, where there is one.
    pub(crate) fn database_process(&self) -> Result<Option<u32>> {
        let Database::Postgres(server) = &self.database else { return Ok(None) };
        let text = std::fs::read_to_string(server.folder().join("postmaster.pid"))?;
        Ok(Some(text.lines().next().unwrap_or_default().trim().parse().context("postmaster.pid")?))
    }

    /// The database server, to kill it and to start it again. There is none behind SQLite.
    pub(crate) fn server_of_rows(&mut self) -> Result<&mut DedicatedPostgres> {
        match &mut self.database {
            Database::Postgres(server) => Ok(server),
            Database::Sqlite(_) => bail!("SQLite has no server"),
        }
    }

    /// The database with its version and what matters of its settings.
    pub(crate) async fn described(&self) -> Result<String> {
        let (sql, how) = match self.database {
            Database::Postgres(_) => ("SHOW server_version", "shared_buffers 128 MB, durable commits"),
            Database::Sqlite(_) => ("SELECT sqlite_version()", "WAL, durable commits"),
        };
        let database = self.connect().await?;
        let version: String = one(&database, sql, []).await?.try_get_by_index(0)?;
        database.close().await?;
        Ok(format!("{} {} ({how})", self.name(), version.split(' ').next().unwrap_or_default()))
    }

    /// A connection beside the measured ones: a single one, so that what it remembers of the database stays.
    pub(crate) async fn connect(&self) -> Result<DatabaseConnection> {
        let url = match &self.database {
            Database::Postgres(server) => server.url(),
            Database::Sqlite(file) => format!("sqlite://{}?mode=rw", file.display()),
        };
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).min_connections(1).sqlx_logging(false);
        Ok(sea_orm::Database::connect(options).await?)
    }

    /// Runs a statement without values.
    pub(crate) async fn execute(&self, sql: &str) -> Result<()> {
        let database = self.connect().await?;
        database.execute_raw(Statement::from_string(database.get_database_backend(), sql)).await?;
        Ok(database.close().await?)
    }

    /// Does the housekeeping that a database does in its own time, so that it does not fall into a measurement.
    pub(crate) async fn settle(&self) -> Result<()> {
        let statements: &[&str] =
            if self.is_postgres() { &["VACUUM (ANALYZE)", "CHECKPOINT"] } else { &["PRAGMA wal_checkpoint(TRUNCATE)"] };
        for statement in statements {
            self.execute(statement).await?;
        }
        Ok(())
    }

    /// The program with these arguments.
    pub(crate) fn launch(&self, arguments: &[&str]) -> Launch {
        let launch = Launch::new(&self.program).args(arguments);
        self.settings.iter().fold(launch, |launch, (name, value)| launch.env(name, value))
    }

    async fn command(&self, arguments: &[&str]) -> Result<String> {
        let mut process = self.launch(arguments).start();
        let status = process.ended(PATIENCE).await;
        ensure!(status.success(), "{arguments:?}: {status}\n{}", process.output());
        Ok(process.stdout())
    }

    /// Starts the web service and waits until it is ready.
    pub(crate) async fn serve(&mut self) {
        let mut server = self.launch(&["serve"]).start();
        server.ready(&format!("{}/readyz", self.base), PATIENCE).await;
        self.server = Some(server);
    }

    /// Stops the web service in order.
    pub(crate) async fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.sigterm(PATIENCE).await;
        }
    }

    /// The process of the running web service.
    pub(crate) fn server_process(&self) -> Result<u32> {
        Ok(self.server.as_ref().context("the web service is not running")?.pid())
    }

    /// The API with the key for everything.
    pub(crate) fn api(&self) -> Http {
        Http::new().with_bearer(&self.key)
    }
}
