//! Apps whose client is refused, or whose grants are all refused at once: their connections wait, and keep what they have.

use super::Engine;
use crate::Result;
use crate::loaded::LoadedApp;
use mortise_domain::{AppKey, ConnectionState, ConnectorKey, EventKind, StateReason};
use mortise_store::{Connection, StateChange};
use serde_json::json;
use std::time::Duration;

/// Why an app is held whose grants are refused by the dozen.
pub(super) const WAVE: &str = "invalid_grant_wave";
/// Between two probes of a held app.
pub(super) const PROBE_INTERVAL: Duration = Duration::from_secs(5);

impl Engine {
    /// Nothing is sent or served of a connection whose ciphertext does not authenticate until somebody looks.
    pub(crate) async fn quarantine(&self, row: &Connection) -> Result<()> {
        let (reason, at) = (StateReason::CiphertextRejected, self.seams.ledger.database_now().await?);
        let change = StateChange { to: ConnectionState::Quarantined, reason, at };
        let event = self.event_at(at, EventKind::Quarantined, json!({"generation": row.generation}));
        let (environment, family, generation) = (row.environment, row.family, row.generation);
        let ledger = &self.seams.ledger;
        ledger.connection_set_state(environment, row.id, family, generation, change, event).await?;
        metrics::counter!("mortise_quarantined_total").increment(1);
        Ok(())
    }

    pub(super) async fn hold(&self, app: &LoadedApp, reason: &str) -> Result<()> {
        let now = self.seams.clock.now();
        if self.seams.ledger.app_hold(app.app.key, reason, now, now + PROBE_INTERVAL).await? {
            tracing::error!(app = %app.app.id, reason, "the app is held: its refreshes wait until a probe succeeds");
            metrics::counter!("mortise_apps_held_total", "reason" => reason.to_owned()).increment(1);
        }
        self.seams.apps.forget(&app.app).await;
        Ok(())
    }

    /// Lets a held app go; what became overdue meanwhile does not come all at once.
    pub(super) async fn release(&self, app: AppKey, provider: ConnectorKey) -> Result<()> {
        if self.seams.ledger.app_release(app).await? {
            tracing::info!(%app, "the provider accepts the app again");
            self.take_apart(provider);
        }
        Ok(())
    }
}
