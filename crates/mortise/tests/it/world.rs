//! A small world for a test: a database, a key file, the sandbox provider in this process, and the built program around them.
//!
//! Everything is reached as its users reach it: commands, REST and pages. The processes end with the value; a test that
//! came to its end says so with [`World::end`], which stops them in order and reads what they logged.

pub mod api;
pub mod provider;
pub mod visitor;

use api::Api;
use mortise_testkit::{Backend, Launch, Process, TestDatabase, ports, wait};
use provider::Provider;
use std::time::Duration;

/// Long enough for whatever happens at all, on a busy machine too.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// Longer than a test has to wait for a start or a stop.
pub const START: Duration = Duration::from_secs(60);

/// The client secret of the app at the sandbox.
pub const CLIENT_SECRET: &str = "canary-client-secret-Vt8mZq";

pub struct World {
    pub database: TestDatabase,
    pub provider: Provider,
    pub api: Api,
    settings: Vec<(String, String)>,
    pub server: Option<Process>,
    pub worker: Option<Process>,
    pub folder: tempfile::TempDir,
}

impl World {
    /// A server over a fresh database, and no worker: nothing is renewed unless somebody asks.
    pub async fn serving(backend: Backend) -> Self {
        let mut world = Self::prepared(backend, "dev").await;
        world.serve().await;
        world
    }

    /// A server and a worker over a fresh database.
    pub async fn running(backend: Backend) -> Self {
        let mut world = Self::serving(backend).await;
        world.work();
        world
    }

    /// Database, keys, an environment with an API key for everything, and no process yet.
    pub async fn prepared(backend: Backend, environment: &str) -> Self {
        let (database, folder) = (TestDatabase::create(backend).await, tempfile::tempdir().unwrap());
        let port = ports::free().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let settings = [
            ("MORTISE_DATABASE_URL", database.url().to_owned()),
            ("MORTISE_KEY_FILE", path("keys.json")),
            ("MORTISE_SPILL_DIR", path("spill")),
            ("MORTISE_LISTEN", format!("127.0.0.1:{port}")),
            ("MORTISE_EGRESS_ALLOW", "127.0.0.0/8".to_owned()),
            ("MORTISE_REFRESH_DEADLINE", "5".to_owned()),
            ("MORTISE_HTTP_WORKERS", "2".to_owned()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let api = Api::new(format!("http://127.0.0.1:{port}"));
        let provider = Provider::start();
        let mut world = Self { database, provider, api, settings, server: None, worker: None, folder };
        world.command(&["keys", "init"]).await;
        if !["dev", "prod"].contains(&environment) {
            world.command(&["environments", "create", environment]).await;
        }
        let key = world.api_key(environment).await;
        world.api.use_key(key);
        world
    }

    /// Changes a setting of the processes that start from now on.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.into()));
    }

    /// The program with these arguments and this world's settings.
    pub fn launch(&self, arguments: &[&str]) -> Launch {
        let launch = Launch::mortise().args(arguments).folder(self.folder.path());
        self.settings.iter().fold(launch, |launch, (name, value)| launch.env(name, value))
    }

    /// Runs a command to its end and answers what it printed.
    pub async fn command(&self, arguments: &[&str]) -> String {
        let mut process = self.launch(arguments).start();
        let status = process.ended(START).await;
        assert!(status.success(), "{arguments:?}: {status}\n{}", process.output());
        process.stdout()
    }

    /// A new key of this environment that may do everything.
    pub async fn api_key(&self, environment: &str) -> String {
        let arguments = ["api-keys", "create", "--environment", environment, "--name", "test", "--scopes", "all"];
        self.command(&arguments).await.trim().to_owned()
    }

    /// Starts the server and waits until it is ready.
    pub async fn serve(&mut self) {
        let mut server = self.launch(&["serve"]).start();
        server.ready(&format!("{}/readyz", self.api.base()), START).await;
        self.server = Some(server);
    }

    /// Starts a worker. It is at work as soon as something shows that it is.
    pub fn work(&mut self) {
        self.worker = Some(self.launch(&["worker"]).start());
    }

    /// Asks the worker to stop and waits: what was in flight is stored. Answers what it logged.
    pub async fn stop_worker(&mut self) -> String {
        let Some(mut worker) = self.worker.take() else { return String::new() };
        ended_well(&mut worker, "worker", &self.api).await;
        worker.output()
    }

    /// Stops every process in order; each has to end well and must not have logged a secret.
    pub async fn end(mut self) {
        self.stop_worker().await;
        if let Some(server) = &mut self.server {
            ended_well(server, "server", &self.api).await;
        }
        self.provider.stop().await;
    }
}

async fn ended_well(process: &mut Process, name: &str, api: &Api) {
    // A program hears no signal before it has begun to listen.
    let started = |log: &str| log.contains("working") || log.contains("serving");
    let listens =
        wait::until(START, async || Ok((started(&process.stderr()) || process.exit_status().is_some()).then_some(())));
    listens.await.unwrap_or_else(|_| panic!("the {name} does not start:\n{}", process.output()));
    let status = process.sigterm(START).await;
    let output = process.output();
    assert!(status.success(), "the {name} did not end well: {status}\n{output}");
    assert!(!output.contains("panicked"), "the {name} panicked:\n{output}");
    for secret in ["sbx_at_", "sbx_rt_", "sbx_code_", CLIENT_SECRET, api.key()] {
        assert!(!output.contains(secret), "the {name} logged `{secret}`:\n{output}");
    }
}
