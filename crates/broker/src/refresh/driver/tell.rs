//! What is written down of an attempt, and for whom: the row, the timeline, the provider's budgets, metrics and the log.

use super::Drive;
use crate::Result;
use crate::refresh::core::{Event, Plan};
use crate::refresh::{Reason, outcome_word};
use crate::timeline::told;
use mortise_domain::{ConnectionState, EventKind, StateReason};
use mortise_oauth::FailureClass;
use mortise_store::{RefreshFailed, StateChange};
use serde_json::json;

impl Drive<'_> {
    pub(super) async fn record(&mut self, plan: Plan) -> Result<Option<Event>> {
        let row = &self.claimed.connection;
        let mut detail = self.detail(self.outcome(), plan.why);
        detail["next_refresh_at"] = json!(told(plan.next));
        if let Some(failure) = &self.failure {
            detail["status"] = json!(failure.status);
            detail["error"] = json!(failure.error);
            detail["what"] = json!(failure.detail);
        }
        let failed = RefreshFailed {
            environment: row.environment,
            id: row.id,
            fence: self.claimed.fence,
            next_refresh_at: plan.next,
            failures: i32::try_from(plan.failures).unwrap_or(i32::MAX),
            suspicions: i32::try_from(plan.suspicions).unwrap_or(i32::MAX),
            suspected_at: plan.suspected_at,
            last_error: self
                .failure
                .as_ref()
                .and_then(|failure| failure.error.clone())
                .unwrap_or_else(|| self.outcome().to_owned()),
            doubt: plan.doubt,
        };
        let ours = self.engine.seams.ledger.refresh_failed(&failed, self.engine.event(plan.kind, detail)).await?;
        Ok(Some(if ours { Event::Recorded } else { Event::Outrun }))
    }

    pub(super) async fn give_up(&mut self, reason: StateReason, why: &str) -> Result<Option<Event>> {
        let mut detail = self.detail(self.outcome(), why);
        detail["state_reason"] = json!(reason);
        detail["error"] = json!(self.failure.as_ref().and_then(|failure| failure.error.as_deref()));
        self.change(ConnectionState::NeedsReauth, reason, EventKind::NeedsReauth, detail).await
    }

    pub(super) async fn quarantine(&mut self) -> Result<Option<Event>> {
        let row = &self.claimed.connection;
        tracing::error!(connection = %row.id, "stored credentials do not authenticate: the connection is quarantined");
        metrics::counter!("mortise_quarantined_total").increment(1);
        let detail = json!({"attempt": self.claimed.attempt, "generation": row.generation});
        self.change(ConnectionState::Quarantined, StateReason::CiphertextRejected, EventKind::Quarantined, detail).await
    }

    pub(super) async fn change(
        &self,
        to: ConnectionState,
        reason: StateReason,
        kind: EventKind,
        detail: serde_json::Value,
    ) -> Result<Option<Event>> {
        let row = &self.claimed.connection;
        let change = StateChange { to, reason, at: self.moment().now };
        let (event, ledger) = (self.engine.event(kind, detail), &self.engine.seams.ledger);
        let (environment, family, generation) = (row.environment, row.family, row.generation);
        let changed = ledger.connection_set_state(environment, row.id, family, generation, change, event).await?;
        Ok(Some(if changed { Event::Recorded } else { Event::Outrun }))
    }

    /// A refused client is the app's trouble: its connections keep their grants, and one probe at a time finds out when
    /// the client is accepted again.
    pub(super) async fn hold_app(&self) -> Result<()> {
        let reason = self.failure.as_ref().and_then(|failure| failure.error.as_deref()).unwrap_or("invalid_client");
        self.engine.hold(&self.app, reason).await
    }

    /// Counts the answer for metrics and for the provider's budgets.
    pub(super) async fn report(&self, class: Option<FailureClass>) {
        let outcome = class.map_or("refreshed", outcome_word);
        let provider = self.app.app.connector_id.to_string();
        metrics::counter!("mortise_refreshes_total", "provider" => provider, "outcome" => outcome).increment(1);
        let failure = self.failure.as_ref().filter(|_| class.is_some());
        if let Some(failure) = failure {
            let (id, app) = (self.claimed.connection.id, &self.app.app.id);
            tracing::warn!(connection = %id, %app, outcome, error = ?failure.error, "a refresh failed");
        }
        let probe = self.reason == Reason::Probe;
        self.engine.report(self.claimed, &self.app, failure, probe).await;
    }

    pub(super) fn outcome(&self) -> &'static str {
        self.failure.as_ref().map_or("not_sent", |failure| outcome_word(failure.class))
    }

    /// What every line of the timeline says.
    pub(super) fn detail(&self, outcome: &str, decided: &str) -> serde_json::Value {
        let mut detail = json!({
            "attempt": self.claimed.attempt,
            "reason": self.reason.as_str(),
            "outcome": outcome,
            "decided": decided,
        });
        if let Some(took) = self.took {
            detail["duration_ms"] = json!(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        }
        detail
    }
}
