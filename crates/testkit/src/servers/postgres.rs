//! How PostgreSQL is found, initialised and served.

use super::{Recipe, missing};
use anyhow::Result;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const USER: &str = "mortise";

pub(crate) const RECIPE: Recipe =
    Recipe { name: "postgres", account: "postgres", stop_signal: "INT", initialise, serve: serve_shared };

/// The programs of the newest installed version.
pub(crate) fn programs() -> Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for entry in fs::read_dir("/usr/lib/postgresql").map_err(|_| missing("PostgreSQL"))?.flatten() {
        let version = entry.file_name().to_string_lossy().parse().unwrap_or_default();
        let folder = entry.path().join("bin");
        if folder.join("postgres").exists() {
            found.push((version, folder));
        }
    }
    found.into_iter().max().map(|(_, folder)| folder).ok_or_else(|| missing("PostgreSQL"))
}

/// Connects to the maintenance database, or to any other by name.
pub(crate) fn url(port: u16, database: &str) -> String {
    format!("postgres://{USER}@127.0.0.1:{port}/{database}")
}

pub(crate) fn initialise(folder: &Path) -> Result<Command> {
    let mut command = Command::new(programs()?.join("initdb"));
    command.arg("-D").arg(folder.join("data"));
    command.args(["-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]);
    Ok(command)
}

fn serve_shared(folder: &Path, port: u16) -> Result<Vec<OsString>> {
    serve(folder, port, 300)
}

/// Loopback only, no socket file. Durability stays as installed: the product's waiting for the disk is part of the test.
pub(crate) fn serve(folder: &Path, port: u16, max_connections: u16) -> Result<Vec<OsString>> {
    let mut command = vec![programs()?.join("postgres").into_os_string()];
    command.extend(["-D".into(), folder.join("data").into_os_string()]);
    command.extend(["-p".into(), port.to_string().into()]);
    for setting in [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        &format!("max_connections={max_connections}"),
        "shared_buffers=128MB",
        "max_wal_size=2GB",
    ] {
        command.extend(["-c".into(), setting.into()]);
    }
    Ok(command)
}
