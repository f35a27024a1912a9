//! What is written down of an attempt, and for whom: the row, the timeline, the provider's budgets, metrics and the log.

use super::Drive;
use crate::refresh::core::{Event, Plan};
use crate::refresh::hold::WAVE;
use crate::refresh::{REFRESHED, outcome_word};
use crate::timeline::told;
use crate::{Renewal, Result};
use mortise_domain::{ConnectionState, EventKind, StateReason};
use mortise_oauth::FailureClass;
use mortise_store::{NewEvent, RefreshFailed, StateChange};
use serde_json::json;
use std::time::Duration;

impl Drive<'_> {
    pub(super) async fn record(&mut self, plan: Plan) -> Result<Option<Event>> {
        let row = &self.claimed.connection;
        let mut detail = self.failed(plan.why);
        detail["next_refresh_at"] = json!(told(plan.next));
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
        let ours = self.engine.seams.ledger.refresh_failed(&failed, self.line(plan.kind, detail)).await?;
        Ok(Some(if ours { Event::Recorded } else { outrun() }))
    }

    pub(super) async fn give_up(&mut self, reason: StateReason, why: &str) -> Result<Option<Event>> {
        let reason = if self.was_evicted(reason).await? { StateReason::Evicted } else { reason };
        let (reason, why) = match (&self.credential, reason) {
            (Some(Renewal::Credentials(_)), StateReason::RefreshTokenRejected) => {
                (StateReason::CredentialsRejected, "the provider refuses what the customer gave, and that is believed")
            }
            (_, reason) => (reason, why),
        };
        let mut detail = self.failed(why);
        detail["state_reason"] = json!(reason);
        detail["next_refresh_at"] = json!(null);
        let told = self.change(ConnectionState::NeedsReauth, reason, EventKind::NeedsReauth, detail).await?;
        if reason == StateReason::LostRotation && told == Some(Event::Recorded) {
            self.count_loss("unanswered");
        }
        Ok(told)
    }

    /// Whether a grant that the provider refuses was pushed out: its account has been given as many newer ones as the
    /// provider keeps.
    async fn was_evicted(&self, reason: StateReason) -> Result<bool> {
        let Some(max_live) = self.app.manifest.oauth2().and_then(|auth| auth.max_live) else { return Ok(false) };
        let refused = reason == StateReason::RefreshTokenRejected;
        let newer = self.engine.seams.ledger.account_newer(self.claimed.connection.id);
        Ok(refused && newer.await? >= u64::from(max_live))
    }

    /// Whether a grant may be given up: not while its app is held, for whatever reason.
    pub(super) async fn look_at_app(&self) -> Result<Option<Event>> {
        let (app, held) = (self.claimed.connection.app, self.engine.seams.ledger.apps_held().await?);
        Ok(Some(Event::AppHeld(held.iter().any(|(of, _)| *of == app))))
    }

    pub(super) async fn quarantine(&mut self) -> Result<Option<Event>> {
        let row = &self.claimed.connection;
        tracing::error!(connection = %row.id, "stored credentials do not authenticate: the connection is quarantined");
        metrics::counter!("mortise_quarantined_total").increment(1);
        let mut detail = self.detail("unreadable", "nothing is sent or served until somebody looks");
        detail["generation"] = json!(row.generation);
        detail["next_refresh_at"] = json!(null);
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
        let (event, ledger) = (self.line(kind, detail), &self.engine.seams.ledger);
        let (environment, family, generation) = (row.environment, row.family, row.generation);
        let changed = ledger.connection_set_state(environment, row.id, family, generation, change, event).await?;
        Ok(Some(if changed { Event::Recorded } else { outrun() }))
    }

    /// A refused client is the app's trouble: its connections keep their grants, and one probe at a time finds out when
    /// the client is accepted again.
    pub(super) async fn hold_app(&self) -> Result<()> {
        let reason = self.failure.as_ref().and_then(|failure| failure.error.as_deref()).unwrap_or("invalid_client");
        self.engine.hold(&self.app, reason).await
    }

    /// Counts the answer for metrics and for the provider's budgets.
    pub(super) async fn report(&self, class: Option<FailureClass>) {
        let outcome = class.map_or(REFRESHED, outcome_word);
        let provider = self.app.app.connector_id.to_string();
        metrics::counter!("mortise_refreshes_total", "provider" => provider, "outcome" => outcome).increment(1);
        let failure = self.failure.as_ref().filter(|_| class.is_some());
        if let Some(failure) = failure {
            let (id, app) = (self.claimed.connection.id, &self.app.app.id);
            tracing::warn!(connection = %id, %app, outcome, error = ?failure.error, "a refresh failed");
        }
        self.engine.report(self.claimed, &self.app, failure, self.is_probe()).await;
        if self.is_probe() && class == Some(FailureClass::GrantRejected) {
            self.release_known_client().await;
        }
    }

    /// `invalid_grant` is said to a client that is known (RFC 6749 section 5.2): an app that was held because its client was
    /// refused is let go, whatever becomes of the one grant that was tried. Grants that are refused by the dozen are
    /// another matter. Who cannot be let go now is at the next probe.
    async fn release_known_client(&self) {
        let app = &self.app.app;
        if app.held_reason.as_deref().is_none_or(|reason| reason == WAVE) {
            return;
        }
        if let Err(error) = self.engine.release(app.key, app.connector).await {
            tracing::warn!(app = %app.id, error = ?error, "a held app could not be released");
        }
    }

    /// A pair that neither the disk nor the database has when its process lets go of it.
    pub(super) fn count_what_is_lost(&self) {
        if (self.granted.is_some() || self.alone.is_some()) && self.ticket.is_none() {
            let (id, attempt) = (self.claimed.connection.id, self.claimed.attempt);
            tracing::error!(connection = %id, %attempt, "a pair is lost: neither the disk nor the database took it");
            self.count_loss("unstored");
        }
    }

    fn count_loss(&self, how: &'static str) {
        let provider = self.app.app.connector_id.to_string();
        metrics::counter!("mortise_rotations_lost_total", "provider" => provider, "how" => how).increment(1);
    }

    /// A line of the timeline, after the one that says that the attempt began.
    pub(super) fn line(&self, kind: EventKind, detail: serde_json::Value) -> NewEvent {
        self.engine.event_at(self.moment().now + Duration::from_millis(1), kind, detail)
    }

    pub(super) fn outcome(&self) -> &'static str {
        self.failure.as_ref().map_or("not_sent", |failure| outcome_word(failure.class))
    }

    /// What a line says of an attempt without tokens: what was answered, too.
    pub(super) fn failed(&self, decided: &str) -> serde_json::Value {
        let mut detail = self.detail(self.outcome(), decided);
        if let Some(failure) = &self.failure {
            detail["status"] = json!(failure.status);
            detail["error"] = json!(failure.error);
            detail["what"] = json!(failure.detail);
        }
        detail
    }

    /// What every line of the timeline says.
    pub(super) fn detail(&self, outcome: &str, decided: &str) -> serde_json::Value {
        let mut detail = json!({
            "attempt": self.claimed.attempt,
            "reason": self.cause.reason.as_str(),
            "outcome": outcome,
            "decided": decided,
        });
        if let Some(request) = self.cause.request {
            detail["request_id"] = json!(request);
        }
        // Which of several: without it, the connection's own.
        if let Some(name) = self.several.turn() {
            detail["token"] = json!(name);
        }
        if let Some(took) = self.took {
            detail["duration_ms"] = json!(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        }
        detail
    }
}

/// Somebody else has the claim by now: this process was away for longer than its lease, or was overtaken by a late reply.
fn outrun() -> Event {
    metrics::counter!("mortise_leases_lost_total").increment(1);
    Event::Outrun
}
