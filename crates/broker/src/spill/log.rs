//! The real side: segments in a folder.
//!
//! A process appends entries to a segment of its own and crosses off there what the database has. It holds a lock on every
//! segment of its own; a segment that can be locked belongs to a dead process and is taken over. Invariants: an entry is
//! answered for after its flush; a segment goes when all of it is settled and has been for ten minutes.
//! Deliberately absent: what is in an entry, and any secret (entries come sealed).

mod adopt;
mod folder;
mod hand;
mod record;
mod scribe;
mod segment;

use super::seam::{Left, Recent, Spill, Ticket};
use async_trait::async_trait;
use hand::Hand;
use mortise_domain::{Clock, Entropy};
use scribe::{Order, Scribe};
use segment::{Disk, RealDisk};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// The spill folder of one process, or of several. Opens nothing until it is first asked for something; dropped, it closes
/// its files, and what was not settled is the next process's.
pub struct SpillLog {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    disk: Arc<dyn Disk>,
    hand: Arc<Hand>,
    thread: Mutex<Option<(mpsc::Sender<Order>, JoinHandle<()>)>>,
}

impl SpillLog {
    /// The log of `folder`.
    pub fn new(folder: PathBuf, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self::on(Arc::new(RealDisk), folder, clock, entropy)
    }

    fn on(disk: Arc<dyn Disk>, folder: PathBuf, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { folder, clock, entropy, disk, hand: Hand::new(), thread: Mutex::new(None) }
    }

    /// Flushes that entries have waited for since the start: as a rule far fewer than entries.
    pub fn flushes(&self) -> u64 {
        self.hand.flushes.load(Ordering::SeqCst)
    }

    /// The entries of a folder that are not settled, whoever holds them. Changes nothing and takes no lock: for a look from
    /// outside.
    pub fn waiting(folder: &Path) -> io::Result<Vec<Vec<u8>>> {
        let listing = folder::list(folder)?;
        let mut waiting = Vec::new();
        // A file that goes in between has been stored.
        for path in listing.files {
            waiting.extend(std::fs::read(path));
        }
        for id in listing.segments {
            let bytes = std::fs::read(folder.join(folder::name_of(id))).unwrap_or_default();
            waiting.extend(segment::sort_out(&bytes).entries.into_values());
        }
        Ok(waiting)
    }

    /// Everything that a folder still holds, settled or not, whoever holds it. Changes nothing and takes no lock.
    pub fn everything(folder: &Path) -> io::Result<Vec<Vec<u8>>> {
        let listing = folder::list(folder)?;
        let mut all = Vec::new();
        for path in listing.files {
            all.push(std::fs::read(path)?);
        }
        for id in listing.segments {
            all.extend(segment::entries(&std::fs::read(folder.join(folder::name_of(id)))?));
        }
        Ok(all)
    }

    async fn ask<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> io::Result<T> {
        let (answer, answered) = oneshot::channel();
        self.send(order(answer))?;
        answered.await.map_err(|_| gone())
    }

    fn send(&self, order: Order) -> io::Result<()> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            *thread = Some(self.start()?);
        }
        let (orders, _) = thread.as_ref().ok_or_else(gone)?;
        orders.send(order).map_err(|_| gone())
    }

    fn start(&self) -> io::Result<(mpsc::Sender<Order>, JoinHandle<()>)> {
        let (sender, orders) = mpsc::channel();
        let scribe = Scribe {
            folder: self.folder.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            disk: self.disk.clone(),
            hand: self.hand.clone(),
            open: None,
            segments: BTreeMap::new(),
            newest: 0,
            probe: None,
        };
        let thread = std::thread::Builder::new().name("spill".to_owned()).spawn(move || scribe.run(&orders))?;
        Ok((sender, thread))
    }
}

fn gone() -> io::Error {
    io::Error::other("the thread of the spill folder has ended")
}

#[async_trait]
impl Spill for SpillLog {
    async fn put(&self, entry: Vec<u8>) -> io::Result<Ticket> {
        let put = self.ask(|answer| Order::Put { entry, answer }).await;
        if put.is_err() {
            self.hand.ready.store(false, Ordering::SeqCst);
        }
        put?
    }

    async fn settle(&self, ticket: Ticket) {
        let number = ticket.redeem();
        if let Err(error) = self.ask(|answer| Order::Settle { number, answer }).await {
            tracing::warn!(%error, "a stored grant could not be crossed off in the spill folder");
        }
    }

    fn has_let_go(&self) -> bool {
        self.hand.has_let_go()
    }

    async fn left(&self) -> io::Result<Vec<Left>> {
        self.ask(|answer| Order::Left { answer }).await?
    }

    async fn recent(&self, after: Option<u64>) -> io::Result<Recent> {
        self.ask(|answer| Order::Recent { after, answer }).await?
    }

    fn depth(&self) -> usize {
        self.hand.depth()
    }

    async fn prepare(&self) -> io::Result<()> {
        self.ask(|answer| Order::Prepare { answer }).await?
    }

    fn ready(&self) -> bool {
        self.hand.is_ready()
    }
}

impl Drop for SpillLog {
    /// Waits for the thread to have written what was settled and to have closed its files.
    fn drop(&mut self) {
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((orders, thread)) = thread {
            drop(orders);
            if thread.join().is_err() {
                tracing::error!("the thread of the spill folder panicked");
            }
        }
    }
}

impl std::fmt::Debug for SpillLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpillLog").field("folder", &self.folder).field("depth", &self.depth()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
