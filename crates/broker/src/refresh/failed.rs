//! What a failed attempt means for its connection.

use super::Ended;
use super::drive::may_have_spent;
use crate::loaded::LoadedApp;
use crate::{Broker, Error, Result};
use mortise_connectors::RecoveryClass;
use mortise_domain::{AppId, ConnectionState, EventKind, StateReason, Timestamp, backoff};
use mortise_oauth::{Failure, FailureClass};
use mortise_store::{Claimed, Connection, Doubt, RefreshFailed, StateChange};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Between two probes of a held app.
pub(super) const PROBE_INTERVAL: Duration = Duration::from_secs(5);
/// Class F asks a second time this long before the served token ends: a reuse that trips the provider's detector ends
/// that token too.
const LATE_RETRY_LEAD: Duration = Duration::from_secs(60);

impl Broker {
    pub(super) async fn failed(
        &self,
        claimed: &Claimed,
        app: &LoadedApp,
        failure: Failure,
        detail: serde_json::Value,
    ) -> Result<Ended> {
        let outcome = outcome_word(failure.class);
        metrics::counter!("mortise_refreshes_total", "outcome" => outcome).increment(1);
        tracing::warn!(connection = %claimed.connection.id, app = %app.app.id, outcome, error = ?failure.error, "a refresh failed");
        match failure.class {
            FailureClass::GrantRejected => {
                let lost = claimed.interrupted.is_some() && may_have_spent(app.manifest.auth.recovery_class);
                let reason = if lost { StateReason::LostRotation } else { StateReason::RefreshTokenRejected };
                self.needs_reauth(claimed, reason, failure.error.as_deref()).await
            }
            FailureClass::AppMisconfigured => {
                self.hold_app(app, &failure).await?;
                self.again(claimed, app, failure, detail).await
            }
            FailureClass::NotSent | FailureClass::Ambiguous | FailureClass::Throttled | FailureClass::Unknown => {
                self.again(claimed, app, failure, detail).await
            }
        }
    }

    /// Plans the next attempt. What was proven not to reach the provider, and what it refused without a look at the
    /// refresh token, leaves no doubt behind; an ambiguous attempt stays on record until one succeeds.
    async fn again(
        &self,
        claimed: &Claimed,
        app: &LoadedApp,
        failure: Failure,
        mut detail: serde_json::Value,
    ) -> Result<Ended> {
        let row = &claimed.connection;
        let ambiguous = failure.class == FailureClass::Ambiguous;
        let counts = failure.class != FailureClass::AppMisconfigured;
        let failures = row.failures + i32::from(counts);
        let next = self.next_attempt(row, app, &failure, failures);
        detail["outcome"] = json!(outcome_word(failure.class));
        detail["status"] = json!(failure.status);
        detail["error"] = json!(failure.error);
        detail["what"] = json!(failure.detail);
        detail["next_refresh_at"] = json!(next);
        let kind = if ambiguous { EventKind::RefreshAmbiguous } else { EventKind::RefreshFailed };
        let change = RefreshFailed {
            environment: row.environment,
            id: row.id,
            fence: claimed.fence,
            next_refresh_at: next,
            failures,
            last_error: failure.error.clone().unwrap_or_else(|| outcome_word(failure.class).to_owned()),
            doubt: doubt(&failure, claimed),
        };
        if !self.store.refresh_failed(&change, self.event(kind, detail)).await? {
            return Ok(Ended::Moved);
        }
        Ok(Ended::Failed(Arc::new(failure)))
    }

    fn next_attempt(&self, row: &Connection, app: &LoadedApp, failure: &Failure, failures: i32) -> Timestamp {
        let now = self.clock.now();
        if failure.class == FailureClass::AppMisconfigured {
            return now + PROBE_INTERVAL;
        }
        let wait = backoff(u32::try_from(failures).unwrap_or(1), self.entropy.fraction());
        let soon = now + wait.max(failure.retry_after.unwrap_or_default());
        let waits_long =
            failure.class == FailureClass::Ambiguous && app.manifest.auth.recovery_class == RecoveryClass::F;
        match row.expires_at.map(|end| end - LATE_RETRY_LEAD) {
            Some(late) if waits_long && late > soon => late,
            _ => soon,
        }
    }

    pub(super) async fn needs_reauth(
        &self,
        claimed: &Claimed,
        reason: StateReason,
        error: Option<&str>,
    ) -> Result<Ended> {
        let row = &claimed.connection;
        let detail = json!({"attempt": claimed.attempt, "reason": reason, "error": error});
        let change = StateChange { to: ConnectionState::NeedsReauth, reason, at: self.clock.now() };
        let event = self.event(EventKind::NeedsReauth, detail);
        let (env, family, generation) = (row.environment, row.family, row.generation);
        let changed = self.store.connection_set_state(env, row.id, family, generation, change, event).await?;
        Ok(if changed { Ended::Unusable } else { Ended::Moved })
    }

    pub(crate) async fn quarantine_row(&self, row: &Connection) -> Result<()> {
        let reason = StateReason::CiphertextRejected;
        let change = StateChange { to: ConnectionState::Quarantined, reason, at: self.clock.now() };
        let event = self.event(EventKind::Quarantined, json!({"generation": row.generation}));
        let (env, family, generation) = (row.environment, row.family, row.generation);
        self.store.connection_set_state(env, row.id, family, generation, change, event).await?;
        metrics::counter!("mortise_quarantined_total").increment(1);
        Ok(())
    }

    /// A refused client is the app's trouble: its connections keep their grants, and one probe at a time finds out when the
    /// client is accepted again.
    async fn hold_app(&self, app: &LoadedApp, failure: &Failure) -> Result<()> {
        let now = self.clock.now();
        let reason = failure.error.as_deref().unwrap_or("invalid_client");
        if self.store.app_hold(app.app.key, reason, now, now + PROBE_INTERVAL).await? {
            tracing::error!(app = %app.app.id, error = reason, "the provider refuses the app's client: its refreshes are held");
            metrics::counter!("mortise_apps_held_total").increment(1);
        }
        self.forget_app(&app.app).await;
        Ok(())
    }
}

/// A reply that came whole, senseless as it may be, ends its request; what broke or timed out may still be processed.
/// Doubt about an earlier attempt stays until one succeeds.
fn doubt(failure: &Failure, claimed: &Claimed) -> Doubt {
    match (failure.class, failure.status, claimed.interrupted) {
        (FailureClass::Ambiguous, None, _) => Doubt::UnderWay,
        (FailureClass::Ambiguous, Some(_), _) | (_, _, Some(_)) => Doubt::Processed,
        (_, _, None) => Doubt::None,
    }
}

/// The word for an outcome in timelines and metrics.
pub(super) const fn outcome_word(class: FailureClass) -> &'static str {
    match class {
        FailureClass::NotSent => "not_sent",
        FailureClass::Ambiguous => "ambiguous",
        FailureClass::Throttled => "throttled",
        FailureClass::AppMisconfigured => "app_misconfigured",
        FailureClass::GrantRejected => "grant_rejected",
        FailureClass::Unknown => "unknown",
    }
}

/// A failure as a caller of the API hears it.
pub(crate) fn failure_as_error(app: &AppId, failure: &Failure) -> Error {
    let retry_after = failure.retry_after.unwrap_or(PROBE_INTERVAL);
    match failure.class {
        FailureClass::Throttled => Error::ProviderThrottled { retry_after },
        FailureClass::AppMisconfigured => Error::AppHeld { app: app.clone(), retry_after },
        FailureClass::GrantRejected => Error::GrantRefused { error: failure.error.clone() },
        class @ (FailureClass::NotSent | FailureClass::Ambiguous | FailureClass::Unknown) => {
            Error::ProviderUnavailable { class, retry_after }
        }
    }
}
