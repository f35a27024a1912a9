//! Load, by wrk, and what it saw.

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use std::path::Path;
use tokio::process::Command;

/// In which order paths are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Drawn at random, each time anew.
    Random,
    /// One after the other.
    Each,
}

/// Requests to send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load<'a> {
    pub(crate) base: &'a str,
    /// A file with a path a line, and the API key; `None` sends one request over and over.
    pub(crate) paths: Option<(&'a Path, &'a str)>,
    pub(crate) order: Order,
    pub(crate) method: &'static str,
    /// How many are in flight.
    pub(crate) connections: usize,
    pub(crate) seconds: u64,
    pub(crate) seed: usize,
}

/// What came back.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Loaded {
    pub(crate) requests: u64,
    pub(crate) microseconds: u64,
    /// In microseconds.
    pub(crate) p50: u64,
    /// In microseconds.
    pub(crate) p99: u64,
    /// Answers with a status of 400 or more.
    pub(crate) refused: u64,
    /// Requests without a whole answer.
    pub(crate) broken: u64,
}

impl Loaded {
    /// Requests a second.
    pub(crate) fn rate(&self) -> f64 {
        self.requests as f64 * 1e6 / self.microseconds as f64
    }
}

/// Sends them. Every answer has to be a good one: a figure with refusals in it would be the figure of something else.
pub(crate) async fn send(load: Load<'_>) -> Result<Loaded> {
    let script = tempfile::Builder::new().suffix(".lua").tempfile()?;
    std::fs::write(script.path(), include_str!("../assets/load.lua"))?;
    let threads = load.connections.min(2);
    let mut wrk = Command::new("wrk");
    wrk.arg(format!("-t{threads}")).arg(format!("-c{}", load.connections)).arg(format!("-d{}s", load.seconds));
    wrk.args(["--timeout", "30s", "-s"]).arg(script.path()).arg(load.base).kill_on_drop(true);
    if let Some((paths, key)) = load.paths {
        wrk.env("BENCH_PATHS", paths).env("BENCH_KEY", key).env("BENCH_METHOD", load.method);
        wrk.env("BENCH_THREADS", threads.to_string()).env("BENCH_SEED", load.seed.to_string());
        wrk.env("BENCH_ORDER", if load.order == Order::Random { "random" } else { "each" });
    }
    let output = wrk.output().await.context("wrk cannot be started: run scripts/install-test-deps --bench")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("BENCH "));
    let Some(line) = line.filter(|_| output.status.success()) else {
        bail!("wrk: {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr));
    };
    let loaded: Loaded = serde_json::from_str(line)?;
    if loaded.requests == 0 || loaded.refused + loaded.broken > 0 {
        bail!("not every answer was a good one: {loaded:?}");
    }
    Ok(loaded)
}
