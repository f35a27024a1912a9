//! The account that a database server runs as: PostgreSQL refuses to run as root.

use anyhow::{Context as _, Result, anyhow};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// Nobody special, or the ids to change to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account(Option<(u32, u32)>);

/// The user id of this process.
pub(crate) fn current_uid() -> Result<u32> {
    Ok(fs::metadata("/proc/self").context("/proc is not mounted")?.uid())
}

impl Account {
    /// The named account when the tests run as root, the current one otherwise.
    pub fn for_server(name: &str) -> Result<Self> {
        if current_uid()? != 0 {
            return Ok(Self(None));
        }
        let passwd = fs::read_to_string("/etc/passwd")?;
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name));
        let mut fields = line.ok_or_else(|| super::missing(&format!("the account {name}")))?.split(':').skip(2);
        let mut id =
            || fields.next().and_then(|field| field.parse().ok()).ok_or_else(|| anyhow!("/etc/passwd: {name}"));
        Ok(Self(Some((id()?, id()?))))
    }

    /// Makes the account the owner of a folder.
    pub fn give(&self, path: &Path) -> Result<()> {
        if let Some((uid, gid)) = self.0 {
            chown(path, Some(uid), Some(gid)).with_context(|| format!("{} cannot change owner", path.display()))?;
        }
        Ok(())
    }

    /// Lets a command run as the account.
    pub fn apply<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        if let Some((uid, gid)) = self.0 {
            command.uid(uid).gid(gid);
        }
        command
    }
}
