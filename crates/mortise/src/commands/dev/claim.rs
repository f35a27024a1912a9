//! One `mortise dev` a data folder: two of them would hand out each other's links and renew the sandbox's tokens against
//! each other's state file.

use anyhow::{Context as _, bail};
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Claims the folder for as long as the value lives. The system lets go when the process ends, however it ends.
pub(super) fn folder(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = file.with_context(|| format!("--data-dir: {} cannot be written", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "--data-dir: another `mortise dev` is running on {}: stop it, or start this one with a --data-dir, --listen and \
             --sandbox-listen of its own",
            folder.display()
        ),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("--data-dir: {}", path.display())),
    }
}
