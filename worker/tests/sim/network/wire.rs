//! One connection, as far as it matters: whether the client is still there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// A connection.
#[derive(Debug, Default)]
pub struct Wire {
    left: AtomicBool,
    leaving: Notify,
}

impl Wire {
    /// An open one.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The client closes it.
    pub fn leave(&self) {
        self.left.store(true, Ordering::SeqCst);
        self.leaving.notify_one();
    }

    /// Whether the client has closed it.
    pub fn is_left(&self) -> bool {
        self.left.load(Ordering::SeqCst)
    }

    /// Returns when the client has closed it.
    pub async fn left(&self) {
        while !self.is_left() {
            self.leaving.notified().await;
        }
    }
}
