//! Taking over what dead processes left: segments that nobody holds the lock of, and files of the version before.

use super::folder;
use super::hand::Origin;
use super::scribe::Scribe;
use super::segment::{self, Segment};
use crate::spill::seam::KEPT;
use std::fs::{OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

impl Scribe {
    /// Takes over what nobody holds. What cannot be read is reported, and keeps nothing else from being found.
    pub(super) fn adopt(&mut self) -> io::Result<()> {
        let listing = folder::list(&self.folder)?;
        for id in listing.segments {
            if !self.segments.contains_key(&id)
                && let Err(error) = self.adopt_segment(id)
            {
                tracing::error!(segment = folder::name_of(id), %error, "a segment of the spill folder cannot be read");
            }
        }
        for path in listing.files.into_iter().filter(|path| !self.hand.knows(path)).collect::<Vec<_>>() {
            match std::fs::read(&path) {
                Ok(entry) => drop(self.hand.take(entry, Origin::File(path))),
                // Another process was faster to store it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => tracing::error!(path = %path.display(), %error, "a spill file cannot be read"),
            }
        }
        Ok(())
    }

    fn adopt_segment(&mut self, id: u64) -> io::Result<()> {
        let path = self.folder.join(folder::name_of(id));
        let mut file = match OpenOptions::new().read(true).write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            // Deleted by whoever held it, between the two steps.
            Ok(()) if file.metadata()?.nlink() == 0 => return Ok(()),
            Ok(()) => {}
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let found = segment::sort_out(&bytes);
        if found.scan.damaged > 0 {
            tracing::error!(path = %path.display(), bytes = found.scan.damaged, "a segment of the spill folder is damaged: what is whole in it is stored");
            metrics::counter!("mortise_spill_damaged_total").increment(1);
        }
        if found.scan.torn > 0 {
            tracing::warn!(path = %path.display(), bytes = found.scan.torn, "a record at the end of a segment was cut off by a crash: nobody was told that it is there");
        }
        let (now, end) = (self.clock.monotonic(), found.scan.end as u64);
        let segment = Segment {
            path,
            file,
            end,
            next_sequence: found.next_sequence,
            unsettled: found.entries.keys().copied().collect(),
            since: now,
            keep_until: now + found.last_millis.map_or(Duration::ZERO, |last| self.still_kept(last)),
            damaged: found.scan.damaged > 0,
        };
        segment.cut();
        self.newest = self.newest.max(id);
        self.segments.insert(id, segment);
        for (sequence, entry) in found.entries {
            drop(self.hand.take(entry, Origin::Segment { id, sequence }));
        }
        Ok(())
    }

    /// How much longer what was last touched then stays. Somebody may have set the clock in between.
    fn still_kept(&self, last_millis: i64) -> Duration {
        let age = self.clock.now().timestamp_millis().saturating_sub(last_millis);
        KEPT.saturating_sub(Duration::from_millis(u64::try_from(age).unwrap_or_default()))
    }
}
