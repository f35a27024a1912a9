//! One process's way to its machine's disk.

use crate::dice::Dice;
use crate::life::Life;
use crate::scenario::Bug;
use crate::seals::Strongbox;
use crate::trace::{Trace, What};
use async_trait::async_trait;
use mortise_broker::{Entry, Left, MemorySpill, Place, Recent, Spill, Ticket};
use mortise_sandbox::TokenId;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The disk as one process sees it.
pub struct ProcessSpill {
    pub disk: MemorySpill,
    /// What takes entries and is never asked for them.
    pub abyss: MemorySpill,
    pub life: Arc<Life>,
    pub trace: Arc<Trace>,
    pub boxed: Arc<Strongbox>,
    pub dice: Dice,
    pub bug: Option<Bug>,
    /// Its process often dies with a pair on the disk that is not in the books.
    pub hasty: bool,
}

impl std::fmt::Debug for ProcessSpill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProcessSpill").field("process", &self.life.number).finish_non_exhaustive()
    }
}

impl ProcessSpill {
    async fn flush(&self) {
        tokio::time::sleep(self.dice.time(Duration::ZERO, Duration::from_millis(30))).await;
    }

    fn note(&self, entry: &[u8], kept: bool) {
        let Ok(Entry::Refresh(pair)) = Entry::from_bytes(entry) else { return };
        let generation = pair.parent_generation + 1;
        let place = Place { environment: pair.environment, connection: pair.connection, generation };
        let refresh = self.boxed.refresh(place, pair.refresh.as_ref());
        self.trace.note(What::Spilled {
            process: self.life.number,
            connection: pair.connection,
            generation,
            refresh: refresh.map(|token| TokenId::of(token.expose())),
            kept,
        });
    }
}

#[async_trait]
impl Spill for ProcessSpill {
    async fn put(&self, entry: Vec<u8>) -> io::Result<Ticket> {
        self.life.risk().await;
        let disk = if self.bug == Some(Bug::SpillForgets) { &self.abyss } else { &self.disk };
        let put = disk.put(entry.clone()).await;
        self.note(&entry, put.is_ok());
        self.flush().await;
        if self.hasty && self.dice.chance(0.04) {
            self.life.end();
        }
        self.life.risk().await;
        put
    }

    async fn settle(&self, ticket: Ticket) {
        self.life.risk().await;
        let disk = if self.bug == Some(Bug::SpillForgets) { &self.abyss } else { &self.disk };
        disk.settle(ticket).await;
        self.life.risk().await;
    }

    fn has_let_go(&self) -> bool {
        self.bug != Some(Bug::NothingReplayed) && self.disk.has_let_go()
    }

    async fn left(&self) -> io::Result<Vec<Left>> {
        self.life.risk().await;
        if self.bug == Some(Bug::NothingReplayed) {
            return Ok(Vec::new());
        }
        self.disk.left().await
    }

    async fn recent(&self, after: Option<u64>) -> io::Result<Recent> {
        self.life.risk().await;
        self.disk.recent(after).await
    }

    fn depth(&self) -> usize {
        self.disk.depth()
    }

    async fn prepare(&self) -> io::Result<()> {
        self.life.risk().await;
        self.flush().await;
        self.disk.prepare().await
    }

    fn ready(&self) -> bool {
        self.disk.ready()
    }
}
