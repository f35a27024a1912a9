//! The fenced write of a new pair.

use super::Ended;
use crate::sealing::Place;
use crate::spill::SpilledRefresh;
use crate::{Broker, Result};
use mortise_domain::EventKind;
use mortise_store::{CommitOutcome, RefreshResult};
use serde_json::json;

/// How the pair came to be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// By the attempt that asked for it.
    Direct,
    /// From the spill folder, after the attempt was cut off.
    Spilled,
}

impl Broker {
    /// Writes the pair if the connection still is what the attempt was made for. The lease does not matter: a reply that
    /// comes after it is as good as one before.
    pub(crate) async fn commit_refresh(&self, spilled: &SpilledRefresh, reply: Reply) -> Result<Ended> {
        let kind = match reply {
            Reply::Direct => EventKind::Refreshed,
            Reply::Spilled => EventKind::Recovered,
        };
        let result = RefreshResult {
            environment: spilled.environment,
            id: spilled.connection,
            attempt: spilled.attempt,
            family: spilled.family,
            parent_generation: spilled.parent_generation,
            access: spilled.access.clone(),
            refresh: spilled.refresh.clone(),
            refreshed_at: spilled.refreshed_at,
            expires_at: spilled.expires_at,
            next_refresh_at: spilled.next_refresh_at,
            granted_scopes: spilled.granted_scopes.clone(),
        };
        match self.store.refresh_commit(&result, self.event(kind, spilled.detail.clone())).await? {
            CommitOutcome::Committed => {
                metrics::counter!("mortise_refreshes_total", "outcome" => "refreshed").increment(1);
                Ok(Ended::Refreshed)
            }
            CommitOutcome::AlreadyCommitted => Ok(Ended::Refreshed),
            CommitOutcome::GenerationMoved => {
                // By design no two attempts of one generation overlap; if they ever do, somebody has to know.
                tracing::error!(connection = %spilled.connection, attempt = %spilled.attempt, "double refresh: a later generation is stored");
                metrics::counter!("mortise_double_refreshes_total").increment(1);
                Ok(Ended::Moved)
            }
            CommitOutcome::FamilyMoved | CommitOutcome::Gone => {
                self.revoke_late_reply(spilled).await?;
                Ok(Ended::Moved)
            }
        }
    }

    /// The grant was replaced or ended while its refresh was out: the new pair belongs to nobody and is revoked.
    async fn revoke_late_reply(&self, spilled: &SpilledRefresh) -> Result<()> {
        let Some(row) = self.store.connection_get(spilled.environment, spilled.connection).await? else {
            return Ok(());
        };
        let generation = spilled.parent_generation + 1;
        let place = Place { environment: spilled.environment, connection: spilled.connection, generation };
        let (refresh, access) = self.open_doomed(place, spilled.refresh.as_ref(), Some(&spilled.access)).await?;
        if refresh.is_none() && access.is_none() {
            return Ok(());
        }
        let revocation = self.new_revocation(&row, refresh.as_ref(), access.as_ref()).await?;
        let id = revocation.id;
        let event = self.event(EventKind::LateReply, json!({"attempt": spilled.attempt}));
        self.store.revocation_enqueue(revocation, event).await?;
        self.revoke_soon(vec![id]).await;
        Ok(())
    }
}
