//! The scripted side: a spill in memory that survives the crash of the process that wrote it.
//!
//! Invariant: it keeps the seam's promises, and only those; what [`SpillLog`](crate::SpillLog) happens to do better (a
//! settled entry that a power failure spares) it can be told not to. Deliberately absent: delays, threads, chance.

use super::seam::{KEPT, Keeper, Left, Recent, Spill, Ticket};
use async_trait::async_trait;
use mortise_domain::Clock;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Entries on a page of [`Spill::recent`].
const PAGE: usize = 64;

/// One process's side of a disk in memory.
#[derive(Clone)]
pub struct MemorySpill {
    process: Arc<Process>,
    clock: Arc<dyn Clock>,
    ready: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Process {
    id: u64,
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug, Default)]
struct Disk {
    entries: BTreeMap<u64, Kept>,
    /// What was settled, in that order.
    settled: VecDeque<u64>,
    /// What was settled since something was flushed.
    unflushed: Vec<u64>,
    last: u64,
    alive: BTreeSet<u64>,
    processes: u64,
    full: bool,
}

#[derive(Debug)]
struct Kept {
    entry: Vec<u8>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the hand of that process, as long as it lives.
    Held(u64),
    LetGo(u64),
    Settled(Duration),
}

impl MemorySpill {
    /// A disk of its own, and the first process that uses it.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::on(Arc::default(), clock)
    }

    fn on(disk: Arc<Mutex<Disk>>, clock: Arc<dyn Clock>) -> Self {
        let id = {
            let mut disk = disk.lock().unwrap_or_else(PoisonError::into_inner);
            disk.processes += 1;
            let id = disk.processes;
            disk.alive.insert(id);
            id
        };
        Self { process: Arc::new(Process { id, disk }), clock, ready: Arc::new(AtomicBool::new(true)) }
    }

    /// Another process with the same disk: beside this one, or after it.
    #[must_use]
    pub fn another(&self) -> Self {
        Self::on(self.process.disk.clone(), self.clock.clone())
    }

    /// The process dies: what it held is anybody's, and nothing that it still does counts.
    pub fn crash(&self) {
        self.process.lock().alive.remove(&self.process.id);
    }

    /// The machine loses its power: what was settled after the last entry was flushed is not known to be.
    pub fn lose_power(&self) {
        let mut disk = self.process.lock();
        disk.alive.clear();
        for number in std::mem::take(&mut disk.unflushed) {
            if let Some(kept) = disk.entries.get_mut(&number) {
                kept.state = State::LetGo(0);
            }
        }
    }

    /// Whether the disk takes no more entries.
    pub fn set_full(&self, full: bool) {
        self.process.lock().full = full;
    }
}

impl Process {
    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_dead(&self, disk: &Disk) -> bool {
        !disk.alive.contains(&self.id)
    }
}

impl Disk {
    fn forget_what_is_old(&mut self, now: Duration) {
        while let Some(number) = self.settled.front() {
            match self.entries.get(number).map(|kept| kept.state) {
                Some(State::Settled(at)) if at + KEPT > now => return,
                Some(State::Settled(_)) => drop(self.entries.remove(number)),
                // A power failure took the mark away.
                Some(State::Held(_) | State::LetGo(_)) | None => {}
            }
            self.settled.pop_front();
        }
    }
}

impl Keeper for Process {
    fn let_go(&self, number: u64) {
        let mut disk = self.lock();
        let held = disk.entries.get_mut(&number).filter(|kept| kept.state == State::Held(self.id));
        if let Some(kept) = held {
            kept.state = State::LetGo(self.id);
        }
    }
}

#[async_trait]
impl Spill for MemorySpill {
    async fn put(&self, entry: Vec<u8>) -> io::Result<Ticket> {
        let mut disk = self.process.lock();
        if disk.full || self.process.is_dead(&disk) {
            self.ready.store(false, Ordering::SeqCst);
            return Err(if disk.full { io::ErrorKind::StorageFull } else { io::ErrorKind::BrokenPipe }.into());
        }
        disk.unflushed.clear();
        disk.last += 1;
        let (number, state) = (disk.last, State::Held(self.process.id));
        disk.entries.insert(number, Kept { entry, state });
        Ok(Ticket::new(number, self.process.clone()))
    }

    async fn settle(&self, ticket: Ticket) {
        let mut disk = self.process.lock();
        let (number, at) = (ticket.redeem(), self.clock.monotonic());
        if self.process.is_dead(&disk) {
            return;
        }
        if let Some(kept) = disk.entries.get_mut(&number) {
            kept.state = State::Settled(at);
            disk.settled.push_back(number);
            disk.unflushed.push(number);
        }
        disk.forget_what_is_old(at);
    }

    fn has_let_go(&self) -> bool {
        self.process.lock().entries.values().any(|kept| kept.state == State::LetGo(self.process.id))
    }

    async fn left(&self) -> io::Result<Vec<Left>> {
        let mut guard = self.process.lock();
        let disk = &mut *guard;
        let mut left = Vec::new();
        for (number, kept) in &mut disk.entries {
            let nobodys = match kept.state {
                State::Held(process) => !disk.alive.contains(&process),
                State::LetGo(process) => process == self.process.id || !disk.alive.contains(&process),
                State::Settled(_) => false,
            };
            if nobodys {
                kept.state = State::Held(self.process.id);
                let ticket = Ticket::new(*number, self.process.clone());
                left.push(Left { ticket, entry: kept.entry.clone(), origin: format!("memory, entry {number}") });
            }
        }
        Ok(left)
    }

    async fn recent(&self, after: Option<u64>) -> io::Result<Recent> {
        let (disk, now) = (self.process.lock(), self.clock.monotonic());
        let settled = disk.entries.iter().filter(|(number, kept)| {
            after.is_none_or(|after| **number > after) && matches!(kept.state, State::Settled(at) if at + KEPT > now)
        });
        let page: Vec<_> = settled.take(PAGE).map(|(number, kept)| (*number, kept.entry.clone())).collect();
        let next = page.last().filter(|_| page.len() == PAGE).map(|(number, _)| *number);
        Ok(Recent { entries: page.into_iter().map(|(_, entry)| entry).collect(), next })
    }

    fn depth(&self) -> usize {
        let settled = |kept: &&Kept| matches!(kept.state, State::Settled(_));
        self.process.lock().entries.values().filter(|kept| !settled(kept)).count()
    }

    async fn prepare(&self) -> io::Result<()> {
        let full = self.process.lock().full;
        self.ready.store(!full, Ordering::SeqCst);
        if full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn ready(&self) -> bool {
        self.ready.load(Ordering::SeqCst)
    }
}

impl std::fmt::Debug for MemorySpill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemorySpill").field("process", &self.process.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
