//! A wall clock of a process's own, which a test turns while the process runs. Its monotonic clock goes on as it is, as it
//! does when an administrator or NTP sets a machine's clock.

use crate::{Launch, or_panic};
use anyhow::Context as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What is loaded into the process (Debian package `libfaketime`).
pub const JUMP_LIBRARY: &str = "faketime/libfaketime.so.1";

/// The wall clock of the processes that were launched with it.
#[derive(Debug)]
pub struct FakeClock {
    folder: tempfile::TempDir,
    library: PathBuf,
}

impl FakeClock {
    /// A clock that goes right.
    ///
    /// # Panics
    /// When libfaketime is not installed.
    pub fn new() -> Self {
        let library = library().context("libfaketime is not installed: run scripts/install-test-deps");
        let folder = tempfile::Builder::new().prefix("mortise-clock-").tempdir();
        let made = Self { library: or_panic(library), folder: or_panic(folder.context("no temporary folder")) };
        made.set(0);
        made
    }

    /// The same program with this clock for its wall clock.
    pub fn apply(&self, launch: Launch) -> Launch {
        launch
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", self.file())
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("FAKETIME_DONT_RESET", "1")
    }

    /// From now on the clock is so many seconds ahead of the right time, or behind it.
    pub fn set(&self, seconds: i64) {
        // Renamed into place: the process reads it at any time and must never see half of it.
        let written = tempfile::NamedTempFile::new_in(self.folder.path())
            .and_then(|mut file| write!(file, "{seconds:+}").map(|()| file))
            .and_then(|file| file.persist(self.file()).map_err(Into::into));
        or_panic(written.context("the clock cannot be set"));
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("offset")
    }
}

impl Default for FakeClock {
    fn default() -> Self {
        Self::new()
    }
}

/// Debian keeps it in a folder by the machine's architecture, such as `/usr/lib/x86_64-linux-gnu`.
fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let more = [Path::new("/usr/lib").to_owned(), Path::new("/usr/lib64").to_owned()];
    folders.chain(more).map(|folder| folder.join(JUMP_LIBRARY)).find(|path| path.is_file())
}
