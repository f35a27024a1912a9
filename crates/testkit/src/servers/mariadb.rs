//! How MariaDB is found, initialised and served.

use super::{Recipe, missing};
use anyhow::Result;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

const USER: &str = "mortise";

pub(crate) const RECIPE: Recipe = Recipe { name: "mariadb", account: "mysql", stop_signal: "TERM", initialise, serve };

/// Connects to any database by name.
pub(crate) fn url(port: u16, database: &str) -> String {
    format!("mysql://{USER}:{USER}@127.0.0.1:{port}/{database}")
}

fn initialise(folder: &Path) -> Result<Command> {
    let program = Path::new("/usr/bin/mariadb-install-db");
    if !program.exists() {
        return Err(missing("MariaDB"));
    }
    let mut command = Command::new(program);
    command.arg("--no-defaults").arg(option("datadir", &folder.join("data")));
    command.args(["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]);
    Ok(command)
}

/// Loopback only. Durability stays as installed, as with PostgreSQL.
fn serve(folder: &Path, port: u16) -> Result<Vec<OsString>> {
    let grants = folder.join("grants.sql");
    fs::write(
        &grants,
        format!(
            "CREATE USER IF NOT EXISTS '{USER}'@'127.0.0.1' IDENTIFIED BY '{USER}';\n\
             GRANT ALL PRIVILEGES ON *.* TO '{USER}'@'127.0.0.1';\n"
        ),
    )?;
    Ok(vec![
        "/usr/sbin/mariadbd".into(),
        "--no-defaults".into(),
        option("datadir", &folder.join("data")),
        option("socket", &folder.join("data/socket")),
        option("pid-file", &folder.join("data/pid")),
        option("init-file", &grants),
        format!("--port={port}").into(),
        "--bind-address=127.0.0.1".into(),
        "--skip-name-resolve".into(),
        "--skip-log-bin".into(),
        "--max-connections=300".into(),
        "--character-set-server=utf8mb4".into(),
        "--collation-server=utf8mb4_unicode_ci".into(),
    ])
}

fn option(name: &str, path: &Path) -> OsString {
    let mut text = OsString::from(format!("--{name}="));
    text.push(path);
    text
}
