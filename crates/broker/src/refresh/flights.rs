//! The refreshes of this process: any number of callers wait for one.

use super::Ended;
use mortise_domain::ConnectionId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, watch};

/// What a waiter is told; `None` until the flight has landed.
pub(crate) type Landing = watch::Receiver<Option<Ended>>;

/// Flights by connection, with the generation that each one refreshes.
type Open = Arc<Mutex<HashMap<ConnectionId, (i64, Landing)>>>;

/// The flights of a process.
#[derive(Default)]
pub(crate) struct Flights {
    closed: AtomicBool,
    open: Open,
    landings: Arc<Notify>,
}

/// A place in the list; leaving it, even by a panic, tells those who wait.
pub(crate) struct Flight {
    id: ConnectionId,
    sender: watch::Sender<Option<Ended>>,
    open: Open,
    landings: Arc<Notify>,
}

/// What `join` found.
pub(crate) enum Joined {
    /// Somebody is at it, and refreshes that generation: wait.
    Waits(i64, Landing),
    /// Nobody is: the caller flies, and others may wait.
    Flies(Flight, Landing),
    /// The process is stopping.
    Closed,
}

impl Flights {
    /// Joins the flight of `id`, or begins one, of `generation`.
    pub(crate) fn join(&self, id: ConnectionId, generation: i64) -> Joined {
        if self.closed.load(Ordering::SeqCst) {
            return Joined::Closed;
        }
        let mut list = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, landing)) = list.get(&id) {
            return Joined::Waits(*of, landing.clone());
        }
        let (sender, landing) = watch::channel(None);
        list.insert(id, (generation, landing.clone()));
        let (open, landings) = (self.open.clone(), self.landings.clone());
        Joined::Flies(Flight { id, sender, open, landings }, landing)
    }

    /// Returns at the next landing.
    pub(crate) async fn next_landing(&self) {
        self.landings.notified().await;
    }

    /// No flight begins after this.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// How many are in the air.
    pub(crate) fn count(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether none may begin any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }
}

impl Flight {
    /// Tells every waiter. The list lets go first, so that whoever asks from now on gets a flight of its own.
    pub(crate) fn land(self, ended: Ended) {
        self.leave();
        self.sender.send_replace(Some(ended));
    }

    fn leave(&self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        self.landings.notify_one();
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // After `land` another flight may stand in the list: only an unlanded one takes its place out.
        if self.sender.borrow().is_none() {
            self.leave();
            self.sender.send_replace(Some(Ended::Abandoned));
        }
    }
}

/// Waits for the landing.
pub(crate) async fn landed(mut landing: Landing) -> Option<Ended> {
    landing.wait_for(Option::is_some).await.ok().and_then(|ended| ended.clone())
}
