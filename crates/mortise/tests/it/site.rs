//! Several processes of one installation, each with a spill folder of its own, and what lies in those folders.

use crate::world::{PATIENCE, World};
use mortise_broker::SpillLog;
use mortise_testkit::{Launch, Process, wait};
use serde_json::Value;
use std::path::PathBuf;

pub struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Where the process of this name keeps what the database does not have yet.
    pub fn spill(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program as the process of this name, by which PostgreSQL knows it too.
    pub fn launch(&self, world: &World, name: &str, arguments: &[&str]) -> Launch {
        world.launch(arguments).env("MORTISE_SPILL_DIR", self.spill(name)).env("PGAPPNAME", name)
    }

    /// A worker, at work as soon as something shows that it is.
    pub fn worker(&self, world: &World, name: &str) -> Process {
        self.launch(world, name, &["worker"]).start()
    }

    /// The grants that wait for the database in a process's folder.
    pub fn spilled(&self, name: &str) -> Vec<Value> {
        let waiting = SpillLog::waiting(&self.spill(name)).unwrap_or_default();
        waiting.iter().map(|entry| serde_json::from_slice(entry).unwrap()).collect()
    }

    /// Waits until nothing waits any more.
    pub async fn drained(&self, name: &str) {
        let empty = wait::until(PATIENCE, async || Ok(self.spilled(name).is_empty().then_some(()))).await;
        empty.unwrap_or_else(|error| panic!("the spill folder of {name} is not emptied: {error}"));
    }
}

/// Waits until a process has logged this.
pub async fn logged(process: &mut Process, words: &str) {
    let seen = wait::until(PATIENCE, async || Ok(process.stderr().contains(words).then_some(()))).await;
    seen.unwrap_or_else(|error| panic!("`{words}` is not logged: {error}\n{}", process.output()));
}
