//! Which connections are in use: noted at a fetch, written down an hour apart, so that a fetch writes nothing.

use crate::{Broker, Result};
use mortise_domain::ConnectionId;
use mortise_store::TokenRow;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How exact `used_at` is.
const APART: Duration = Duration::from_secs(3600);
/// The most that are remembered between two writes; who is left out is noted at the next fetch.
const MOST: usize = 10_000;

/// Connections that were fetched from and whose row does not say so yet.
#[derive(Debug, Default)]
pub(crate) struct Uses(Mutex<BTreeSet<ConnectionId>>);

impl Uses {
    /// Remembers a fetch, if the row does not know of one within the hour.
    pub(crate) fn note(&self, row: &TokenRow) {
        if row.used_at.is_some_and(|at| row.now < at + APART) {
            return;
        }
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() < MOST {
            noted.insert(row.id);
        }
    }

    fn take(&self) -> Vec<ConnectionId> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }
}

impl Broker {
    /// Writes them down every few seconds until the process stops: for a process without the worker's jobs.
    pub async fn tend_uses(&self) {
        let mut seconds = 0_u64;
        while !self.is_draining() {
            // A stop need not wait for more than a second.
            tokio::time::sleep(Duration::from_secs(1)).await;
            seconds += 1;
            if !seconds.is_multiple_of(5) {
                continue;
            }
            if let Err(error) = self.write_uses().await {
                tracing::debug!(error = ?error, "uses were not written down");
            }
        }
    }

    /// Writes down which connections were fetched from; answers how many. What a crash loses is noted again at the next
    /// fetch.
    pub async fn write_uses(&self) -> Result<usize> {
        let noted = self.uses.take();
        if !noted.is_empty() {
            self.store.connections_mark_used(&noted, self.clock.now()).await?;
        }
        Ok(noted.len())
    }
}
