//! A disk that is small enough to be filled: a folder that one process sees as a file system of a few KiB.
//!
//! It is mounted in a name space of that process, so nobody else sees it and nothing of it is left when the process ends.
//! Root may do so, and elsewhere everybody whom the system gives a user name space.

use crate::{Launch, Process, or_panic, wait};
use anyhow::{Context as _, Result, bail};
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(60);
/// Becomes the program after the file system is there.
const SCRIPT: &str = "mount -t tmpfs -o size=\"$1\"k,mode=700 mortise \"$0\" && shift && exec \"$@\"";

/// The folder, and how much it holds.
#[derive(Debug)]
pub struct SmallDisk {
    folder: tempfile::TempDir,
    kib: u32,
}

impl SmallDisk {
    /// A disk of so many KiB, which the system rounds up to pages of 4.
    ///
    /// # Panics
    /// When there is no room for temporary files.
    pub fn new(kib: u32) -> Self {
        let folder = tempfile::Builder::new().prefix("mortise-disk-").tempdir();
        Self { folder: or_panic(folder.context("no temporary folder")), kib }
    }

    /// The folder, as a process sees it that was launched with [`SmallDisk::apply`]: for its settings.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The same program with this disk, empty. A process that the system does not let mount it says so and ends.
    pub fn apply(&self, launch: Launch) -> Launch {
        let mut arguments = vec!["--mount", "--propagation", "private"];
        if !is_root() {
            arguments.push("--map-root-user");
        }
        let (folder, kib) = (self.path().to_string_lossy().into_owned(), self.kib.to_string());
        arguments.extend(["sh", "-c", SCRIPT, &folder, &kib]);
        launch.through("unshare", arguments)
    }

    /// What a process has on this disk, as everybody can read it while the process runs.
    pub fn seen_by(&self, process: &Process) -> PathBuf {
        let inside = self.path().strip_prefix("/").unwrap_or(self.path());
        Path::new("/proc").join(process.pid().to_string()).join("root").join(inside)
    }

    /// Leaves a process no room at all, but for what it frees itself from now on: done again, this takes that too.
    ///
    /// # Panics
    /// When the process ends before it has the disk.
    pub async fn fill(&self, process: &mut Process) {
        let filled = self.mounted(process).await.and_then(|()| fill(&self.seen_by(process).join(FILLER)));
        or_panic(filled.with_context(|| format!("the disk cannot be filled; the output:\n{}", process.output())));
    }

    /// Gives the room back.
    ///
    /// # Panics
    /// When there is nothing to give back.
    pub fn empty(&self, process: &Process) {
        or_panic(std::fs::remove_file(self.seen_by(process).join(FILLER)).context("the disk cannot be emptied"));
    }

    async fn mounted(&self, process: &mut Process) -> Result<()> {
        let mounts = PathBuf::from(format!("/proc/{}/mounts", process.pid()));
        let name = format!(" {} tmpfs ", self.path().display());
        wait::until(WITHIN, async || {
            if let Some(status) = process.exit_status() {
                bail!("the process ended: {status}");
            }
            Ok(std::fs::read_to_string(&mounts)?.contains(&name).then_some(()))
        })
        .await
    }
}

/// What takes the room.
const FILLER: &str = "filler";

fn fill(path: &Path) -> Result<()> {
    let mut filler = File::options().create(true).append(true).open(path)?;
    loop {
        match filler.write(&[0; 4096]) {
            Ok(1..) => {}
            Ok(0) => bail!("a write wrote nothing"),
            Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
