//! A PostgreSQL that one test has to itself, to stop, kill and start again.

use crate::servers::account::Account;
use crate::servers::{postgres, run};
use crate::{or_panic, ports, wait};
use anyhow::{Context as _, Result, bail};
use std::fs::File;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(60);

/// A server with one database, gone with this value.
#[derive(Debug)]
pub struct DedicatedPostgres {
    // Before the folder: the server ends before its data goes.
    server: Option<Child>,
    account: Account,
    folder: tempfile::TempDir,
    port: u16,
    max_connections: u16,
}

impl DedicatedPostgres {
    /// Starts a server with a migrated database and room for 100 connections.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    pub async fn start() -> Self {
        Self::with_max_connections(100).await
    }

    /// Starts a server that takes only so many connections.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub async fn with_max_connections(max_connections: u16) -> Self {
        let made = tokio::task::spawn_blocking(move || Self::make(max_connections)).await;
        let made = or_panic(made.context("the thread that starts PostgreSQL panicked").flatten());
        or_panic(Box::pin(crate::database::migrate(&made.url())).await);
        made
    }

    /// What the product's `database_url` setting takes; the same after every new start.
    pub fn url(&self) -> String {
        postgres::url(self.port, "postgres")
    }

    /// The folder that holds the rows as files.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Ends the server as a power cut would, without a checkpoint.
    pub fn kill9(&mut self) {
        if let Some(mut server) = self.server.take() {
            drop(server.kill());
            drop(server.wait());
        }
    }

    /// Ends the server in order: open transactions are rolled back, connections closed.
    ///
    /// # Panics
    /// When it does not end.
    pub fn stop(&mut self) {
        or_panic(self.try_stop());
    }

    /// Starts the server again on the same data and port.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_again(&mut self) {
        self.kill9();
        // After a kill the server's own children take a moment to notice, and the data folder is theirs until then.
        or_panic(wait::blocking(WITHIN, || Ok(self.serve().ok())));
    }

    fn make(max_connections: u16) -> Result<Self> {
        let account = Account::for_server("postgres")?;
        let folder = tempfile::Builder::new().prefix("mortise-postgres-").tempdir()?;
        account.give(folder.path())?;
        run(account.apply(postgres::initialise(folder.path())?.current_dir(folder.path())))?;
        let mut made = Self { server: None, account, folder, port: ports::free()?, max_connections };
        made.serve()?;
        Ok(made)
    }

    fn serve(&mut self) -> Result<()> {
        let folder = self.folder.path();
        let log = File::options().create(true).append(true).open(folder.join("server.log"))?;
        let words = postgres::serve(folder, self.port, self.max_connections)?;
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let server = self.server.insert(self.account.apply(&mut command).spawn()?);
        let port = self.port;
        wait::blocking(WITHIN, || match server.try_wait()? {
            Some(status) => bail!("PostgreSQL ended at once: {status}; see {}", folder.join("server.log").display()),
            None => Ok(TcpStream::connect(("127.0.0.1", port)).is_ok().then_some(())),
        })
    }

    fn try_stop(&mut self) -> Result<()> {
        let control = postgres::programs()?.join("pg_ctl");
        let mut command = Command::new(control);
        command.args(["stop", "--mode=fast", "--wait", "-D"]).arg(self.folder()).current_dir(self.folder.path());
        run(self.account.apply(&mut command))?;
        self.kill9();
        Ok(())
    }
}

impl Drop for DedicatedPostgres {
    fn drop(&mut self) {
        self.kill9();
    }
}
