//! What of a log lies in memory: the entries that are not settled, and who is about to store them.

use crate::spill::seam::{Keeper, Left, Ticket};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where an entry lies. The order is the one in which entries are handed out: those of the version before come first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// A file of its own, as the version before wrote them.
    File(PathBuf),
    /// A record of a segment.
    Segment { id: u64, sequence: u64 },
}

/// An entry that is not settled.
#[derive(Debug)]
struct Held {
    entry: Vec<u8>,
    origin: Origin,
}

#[derive(Debug, Default)]
struct Entries {
    held: BTreeMap<u64, Held>,
    let_go: BTreeSet<u64>,
    last: u64,
}

/// Shared by the log, its thread and its tickets.
#[derive(Debug)]
pub(super) struct Hand {
    entries: Mutex<Entries>,
    pub(super) ready: AtomicBool,
    /// Flushes that entries waited for.
    pub(super) flushes: AtomicU64,
}

impl Keeper for Hand {
    fn let_go(&self, number: u64) {
        let mut entries = self.lock();
        if entries.held.contains_key(&number) {
            entries.let_go.insert(number);
        }
    }
}

impl Hand {
    pub(super) fn new() -> Arc<Self> {
        let (entries, flushes) = (Mutex::default(), AtomicU64::new(0));
        Arc::new(Self { entries, ready: AtomicBool::new(true), flushes })
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn depth(&self) -> usize {
        self.lock().held.len()
    }

    pub(super) fn has_let_go(&self) -> bool {
        !self.lock().let_go.is_empty()
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::SeqCst)
    }

    /// Takes an entry into somebody's hand.
    pub(super) fn take(self: &Arc<Self>, entry: Vec<u8>, origin: Origin) -> Ticket {
        let mut entries = self.lock();
        entries.last += 1;
        let number = entries.last;
        entries.held.insert(number, Held { entry, origin });
        Ticket::new(number, self.clone())
    }

    /// Whether the entry of this file is known.
    pub(super) fn knows(&self, path: &PathBuf) -> bool {
        self.lock().held.values().any(|held| matches!(&held.origin, Origin::File(known) if known == path))
    }

    /// Forgets an entry; answers where it lies.
    pub(super) fn settle(&self, number: u64) -> Option<Origin> {
        let mut entries = self.lock();
        entries.let_go.remove(&number);
        entries.held.remove(&number).map(|held| held.origin)
    }

    /// Everything that was let go of, in somebody's hand from now on.
    pub(super) fn hand_out(self: &Arc<Self>) -> Vec<Left> {
        let mut entries = self.lock();
        let numbers: Vec<_> = std::mem::take(&mut entries.let_go).into_iter().collect();
        let mut out: Vec<_> =
            numbers.into_iter().filter_map(|number| Some((number, entries.held.get(&number)?))).collect();
        out.sort_by(|(_, one), (_, other)| one.origin.cmp(&other.origin));
        let left = |(number, held): (u64, &Held)| Left {
            ticket: Ticket::new(number, self.clone()),
            entry: held.entry.clone(),
            origin: held.origin.to_string(),
        };
        out.into_iter().map(left).collect()
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Segment { id, sequence } => write!(f, "{}, entry {sequence}", super::folder::name_of(*id)),
        }
    }
}
