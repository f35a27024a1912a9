//! The flight of one request, from its arrival until its reply has left or was broken off.

use crate::ledger::TokenId;
use crate::shared::Shared;
use std::sync::Arc;

/// A request in flight; letting go of it ends the flight.
pub struct Arrival {
    pub shared: Arc<Shared>,
    pub id: u64,
    exchanged: Option<TokenId>,
    delivered: usize,
    replied: bool,
}

impl Arrival {
    /// Request `id`, which exchanges this refresh token, if it does.
    pub fn new(shared: Arc<Shared>, id: u64, exchanged: Option<TokenId>) -> Self {
        Self { shared, id, exchanged, delivered: 0, replied: false }
    }

    /// So much more of the body was handed to the connection.
    pub fn delivered(&mut self, bytes: usize) {
        self.delivered += bytes;
    }

    /// All of the reply was handed to the connection: the flight ends before its client can send the next request.
    pub fn replied(&mut self) {
        self.replied = true;
        self.land();
    }

    fn land(&mut self) {
        let now = self.shared.stamp();
        let mut state = self.shared.lock();
        if let Some(token) = self.exchanged.take() {
            state.leave(token, self.id);
        }
        if let Some(record) = state.log.get_mut(self.id) {
            record.closed_us.get_or_insert(now.us);
            record.bytes_delivered = u64::try_from(self.delivered).unwrap_or(u64::MAX);
            if self.replied && record.replied_at_ms.is_none() {
                record.replied_at_ms = Some(now.ms);
                record.replied_us = Some(now.us);
            }
            if record.outcome == "in_progress" {
                record.outcome = "not_processed";
            }
        }
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        if !self.replied {
            self.land();
        }
    }
}
