//! Pairs of attempts that were cut off, found on disk.

use super::Engine;
use crate::Result;
use crate::spill::SpilledRefresh;
use mortise_domain::EventKind;
use mortise_store::CommitOutcome;

impl Engine {
    /// Stores a pair that the spill held, or sends it back where it belongs to nobody any more. Again changes nothing.
    pub async fn recover(&self, pair: &SpilledRefresh) -> Result<()> {
        let now = self.noted(self.seams.ledger.database_now().await.map_err(Into::into))?;
        let event = self.event_at(now, EventKind::Recovered, pair.detail.clone());
        match self.noted(self.seams.ledger.refresh_commit(&pair.result(), event).await.map_err(Into::into))? {
            CommitOutcome::Committed | CommitOutcome::AlreadyCommitted => Ok(()),
            CommitOutcome::GenerationMoved => {
                tracing::error!(connection = %pair.connection, attempt = %pair.attempt, "double refresh: a later generation is stored");
                metrics::counter!("mortise_double_refreshes_total").increment(1);
                Ok(())
            }
            CommitOutcome::FamilyMoved | CommitOutcome::Gone => self.seams.late.revoke(pair).await,
        }
    }
}
