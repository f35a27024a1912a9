//! The folder of a log: names, permissions, the proof that it can be written, and what lies in it.

use super::segment::Disk;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// As much as several replies take.
const PROBE_BYTES: usize = 16 * 1024;

/// What a log finds in its folder.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Segments by their ids, so oldest first.
    pub(super) segments: Vec<u64>,
    /// Entries of the version before, a file each, by name.
    pub(super) files: Vec<PathBuf>,
}

/// A segment's file. Its id begins with the time of its making, so that the order of names is the order of time.
pub(super) fn name_of(id: u64) -> String {
    format!("{id:016x}.spill")
}

/// An id for a segment that is made now.
pub(super) fn id_of(millis: i64, chance: [u8; 2]) -> u64 {
    (millis.unsigned_abs() << 16) | u64::from(u16::from_le_bytes(chance))
}

pub(super) fn list(folder: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("spill") if stem.len() == 16 => listing.segments.extend(u64::from_str_radix(stem, 16)),
            Some("json") => listing.files.push(path),
            _ => {}
        }
    }
    listing.segments.sort_unstable();
    listing.files.sort();
    Ok(listing)
}

/// Makes the folder, for its owner only, and proves that it takes what a busy moment puts into it. Answers a file without a
/// name, to ask for [`room`] with.
pub(super) fn prove(disk: &dyn Disk, folder: &Path) -> io::Result<File> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if std::fs::metadata(folder)?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(folder = %folder.display(), "the spill folder is open to other users: chmod 700 closes it");
    }
    let probe = folder.join(".probe");
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&probe)?;
    let proved = disk.write(&file, &[0; PROBE_BYTES], 0).and_then(|()| disk.flush(&file));
    // Another process may be proving the same.
    std::fs::remove_file(&probe).or_else(absent)?;
    proved?;
    file.set_len(0)?;
    Ok(file)
}

/// Whether there is room for as much. Nothing is flushed: file systems refuse what they have no room for when it is written.
pub(super) fn room(disk: &dyn Disk, file: &File) -> io::Result<()> {
    let there = disk.write(file, &[0; PROBE_BYTES], 0);
    file.set_len(0)?;
    there
}

/// A file that is not there needs no removing.
pub(super) fn absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
