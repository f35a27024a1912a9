//! The thread that owns a log's files.
//!
//! It takes whatever orders have come, writes all their entries at once, flushes once, and answers everybody: under load a
//! flush is shared by all who came during the one before. Invariant: nobody else touches a segment that this process holds.

use super::folder;
use super::hand::{Hand, Origin};
use super::segment::{self, Disk, Segment};
use crate::spill::seam::{KEPT, Left, Recent, Ticket};
use mortise_domain::{Clock, Entropy};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use tokio::sync::oneshot;

/// A segment takes no more entries after so many bytes,
const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;
/// or after so long: what is older than that is deleted together.
const SEGMENT_AGE: Duration = Duration::from_secs(60);
/// Most orders that are served with one flush.
const BATCH: usize = 4096;
/// How often an idle log looks for what may go.
const TICK: Duration = Duration::from_secs(10);

/// What the log asks of its thread.
pub(super) enum Order {
    Put { entry: Vec<u8>, answer: oneshot::Sender<io::Result<Ticket>> },
    Settle { number: u64, answer: oneshot::Sender<()> },
    Left { answer: oneshot::Sender<io::Result<Vec<Left>>> },
    Recent { after: Option<u64>, answer: oneshot::Sender<io::Result<Recent>> },
    Prepare { answer: oneshot::Sender<io::Result<()>> },
}

type Waiting = (Vec<u8>, oneshot::Sender<io::Result<Ticket>>);

pub(super) struct Scribe {
    pub(super) folder: PathBuf,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) hand: Arc<Hand>,
    /// The one that takes new entries.
    pub(super) open: Option<u64>,
    /// Every segment whose lock this process has, by its id.
    pub(super) segments: BTreeMap<u64, Segment>,
    /// The newest id, tried or seen: a clock that was set back does not change the order of entries.
    pub(super) newest: u64,
    /// A file without a name, to ask for room with: there since the first proof.
    pub(super) probe: Option<File>,
}

impl Scribe {
    /// Serves until the log is gone.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        loop {
            match orders.recv_timeout(TICK) {
                Ok(first) => self.serve(std::iter::once(first).chain(orders.try_iter()).take(BATCH).collect()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.tidy();
        }
    }

    /// Whoever hung up has no use for an answer; a ticket that nobody takes is let go of.
    fn serve(&mut self, orders: Vec<Order>) {
        let (mut waiting, mut settled, mut settlers, mut others) = (vec![], vec![], vec![], vec![]);
        for order in orders {
            match order {
                Order::Put { entry, answer } => waiting.push((entry, answer)),
                Order::Settle { number, answer } => {
                    settled.extend(self.hand.settle(number));
                    settlers.push(answer);
                }
                other => others.push(other),
            }
        }
        self.settle(settled);
        settlers.into_iter().for_each(|answer| answer.send(()).unwrap_or_default());
        if !waiting.is_empty() {
            self.put(waiting);
        }
        for order in others {
            match order {
                Order::Left { answer } => drop(answer.send(self.left())),
                Order::Recent { after, answer } => drop(answer.send(self.recent(after))),
                Order::Prepare { answer } => drop(answer.send(self.prepare())),
                Order::Put { .. } | Order::Settle { .. } => {}
            }
        }
    }

    fn put(&mut self, waiting: Vec<Waiting>) {
        let (entries, answers): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        match self.write(&entries) {
            Ok((id, sequences)) => {
                for ((entry, answer), sequence) in entries.into_iter().zip(answers).zip(sequences) {
                    drop(answer.send(Ok(self.hand.take(entry, Origin::Segment { id, sequence }))));
                }
            }
            Err(error) => {
                self.hand.ready.store(false, Ordering::SeqCst);
                for answer in answers {
                    drop(answer.send(Err(io::Error::new(error.kind(), error.to_string()))));
                }
            }
        }
    }

    /// Writes the entries behind each other and flushes once.
    fn write(&mut self, entries: &[Vec<u8>]) -> io::Result<(u64, Vec<u64>)> {
        let (now, millis) = (self.clock.monotonic(), self.clock.now().timestamp_millis());
        let id = self.open_segment(now, millis)?;
        let segment = self.segments.get_mut(&id).ok_or(io::ErrorKind::NotFound)?;
        let sequences = segment.next_sequence..segment.next_sequence + entries.len() as u64;
        let records = entries
            .iter()
            .zip(sequences.clone())
            .map(|(entry, sequence)| super::record::entry(sequence, millis, entry).ok_or(io::ErrorKind::FileTooLarge));
        let bytes = records.collect::<Result<Vec<_>, _>>()?.concat();
        if let Err(error) = self.disk.write(&segment.file, &bytes, segment.end) {
            segment.cut();
            return Err(error);
        }
        self.hand.flushes.fetch_add(1, Ordering::SeqCst);
        if let Err(error) = self.disk.flush(&segment.file) {
            // What a failed flush left in the cache may never reach the disk, and a second flush would not say so.
            segment.cut();
            self.open = None;
            return Err(error);
        }
        segment.end += bytes.len() as u64;
        segment.next_sequence = sequences.end;
        segment.unsettled.extend(sequences.clone());
        segment.keep_until = now + KEPT;
        Ok((id, sequences.collect()))
    }

    /// The segment that takes new entries, a new one where the last is full or old.
    fn open_segment(&mut self, now: Duration, millis: i64) -> io::Result<u64> {
        if let Some(id) = self.open
            && let Some(segment) = self.segments.get(&id)
            && segment.end < SEGMENT_BYTES
            && segment.since + SEGMENT_AGE > now
            && !segment.is_deleted()
        {
            return Ok(id);
        }
        self.open = None;
        loop {
            let mut chance = [0; 2];
            self.entropy.fill(&mut chance);
            let id = folder::id_of(millis, chance).max(self.newest.saturating_add(1));
            self.newest = id;
            match segment::create(&*self.disk, self.folder.join(folder::name_of(id)), now) {
                Ok(Some(segment)) => {
                    self.segments.insert(id, segment);
                    self.open = Some(id);
                    return Ok(id);
                }
                // Another process was faster, with the same name or with the lock.
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Notes what the database has. Without a flush: what a crash forgets of it is stored once more, which changes nothing.
    fn settle(&mut self, settled: Vec<Origin>) {
        let (now, millis) = (self.clock.monotonic(), self.clock.now().timestamp_millis());
        let mut records: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        for origin in settled {
            match origin {
                Origin::File(path) => {
                    if let Err(error) = std::fs::remove_file(&path).or_else(folder::absent) {
                        tracing::warn!(path = %path.display(), %error, "a stored grant's spill file could not be removed");
                    }
                }
                Origin::Segment { id, sequence } => {
                    if let Some(segment) = self.segments.get_mut(&id) {
                        segment.unsettled.remove(&sequence);
                        segment.keep_until = now + KEPT;
                        records
                            .entry(id)
                            .or_default()
                            .extend(super::record::settled(sequence, millis).into_iter().flatten());
                    }
                }
            }
        }
        for (id, bytes) in records {
            let Some(segment) = self.segments.get_mut(&id) else { continue };
            match self.disk.write(&segment.file, &bytes, segment.end) {
                Ok(()) => segment.end += bytes.len() as u64,
                Err(error) => {
                    tracing::warn!(%error, "stored grants could not be crossed off in the spill folder; the next start stores them again, which is harmless");
                    segment.cut();
                }
            }
        }
    }

    /// A folder that cannot be read keeps nobody from what was let go of here.
    fn left(&mut self) -> io::Result<Vec<Left>> {
        let adopted = self.adopt();
        let left = self.hand.hand_out();
        match adopted {
            Err(error) if left.is_empty() => Err(error),
            Err(error) => {
                tracing::warn!(%error, "the spill folder cannot be looked through");
                Ok(left)
            }
            Ok(()) => Ok(left),
        }
    }

    /// The first segment behind `after` with settled entries in it.
    fn recent(&self, after: Option<u64>) -> io::Result<Recent> {
        let mut behind = self.segments.iter().filter(|(id, _)| after.is_none_or(|after| **id > after)).peekable();
        while let Some((id, segment)) = behind.next() {
            let entries = segment.settled()?;
            if !entries.is_empty() {
                return Ok(Recent { entries, next: behind.peek().map(|_| *id) });
            }
        }
        Ok(Recent::default())
    }

    /// The whole proof at the start and after a failure; else only whether there is room.
    fn prepare(&mut self) -> io::Result<()> {
        let proved = match &self.probe {
            Some(probe) if self.hand.is_ready() => folder::room(&*self.disk, probe),
            _ => folder::prove(&*self.disk, &self.folder).map(|probe| self.probe = Some(probe)),
        };
        self.hand.ready.store(proved.is_ok(), Ordering::SeqCst);
        proved
    }

    /// Closes what is old, deletes what nobody will ask for.
    fn tidy(&mut self) {
        let now = self.clock.monotonic();
        if self.open.and_then(|id| self.segments.get(&id)).is_some_and(|open| open.since + SEGMENT_AGE <= now) {
            self.open = None;
        }
        let open = self.open;
        self.segments.retain(|id, segment| {
            Some(*id) == open || !segment.unsettled.is_empty() || segment.keep_until > now || !segment.discard()
        });
    }
}
