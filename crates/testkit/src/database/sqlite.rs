//! SQLite: the migrated file is copied.

use super::{Content, FINGERPRINT, Place, TestDatabase, migrate};
use crate::{Backend, servers};
use anyhow::{Context as _, Result};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

pub(super) fn file_in(folder: &Path) -> PathBuf {
    folder.join("mortise.db")
}

pub(super) async fn make(content: Content) -> Result<TestDatabase> {
    let folder = tempfile::Builder::new().prefix("mortise-sqlite-").tempdir()?;
    let file = file_in(folder.path());
    if content == Content::Migrated {
        fs::copy(template().await?, &file).context("the template cannot be copied")?;
    }
    Ok(TestDatabase { backend: Backend::Sqlite, url: url(&file), place: Place::File(folder) })
}

fn url(file: &Path) -> String {
    format!("sqlite://{}?mode=rwc", file.display())
}

async fn template() -> Result<PathBuf> {
    let folder = servers::shared_folder()?.join("sqlite");
    let finished = folder.join(format!("{FINGERPRINT}.db"));
    if finished.exists() {
        return Ok(finished);
    }
    fs::create_dir_all(&folder)?;
    let lock = File::options().create(true).append(true).open(folder.join("template.lock"))?;
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;
    if !finished.exists() {
        let building = folder.join("building.db");
        for suffix in ["", "-wal", "-shm"] {
            drop(fs::remove_file(folder.join(format!("building.db{suffix}"))));
        }
        migrate(&url(&building)).await?;
        fs::rename(&building, &finished)?;
    }
    drop(lock);
    Ok(finished)
}
