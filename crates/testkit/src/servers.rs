//! Database servers shared by every test process of one checkout.
//!
//! Whichever test process comes first starts a server under a file lock; the others find it by its port file. A small
//! shell supervisor ends it when it is no longer used, and a server always starts on fresh data, so no run inherits
//! what an earlier one broke. The data lives in the system's temporary folder, because the accounts `postgres` and
//! `mysql` may not be able to reach a checkout. Absent: any reuse of a server that the machine itself runs.

pub(crate) mod account;
pub(crate) mod mariadb;
pub(crate) mod postgres;

use crate::{ports, wait};
use account::Account;
use anyhow::{Context as _, Result, bail};
use std::ffi::OsString;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Minutes without any user after which a server ends by itself.
const IDLE_MINUTES: u32 = 30;
const READY_WITHIN: Duration = Duration::from_secs(60);

/// What differs between the kinds of servers.
pub(crate) struct Recipe {
    pub name: &'static str,
    /// The account to run as when the tests run as root.
    pub account: &'static str,
    /// The signal for a quick and clean end.
    pub stop_signal: &'static str,
    /// Makes an empty data folder; runs as the account.
    pub initialise: fn(folder: &Path) -> Result<Command>,
    /// The server's command for a port.
    pub serve: fn(folder: &Path, port: u16) -> Result<Vec<OsString>>,
}

/// A running server that cannot end before this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub folder: PathBuf,
    pub port: u16,
    _in_use: File,
}

/// The folder of everything that test processes of this checkout share, linked from `target/testkit`.
pub(crate) fn shared_folder() -> Result<PathBuf> {
    let uid = account::current_uid()?;
    let mut hasher = DefaultHasher::new();
    env!("CARGO_MANIFEST_DIR").hash(&mut hasher);
    let folder = std::env::temp_dir().join(format!("mortise-testkit-{uid}-{:016x}", hasher.finish()));
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    if fs::metadata(&folder)?.uid() != uid {
        bail!("{} belongs to somebody else: remove it", folder.display());
    }
    // Whatever the umask: the servers' accounts come through here.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
    let link = crate::workspace_root().join("target/testkit");
    if fs::read_link(&link).ok().as_deref() != Some(&folder) {
        fs::create_dir_all(crate::workspace_root().join("target"))?;
        // Two test processes may do this at once: what counts is that the link is there.
        drop(fs::remove_file(&link));
        drop(std::os::unix::fs::symlink(&folder, &link));
    }
    Ok(folder)
}

/// Finds the running server or starts it. Blocks.
pub(crate) fn acquire(recipe: &Recipe) -> Result<Server> {
    let folder = shared_folder()?.join(recipe.name);
    let account = Account::for_server(recipe.account)?;
    fs::create_dir_all(&folder)?;
    account.give(&folder)?;
    let in_use = File::options().create(true).append(true).open(folder.join("users.lock"))?;
    account.give(&folder.join("users.lock"))?;
    in_use.lock_shared()?;
    fs::write(folder.join("used"), b"x")?;

    let starting = File::options().create(true).append(true).open(folder.join("start.lock"))?;
    starting.lock()?;
    if let Some(port) = running_port(&folder) {
        return Ok(Server { folder, port, _in_use: in_use });
    }
    let mut last = None;
    for _ in 0..3 {
        match start(recipe, &folder, &account) {
            Ok(port) => return Ok(Server { folder, port, _in_use: in_use }),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| anyhow::anyhow!("no attempt was made"))).context(format!(
        "{} did not start; its log is {}",
        recipe.name,
        folder.join("server.log").display()
    ))
}

fn running_port(folder: &Path) -> Option<u16> {
    let port = fs::read_to_string(folder.join("port")).ok()?.trim().parse().ok()?;
    let supervisor: u32 = fs::read_to_string(folder.join("supervisor.pid")).ok()?.trim().parse().ok()?;
    let command = fs::read(format!("/proc/{supervisor}/cmdline")).ok()?;
    let ours = String::from_utf8_lossy(&command).contains(&*folder.to_string_lossy());
    (ours && TcpStream::connect(("127.0.0.1", port)).is_ok()).then_some(port)
}

fn start(recipe: &Recipe, folder: &Path, account: &Account) -> Result<u16> {
    let data = folder.join("data");
    if data.exists() {
        fs::remove_dir_all(&data)?;
    }
    drop(fs::remove_file(folder.join("port")));
    run(account.apply((recipe.initialise)(folder)?.current_dir(folder)))?;

    let port = ports::free()?;
    let log = File::create(folder.join("server.log"))?;
    let mut supervisor = Command::new("sh");
    supervisor.args(["-c", include_str!("servers/supervise.sh"), "supervise.sh"]);
    supervisor.arg(folder).arg(IDLE_MINUTES.to_string()).arg(recipe.stop_signal);
    supervisor.args((recipe.serve)(folder, port)?).current_dir(folder);
    supervisor.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
    let mut child = account.apply(&mut supervisor).spawn().context("sh cannot be started")?;
    fs::write(folder.join("supervisor.pid"), child.id().to_string())?;

    wait::blocking(READY_WITHIN, || {
        if let Some(status) = child.try_wait()? {
            bail!("the server ended at once: {status}");
        }
        Ok(TcpStream::connect(("127.0.0.1", port)).is_ok().then_some(()))
    })?;
    fs::write(folder.join("port"), port.to_string())?;
    Ok(port)
}

/// Runs a command to its end; its output is in the error when it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?} cannot be started"))?;
    if !output.status.success() {
        bail!(
            "{command:?}: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

/// Says which program is missing and how to get it.
pub(crate) fn missing(program: &str) -> anyhow::Error {
    anyhow::anyhow!("{program} is not installed: run scripts/install-test-deps as root")
}

#[cfg(test)]
mod tests;
