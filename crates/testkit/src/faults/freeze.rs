//! Processes that stand still in the middle of whatever they do: SIGSTOP, and SIGCONT later.

use crate::{Process, or_panic, wait};
use anyhow::Context as _;
use std::path::PathBuf;
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(20);

/// Stops a process where it is, and returns when every thread of it stands.
///
/// # Panics
/// When it has ended.
pub async fn freeze(process: &mut Process) {
    process.signal("STOP");
    stands(process, true).await;
}

/// Lets a stopped process go on, and returns when it does.
///
/// # Panics
/// When it has ended.
pub async fn thaw(process: &mut Process) {
    process.signal("CONT");
    stands(process, false).await;
}

async fn stands(process: &Process, wanted: bool) {
    let tasks = PathBuf::from(format!("/proc/{}/task", process.pid()));
    let reached = wait::until(WITHIN, async || {
        let mut all = true;
        for task in std::fs::read_dir(&tasks)? {
            // A thread that ends meanwhile does not count.
            let Ok(stat) = std::fs::read_to_string(task?.path().join("stat")) else { continue };
            // The name before the state is in parentheses and may hold some itself.
            let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
            all &= (state == Some('T')) == wanted;
        }
        Ok(all.then_some(()))
    });
    or_panic(reached.await.with_context(|| format!("process {} does not stop or go on", process.pid())));
}
