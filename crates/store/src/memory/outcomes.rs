//! What becomes of a refresh: its pair is kept, or its failure is.

use super::books::{Books, whole};
use crate::{CommitOutcome, Connection, Doubt, NewEvent, RefreshFailed, RefreshResult, Result};
use mortise_domain::{ConnectionState, StateReason, Timestamp};
use serde_json::json;
use std::time::Duration;

/// Ends of a grant that lie no further apart are one and the same, told twice.
const SAME_END: Duration = Duration::from_secs(86_400);

impl Books {
    pub(super) fn refresh_commit(&mut self, result: &RefreshResult, mut event: NewEvent) -> Result<CommitOutcome> {
        let row = self.row_in(result.environment, result.id);
        let current = row.filter(|row| row.state != ConnectionState::Revoked && is_parent(row, result));
        let Some(current) = current else { return Ok(self.why_not(result)) };
        if !event.detail.is_object() {
            event.detail = json!({});
        }
        event.detail["attempt"] = json!(result.attempt);
        event.detail["generation"] = json!(result.parent_generation + 1);
        let refreshed = refreshed(current.clone(), result);
        self.write_with(refreshed, &event)?;
        Ok(CommitOutcome::Committed)
    }

    fn why_not(&self, result: &RefreshResult) -> CommitOutcome {
        if self.is_proven(result.id, result.attempt) {
            return CommitOutcome::AlreadyCommitted;
        }
        match self.row_in(result.environment, result.id) {
            None => CommitOutcome::Gone,
            Some(row) if row.state == ConnectionState::Revoked => CommitOutcome::Gone,
            Some(row) if row.family == result.family => CommitOutcome::GenerationMoved,
            Some(_) => CommitOutcome::FamilyMoved,
        }
    }

    pub(super) fn refresh_failed(&mut self, now: Timestamp, failed: &RefreshFailed, event: &NewEvent) -> Result<bool> {
        let row = self.row_in(failed.environment, failed.id).filter(|row| is_claimed_by(row, failed));
        let Some(row) = row else { return Ok(false) };
        let mut row = Connection {
            lease_owner: None,
            lease_until: None,
            fence: row.fence + 1,
            failures: failed.failures,
            last_error: Some(failed.last_error.clone()),
            suspicions: failed.suspicions,
            suspected_at: failed.suspected_at,
            updated_at: now,
            ..row.clone()
        };
        if row.state == ConnectionState::Active {
            row.next_refresh_at = Some(failed.next_refresh_at);
        }
        match failed.doubt {
            Doubt::None => (row.attempt, row.attempt_deadline) = (None, None),
            Doubt::Processed => row.attempt_deadline = None,
            Doubt::UnderWay => {}
            Doubt::UnderWayUntil(over) => row.attempt_deadline = Some(over),
        }
        self.write_with(row, event)?;
        Ok(true)
    }
}

/// Whether it still has the pair that was refreshed.
fn is_parent(row: &Connection, result: &RefreshResult) -> bool {
    known_bad!(UnconditionalOverwrite => return true);
    known_bad!(CasOnLease => return row.lease_owner.is_some() && row.attempt == Some(result.attempt));
    (row.family, row.generation) == (result.family, result.parent_generation)
}

/// Whether the claim that failed still is the last one.
fn is_claimed_by(row: &Connection, failed: &RefreshFailed) -> bool {
    known_bad!(ReleaseWithoutOwner => return true);
    row.fence == failed.fence
}

/// A connection that was given up is active again; one that was switched off keeps the pair and stays off.
fn refreshed(row: Connection, result: &RefreshResult) -> Connection {
    let revived = row.state == ConnectionState::NeedsReauth;
    let runs = revived || row.state == ConnectionState::Active;
    let requested = &row.requested_scopes;
    let mut next = Connection {
        generation: result.parent_generation + 1,
        access: Some(result.access.clone()),
        refresh: result.refresh.clone(),
        previous_refresh: result.previous_refresh.clone(),
        refreshed_at: Some(result.refreshed_at),
        expires_at: result.expires_at,
        refresh_idle_at: result.refresh_idle_at,
        updated_at: result.refreshed_at,
        granted_scopes: result.granted_scopes.clone().filter(|granted| granted != requested),
        failures: 0,
        last_error: None,
        suspicions: 0,
        suspected_at: None,
        lease_owner: None,
        lease_until: None,
        attempt: None,
        attempt_deadline: None,
        fence: row.fence + 1,
        next_refresh_at: result.next_refresh_at.filter(|_| runs),
        ..row
    };
    if let Some(ends) = result.grant_expires_at.map(whole) {
        // A warning holds for the end that it told of; what is only counted anew to the second is the same end.
        next.reauth_warned =
            next.reauth_warned.filter(|_| next.grant_expires_at.is_some_and(|at| at >= ends - SAME_END));
        next.grant_expires_at = Some(ends);
    }
    if revived {
        next.state = ConnectionState::Active;
        next.state_reason = StateReason::Consented;
        next.state_since = result.refreshed_at;
    }
    next
}
