//! What the database had and may have forgotten: a failover to a replica that lagged behind drops the last commits, and a
//! pair that was dropped is the only one that its provider still takes.
//!
//! So after an outage, and at every start, what was settled in the last ten minutes is compared with the rows and stored
//! again where it is missing. Invariant: where the commit was kept nothing changes, and nothing is revoked: what the row
//! says since is newer than this.

use super::replay::{AT_ONCE, by_connection};
use super::{Entry, SpilledGrant, SpilledRefresh};
use crate::{Broker, Error, Result, timeline};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use mortise_domain::EventKind;
use mortise_store::{CommitOutcome, TokenRow};
use std::sync::PoisonError;

impl Broker {
    /// Follows an outage up once the database answers again.
    pub(super) async fn review_after_outage(&self) -> Result<()> {
        let seen = self.engine.outage_seen();
        if *self.replays.reviewed.lock().unwrap_or_else(PoisonError::into_inner) == seen {
            return Ok(());
        }
        self.engine.noted(self.store.ping().await.map_err(Into::into))?;
        self.replay_recent().await?;
        *self.replays.reviewed.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        Ok(())
    }

    /// Stores what the database had been given in the last ten minutes and does not have. Answers how much that was.
    pub(crate) async fn replay_recent(&self) -> Result<usize> {
        let (mut restored, mut after) = (0, None);
        loop {
            let page = match self.spill.recent(after).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(%error, "what was stored of late cannot be read in the spill folder");
                    break;
                }
            };
            let entries = page.entries.iter().filter_map(|bytes| Some((Entry::from_bytes(bytes).ok()?, ())));
            let reviewed = by_connection(entries.collect()).into_iter().map(|entries| self.review(entries));
            let reviewed = stream::iter(reviewed).buffer_unordered(AT_ONCE);
            restored += reviewed.try_fold(0, async |sum, restored| Ok(sum + restored)).await?;
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        if restored > 0 {
            tracing::error!(restored, "the database had forgotten grants that it had confirmed: they are stored again");
            metrics::counter!("mortise_spill_restored_total").increment(restored as u64);
        }
        Ok(restored)
    }

    /// The entries of one connection, oldest first. If the row has the newest, it had the others.
    async fn review(&self, entries: Vec<(Entry, ())>) -> Result<usize> {
        let Some((newest, ())) = entries.last() else { return Ok(0) };
        if self.has(newest).await? {
            return Ok(0);
        }
        let mut restored = 0;
        for (entry, ()) in entries {
            let again = match &entry {
                Entry::Refresh(pair) => self.restore_pair(pair).await,
                Entry::Grant(grant) => self.restore_grant(grant).await,
            };
            match again {
                Ok(news) => restored += usize::from(news),
                Err(error @ Error::Unavailable(_)) => return Err(error),
                Err(error) => {
                    tracing::warn!(connection = %entry.connection(), error = ?error, "a grant that was stored before cannot be compared");
                }
            }
        }
        Ok(restored)
    }

    pub(crate) async fn has(&self, entry: &Entry) -> Result<bool> {
        let row = self.store.connection_token_row(entry.environment(), entry.connection()).await;
        let row = self.engine.noted(row.map_err(Into::into))?;
        Ok(row.is_some_and(|row| match entry {
            Entry::Refresh(pair) => has_pair(&row, pair),
            Entry::Grant(grant) => has_grant(&row, grant),
        }))
    }

    /// A pair that has no place was told of when it was settled: as a late reply, or as a double refresh.
    pub(crate) async fn restore_pair(&self, pair: &SpilledRefresh) -> Result<bool> {
        let now = self.store.database_now().await?;
        let event = timeline::line_at(now, &*self.entropy, EventKind::Recovered, pair.detail.clone());
        let stored = self.store.refresh_commit(&pair.result(), event).await;
        Ok(self.engine.noted(stored.map_err(Into::into))? == CommitOutcome::Committed)
    }

    /// A grant whose place has been taken since was stored once: what came after it is right.
    pub(crate) async fn restore_grant(&self, grant: &SpilledGrant) -> Result<bool> {
        match self.commit_grant(grant).await {
            Ok(()) => Ok(true),
            Err(Error::Stale(_) | Error::NotFound(_) | Error::Exists(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Exactly this pair. Whether an older one was the row's ancestor only the timeline knows.
fn has_pair(row: &TokenRow, pair: &SpilledRefresh) -> bool {
    let at = row.refreshed_at.map(|at| at.timestamp_millis());
    (row.family, row.generation) == (pair.family, pair.parent_generation + 1)
        && at == Some(pair.refreshed_at.timestamp_millis())
}

fn has_grant(row: &TokenRow, grant: &SpilledGrant) -> bool {
    row.generation >= grant.generation
}
