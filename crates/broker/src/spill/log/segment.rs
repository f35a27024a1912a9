//! One segment: a file of records that one process appends to.
//!
//! Invariant: whoever holds a `Segment` holds its lock, and the lock goes with the file handle, so with the process: what
//! can be locked belongs to nobody alive. Writes go to a known position, so that what failed is written over.

use super::record::{self, Record, Scan};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::time::Duration;

/// How bytes get to the disk: a seam of its own for a disk that fails at a moment of a test's choice.
pub(super) trait Disk: Send + Sync {
    fn write(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        file.write_all_at(bytes, at)
    }

    /// Data and length; the time of the last change may come later.
    fn flush(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }
}

/// The operating system's.
#[derive(Debug)]
pub(super) struct RealDisk;

impl Disk for RealDisk {}

/// A segment that this process holds.
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) file: File,
    /// Where the next record goes.
    pub(super) end: u64,
    pub(super) next_sequence: u64,
    /// Sequences of entries that nobody has settled.
    pub(super) unsettled: BTreeSet<u64>,
    /// Monotonic time of the first byte.
    pub(super) since: Duration,
    /// Monotonic time until which it stays although everything in it is settled.
    pub(super) keep_until: Duration,
    /// Holds bytes that were records once: kept for a human.
    pub(super) damaged: bool,
}

impl Segment {
    /// Cuts off what lies behind the last whole record. If that fails, the next record goes over it all the same.
    pub(super) fn cut(&self) {
        if let Err(error) = self.file.set_len(self.end) {
            tracing::debug!(path = %self.path.display(), %error, "a segment of the spill folder could not be cut");
        }
    }

    /// Whether somebody else deleted the file: then what is written to it is gone with its handle.
    pub(super) fn is_deleted(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
    }

    /// The entries that the database was given, oldest first.
    pub(super) fn settled(&self) -> io::Result<Vec<Vec<u8>>> {
        let mut bytes = vec![0; usize::try_from(self.end).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut bytes, 0)?;
        let scan = record::scan(&bytes);
        let settled = scan.records.into_iter().filter_map(|record| match record {
            Record::Entry { sequence, payload, .. } if !self.unsettled.contains(&sequence) => bytes.get(payload),
            Record::Entry { .. } | Record::Settled { .. } => None,
        });
        Ok(settled.map(<[u8]>::to_vec).collect())
    }

    /// Removes the file, or puts it aside where a human should look at it. Whether it is gone.
    pub(super) fn discard(&self) -> bool {
        let gone = match self.damaged {
            true => std::fs::rename(&self.path, self.path.with_extension("damaged")),
            false => std::fs::remove_file(&self.path).or_else(super::folder::absent),
        };
        if let Err(error) = &gone {
            tracing::warn!(path = %self.path.display(), %error, "a spent segment of the spill folder could not be removed");
        }
        gone.is_ok()
    }
}

/// What was found in a segment of a dead process.
pub(super) struct Found {
    /// Entries that nobody settled, with their sequences.
    pub(super) entries: BTreeMap<u64, Vec<u8>>,
    pub(super) next_sequence: u64,
    /// Time of day of the last record.
    pub(super) last_millis: Option<i64>,
    pub(super) scan: Scan,
}

/// A new file, locked. Another process may be faster to lock it, taking it for a dead one's: then there is none.
pub(super) fn create(disk: &dyn Disk, path: PathBuf, now: Duration) -> io::Result<Option<Segment>> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let end = record::MAGIC.len() as u64;
    let (unsettled, damaged) = (BTreeSet::new(), false);
    let segment = Segment { path, file, end, next_sequence: 0, unsettled, since: now, keep_until: now, damaged };
    if let Err(error) = disk.write(&segment.file, record::MAGIC, 0).and_then(|()| flush_folder(disk, &segment.path)) {
        // A full disk is asked again and again: it shall not fill with empty files.
        std::fs::remove_file(&segment.path).unwrap_or_default();
        return Err(error);
    }
    Ok(Some(segment))
}

/// The file's name is as durable as its contents only after this.
fn flush_folder(disk: &dyn Disk, path: &std::path::Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => disk.flush(&File::open(folder)?),
        None => Ok(()),
    }
}

/// Every entry in a segment's bytes, in order.
pub(super) fn entries(bytes: &[u8]) -> Vec<Vec<u8>> {
    let entry = |record: &Record| match record {
        Record::Entry { payload, .. } => bytes.get(payload.clone()).map(<[u8]>::to_vec),
        Record::Settled { .. } => None,
    };
    record::scan(bytes).records.iter().filter_map(entry).collect()
}

/// Sorts out what a segment's bytes say.
pub(super) fn sort_out(bytes: &[u8]) -> Found {
    let scan = record::scan(bytes);
    let (mut entries, mut next_sequence, mut last_millis) = (BTreeMap::new(), 0, None);
    for record in &scan.records {
        let at = match record {
            Record::Entry { sequence, millis, payload } => {
                entries.insert(*sequence, bytes.get(payload.clone()).unwrap_or_default().to_vec());
                next_sequence = next_sequence.max(sequence.saturating_add(1));
                *millis
            }
            Record::Settled { sequence, millis } => {
                entries.remove(sequence);
                *millis
            }
        };
        last_millis = last_millis.max(Some(at));
    }
    Found { entries, next_sequence, last_millis, scan }
}
