//! Storing what was let go of, and what a dead process left.
//!
//! Invariants: before this process claims anything, it has stored what it let go of, because what it would claim may be the
//! connection whose new pair lies here; one entry that cannot be stored keeps neither the others nor the process from going
//! on.

use super::{Entry, Left, SpilledGrant, Ticket};
use crate::{Broker, Error, Result, timeline};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use mortise_domain::ConnectionId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How many connections are brought up to date at once.
pub(super) const AT_ONCE: usize = 8;
/// How often a process without the worker's jobs looks whether another one has left something.
const LOOK_ROUND: u32 = 10;

/// What replays remember.
#[derive(Debug, Default)]
pub(crate) struct Replays {
    /// One replay at a time, so that whoever waits for the turn knows that nothing is half done.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// Entries that could not be stored: kept in hand, so that nobody tries them again at every claim.
    stuck: Mutex<Vec<Left>>,
    /// Whether it was told that replies have nowhere to go.
    homeless: AtomicBool,
    /// The last outage that was followed up.
    pub(super) reviewed: Mutex<Option<Duration>>,
}

impl Replays {
    fn stuck(&self) -> std::sync::MutexGuard<'_, Vec<Left>> {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Broker {
    /// Spills a grant and stores it. The answer comes when the database has it.
    pub(crate) async fn spill_then_store(&self, grant: SpilledGrant) -> Result<()> {
        let entry = Entry::Grant(Box::new(grant));
        let ticket = self.spill_entry(&entry).await;
        self.store_entry(&entry).await?;
        if let Some(ticket) = ticket {
            self.spill.settle(ticket).await;
        }
        Ok(())
    }

    /// A full disk must not keep a grant out of the database: the spill is tried, the loss of the second chance is logged.
    pub(crate) async fn spill_entry(&self, entry: &Entry) -> Option<Ticket> {
        let put = match entry.to_bytes() {
            Ok(bytes) => self.spill.put(bytes).await,
            Err(error) => Err(std::io::Error::other(error)),
        };
        put.inspect_err(|error| {
            tracing::error!(%error, "a grant could not be spilled to disk: until it is stored only memory holds it");
            metrics::counter!("mortise_spill_failures_total").increment(1);
        })
        .ok()
    }

    /// Whether a reply that comes now has somewhere to go. Where it has not, no refresh begins.
    pub fn spill_ready(&self) -> bool {
        self.spill.ready()
    }

    /// Stores what the spill holds and nobody is about to store: what an earlier process left, and what this one could not
    /// store while the database was away. Answers how much that was.
    pub async fn replay_spill(&self) -> Result<usize> {
        let _turn = self.replays.turn.lock().await;
        let mut left = self.spill.left().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the spill folder cannot be looked through");
            Vec::new()
        });
        left.append(&mut self.replays.stuck());
        self.replay(left).await
    }

    /// What has to be done before anything is claimed: the same if this process let go of something since, a look whether a
    /// reply would have somewhere to go, and after an outage one at what the database kept.
    pub(crate) async fn replay_what_was_left(&self) -> Result<()> {
        self.prove_spill().await;
        let _turn = self.replays.turn.lock().await;
        if self.spill.has_let_go() {
            let left = self.spill.left().await.unwrap_or_default();
            self.replay(left).await?;
        }
        self.review_after_outage().await
    }

    async fn prove_spill(&self) {
        let proved = self.spill.prepare().await;
        let was_told = self.replays.homeless.swap(proved.is_err(), Ordering::SeqCst);
        match proved {
            Err(error) if !was_told => {
                tracing::error!(%error, "the spill folder cannot be written: no refresh begins until it can");
            }
            Ok(()) if was_told => tracing::warn!("the spill folder can be written again: refreshes go on"),
            Ok(()) | Err(_) => {}
        }
        metrics::gauge!("mortise_spill_ready").set(u8::from(self.spill.ready()));
        metrics::gauge!("mortise_spill_entries").set(u32::try_from(self.spill.depth()).unwrap_or(u32::MAX));
    }

    /// Keeps the folder empty until the process stops: for a process without the worker's jobs.
    pub async fn tend_spill(&self) {
        let mut round = 0;
        while !self.is_draining() {
            tokio::time::sleep(Duration::from_secs(1)).await;
            round = (round + 1) % LOOK_ROUND;
            let mut tended = self.replay_what_was_left().await;
            if round == 0 && tended.is_ok() {
                tended = self.replay_spill().await.map(drop);
            }
            match tended {
                Ok(()) => {}
                Err(Error::Unavailable(error)) => tracing::debug!(%error, "the database is away; grants wait on disk"),
                Err(error) => tracing::error!(error = ?error, "grants on disk could not be stored"),
            }
        }
    }

    /// Several connections at once, the entries of one in their order. What is not reached is let go of again.
    async fn replay(&self, left: Vec<Left>) -> Result<usize> {
        let replayed = by_connection(self.readable(left)).into_iter().map(|entries| self.replay_entries(entries));
        let replayed = stream::iter(replayed).buffer_unordered(AT_ONCE);
        let stored = replayed.try_fold(0, async |sum, stored| Ok(sum + stored)).await?;
        if stored > 0 {
            tracing::warn!(stored, "grants of interrupted attempts were found on disk and stored");
        }
        Ok(stored)
    }

    fn readable(&self, left: Vec<Left>) -> Vec<(Entry, Left)> {
        let mut readable = Vec::new();
        for left in left {
            match Entry::from_bytes(&left.entry) {
                Ok(entry) => readable.push((entry, left)),
                Err(error) => {
                    tracing::error!(origin = left.origin, error = ?error, "a spill file does not read; it is left where it is");
                    self.replays.stuck().push(left);
                }
            }
        }
        readable
    }

    async fn replay_entries(&self, entries: Vec<(Entry, Left)>) -> Result<usize> {
        let mut stored = 0;
        for (entry, left) in entries {
            match self.recover(&entry).await {
                Ok(()) => {
                    self.spill.settle(left.ticket).await;
                    stored += 1;
                }
                Err(error @ Error::Unavailable(_)) => return Err(error),
                Err(error) => {
                    tracing::error!(origin = left.origin, error = ?error, "a grant on disk cannot be stored; it is left where it is");
                    self.replays.stuck().push(left);
                }
            }
        }
        Ok(stored)
    }

    async fn store_entry(&self, entry: &Entry) -> Result<()> {
        match entry {
            Entry::Refresh(pair) => self.engine.recover(pair).await,
            Entry::Grant(grant) => self.commit_grant(grant).await,
        }
    }

    /// Stores what a dead process left. A grant whose place has been taken or has gone belongs to nobody any more: it is
    /// revoked at the provider rather than forgotten.
    async fn recover(&self, entry: &Entry) -> Result<()> {
        match (self.store_entry(entry).await, entry) {
            (Err(Error::Stale(_) | Error::NotFound(_) | Error::Exists(_)), Entry::Grant(grant)) => {
                tracing::warn!(connection = %grant.connection, "a recovered grant has no place any more and is revoked");
                self.revoker.revoke_orphan(grant).await
            }
            (stored, _) => stored,
        }
    }

    pub(super) async fn commit_grant(&self, grant: &SpilledGrant) -> Result<()> {
        // The database's time, like that of the attempts which come after it.
        let now = self.engine.noted(self.store.database_now().await.map_err(Error::from))?;
        let event = timeline::line_at(now, &*self.entropy, grant.event, grant.detail.clone());
        let stored = self.store.connection_store_grant(&grant.row(), event, grant.session).await;
        self.engine.noted(stored.map_err(Into::into))
    }
}

/// Entries by the connection that they are about: the order of each one's is kept.
pub(super) fn by_connection<T>(entries: Vec<(Entry, T)>) -> Vec<Vec<(Entry, T)>> {
    let mut places: HashMap<ConnectionId, usize> = HashMap::new();
    let mut groups: Vec<Vec<(Entry, T)>> = Vec::new();
    for (entry, with) in entries {
        let place = *places.entry(entry.connection()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push((entry, with)),
            None => groups.push(vec![(entry, with)]),
        }
    }
    groups
}
