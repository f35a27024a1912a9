//! Changes of state and ends of connections: compare-and-set on family and generation.

use super::books::Books;
use crate::{Connection, Ending, LifetimeLearned, NewEvent, NewRevocation, Result, StateChange, StoreError};
use mortise_domain::{ConnectionId, ConnectionState, EnvironmentKey, StateReason, Timestamp};

impl Books {
    /// The row, if it is in that environment.
    pub(super) fn row_in(&self, environment: EnvironmentKey, id: ConnectionId) -> Option<&Connection> {
        self.row(id).filter(|row| row.environment == environment)
    }

    /// The row, if it still is what was seen and not ended.
    fn seen(&self, environment: EnvironmentKey, id: ConnectionId, family: i32, generation: i64) -> Option<&Connection> {
        self.row_in(environment, id)
            .filter(|row| row.family == family && row.generation == generation && row.state != ConnectionState::Revoked)
    }

    pub(super) fn lifetime_learned(
        &mut self,
        now: Timestamp,
        learned: &LifetimeLearned,
        event: &NewEvent,
    ) -> Result<bool> {
        let row = self.seen(learned.environment, learned.id, learned.family, learned.generation);
        let Some(row) = row.filter(|row| row.expires_at.is_none()) else { return Ok(false) };
        let free = row.state == ConnectionState::Active && row.lease_owner.is_none() && row.failures == 0;
        let next_refresh_at = if free { learned.next_refresh_at } else { row.next_refresh_at };
        let ending =
            Connection { expires_at: Some(learned.expires_at), next_refresh_at, updated_at: now, ..row.clone() };
        self.write_with(ending, event)?;
        Ok(true)
    }

    pub(super) fn set_state(
        &mut self,
        (environment, id): (EnvironmentKey, ConnectionId),
        (family, generation): (i32, i64),
        change: StateChange,
        event: &NewEvent,
    ) -> Result<bool> {
        let Some(row) = self.seen(environment, id, family, generation) else { return Ok(false) };
        let changed = changed(row.clone(), change);
        self.write_with(changed, event)?;
        Ok(true)
    }

    pub(super) fn revoke(&mut self, ending: &Ending, reason: StateReason, now: Timestamp) -> Result<bool> {
        let row = self.seen(ending.environment, ending.connection, ending.family, ending.generation);
        let Some(row) = row else { return Ok(false) };
        let changed = changed(row.clone(), StateChange { to: ConnectionState::Revoked, reason, at: now });
        for revocation in &ending.revocations {
            if revocation.connection != ending.connection {
                return Err(StoreError::Missing("the connection of a revocation"));
            }
            self.may_queue(revocation)?;
        }
        self.write_with(changed, &ending.event)?;
        ending.revocations.iter().for_each(|revocation| self.queue(revocation));
        Ok(true)
    }

    pub(super) fn revocation_enqueue(&mut self, new: &NewRevocation, event: &NewEvent) -> Result<()> {
        self.may_queue(new)?;
        self.is_free(new.connection, event.id)?;
        self.queue(new);
        self.append(new.connection, event);
        Ok(())
    }
}

fn changed(row: Connection, change: StateChange) -> Connection {
    let changed = Connection {
        state: change.to,
        state_reason: change.reason,
        state_since: change.at,
        updated_at: change.at,
        next_refresh_at: (change.to == ConnectionState::Active).then_some(change.at),
        lease_owner: None,
        lease_until: None,
        attempt: None,
        attempt_deadline: None,
        fence: row.fence + 1,
        ..row
    };
    if change.to != ConnectionState::Revoked {
        return changed;
    }
    Connection {
        family: changed.family + 1,
        access: None,
        refresh: None,
        previous_refresh: None,
        expires_at: None,
        grant_expires_at: None,
        refresh_idle_at: None,
        ..changed
    }
}
