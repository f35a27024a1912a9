//! The seam: what a refresh needs of the place that keeps grants until the database has them.
//!
//! Entries are bytes here: what is in them is `entry.rs`'s business, so that a simulation and the disk keep the same.

use async_trait::async_trait;
use std::fmt::Debug;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How long a settled entry is kept: for a database whose failover forgets the last commits.
pub(crate) const KEPT: Duration = Duration::from_secs(600);

/// Where grants wait for the database. The real side is [`SpillLog`](crate::SpillLog), the scripted one
/// [`MemorySpill`](crate::MemorySpill).
#[async_trait]
pub trait Spill: Send + Sync + Debug {
    /// Writes an entry so that a crash right afterwards leaves it whole: the answer comes after the flush, which everybody
    /// shares who waits for one. An error means that nothing may be relied on: the entry may be there or not.
    async fn put(&self, entry: Vec<u8>) -> io::Result<Ticket>;

    /// The database has it. The entry is kept for ten minutes longer, for [`Spill::recent`].
    async fn settle(&self, ticket: Ticket);

    /// This process lets go of it unstored: the next [`Spill::left`] answers it. Dropping the ticket does the same.
    fn let_go(&self, ticket: Ticket) {
        drop(ticket);
    }

    /// Whether this process let go of something that no [`Spill::left`] has answered since. Cheap: asked before every claim.
    fn has_let_go(&self) -> bool;

    /// The entries that nobody is about to store, oldest first: of dead processes, and let go of here. Whoever asks has
    /// them in hand from then on.
    async fn left(&self) -> io::Result<Vec<Left>>;

    /// Settled entries of the last ten minutes, oldest first, a page at a time, so that busy minutes need not fit into
    /// memory. The first page is `recent(None)`. Where the commit was kept, replaying one changes nothing.
    async fn recent(&self, after: Option<u64>) -> io::Result<Recent>;

    /// How many entries are not settled now.
    fn depth(&self) -> usize;

    /// Proves that an entry could be written and flushed, at the start and after a failure; in between it only looks whether
    /// there is room, which is cheap enough for every second.
    async fn prepare(&self) -> io::Result<()>;

    /// Whether a reply that comes now has somewhere to go: what the last [`Spill::prepare`] found, and `false` after a
    /// [`Spill::put`] that failed. Remembered, so for free. No refresh may begin without.
    fn ready(&self) -> bool;
}

/// An entry that this process is about to store. Dropped before it is settled, it is the next replay's.
#[derive(Debug)]
#[must_use = "an entry whose ticket is dropped is let go of"]
pub struct Ticket {
    number: u64,
    keeper: Option<Arc<dyn Keeper>>,
}

/// Who hears of a ticket that was dropped.
pub trait Keeper: Send + Sync + Debug {
    /// Nobody is about to store this entry any more.
    fn let_go(&self, number: u64);
}

impl Ticket {
    /// A ticket for the entry of this number.
    pub fn new(number: u64, keeper: Arc<dyn Keeper>) -> Self {
        Self { number, keeper: Some(keeper) }
    }

    /// The entry's number, for whoever settles it: the keeper is not told.
    pub fn redeem(mut self) -> u64 {
        self.keeper = None;
        self.number
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(keeper) = self.keeper.take() {
            keeper.let_go(self.number);
        }
    }
}

/// An entry that waits for somebody to store it.
#[derive(Debug)]
pub struct Left {
    /// To settle it with.
    pub ticket: Ticket,
    /// What was put.
    pub entry: Vec<u8>,
    /// Where it lies, for logs.
    pub origin: String,
}

/// A page of settled entries.
#[derive(Debug, Default)]
pub struct Recent {
    /// What was put, oldest first.
    pub entries: Vec<Vec<u8>>,
    /// What to ask for the next page with; `None`: this is the last.
    pub next: Option<u64>,
}
