//! Ends of connections and their other changes of state: compare-and-set on the grant and the token pair that the caller
//! has seen, so that what happened in between is never undone unseen.

use crate::dialect::Dialect;
use crate::events::{self, NewEvent};
use crate::revocations::{self, NewRevocation};
use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Result, Store, StoreError, time};
use mortise_domain::{ConnectionId, ConnectionState, EnvironmentKey, StateReason, Timestamp};
use sea_orm::{ConnectionTrait, DatabaseTransaction};

/// The end of one connection.
#[derive(Debug, Clone)]
pub struct Ending {
    /// Where it belongs.
    pub environment: EnvironmentKey,
    /// Which one.
    pub connection: ConnectionId,
    /// Its grant as it was seen.
    pub family: i32,
    /// Its token pair as it was seen, from which the revocations were made.
    pub generation: i64,
    /// What its provider has to be told; nothing if it offers no way.
    pub revocations: Vec<NewRevocation>,
    /// For its timeline.
    pub event: NewEvent,
}

/// A change of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateChange {
    /// What the connection becomes. [`ConnectionState::Revoked`] also drops its tokens; prefer
    /// [`Store::connection_revoke`], which queues their revocation.
    pub to: ConnectionState,
    /// Why.
    pub reason: StateReason,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// Ends a connection: its tokens go, whoever refreshes it is too late, revocations are queued. `false` when it is not
    /// there, ended already, or no longer what was seen: read it again.
    pub async fn connection_revoke(&self, ending: &Ending, reason: StateReason, now: Timestamp) -> Result<bool> {
        transact!(self, tx, { revoke(tx, self.dialect, ending, reason, now).await })
    }

    /// Changes the state of a connection whose grant and token pair still are `family` and `generation`, and takes it from
    /// whoever refreshes it. Only [`ConnectionState::Active`] is due again, at once. `false` when it is not there, revoked
    /// or was changed.
    pub async fn connection_set_state(
        &self,
        environment: EnvironmentKey,
        id: ConnectionId,
        family: i32,
        generation: i64,
        change: StateChange,
        event: NewEvent,
    ) -> Result<bool> {
        let event = event.row(id);
        transact!(self, tx, {
            let update = changed(self.dialect, change)
                .with(" WHERE id = ", id.as_uuid())
                .with(" AND environment_id = ", environment.as_uuid())
                .with(" AND family = ", family)
                .with(" AND generation = ", generation)
                .text(" AND state <> 'revoked'");
            if tx.execute_raw(update.build()).await?.rows_affected() == 0 {
                return Ok(false);
            }
            events::append(tx, vec![event.clone()]).await?;
            Ok(true)
        })
    }
}

fn changed(dialect: Dialect, change: StateChange) -> Sql {
    let at = time::to_millis(change.at);
    let due = (change.to == ConnectionState::Active).then_some(at);
    let ended = match change.to {
        ConnectionState::Revoked => {
            ", family = family + 1, access_token = NULL, refresh_token = NULL, previous_refresh_token = NULL,
                expires_at = NULL, grant_expires_at = NULL, refresh_idle_at = NULL"
        }
        _ => "",
    };
    Sql::new(dialect, "UPDATE connections SET state = ")
        .bind(change.to.as_str())
        .with(", state_reason = ", change.reason.as_str())
        .with(", state_since = ", at)
        .with(", updated_at = ", at)
        .with(", next_refresh_at = ", due)
        .text(", lease_owner = NULL, lease_until = NULL, attempt_id = NULL, attempt_deadline = NULL, fence = fence + 1")
        .text(ended)
}

/// Ends a connection inside a transaction; `false` when it is not there, ended already, or no longer what was seen.
pub(crate) async fn revoke(
    tx: &DatabaseTransaction,
    dialect: Dialect,
    ending: &Ending,
    reason: StateReason,
    now: Timestamp,
) -> Result<bool> {
    let update = changed(dialect, StateChange { to: ConnectionState::Revoked, reason, at: now })
        .with(" WHERE id = ", ending.connection.as_uuid())
        .with(" AND environment_id = ", ending.environment.as_uuid())
        .with(" AND family = ", ending.family)
        .with(" AND generation = ", ending.generation)
        .text(" AND state <> 'revoked'");
    if tx.execute_raw(update.build()).await?.rows_affected() == 0 {
        return Ok(false);
    }
    for revocation in &ending.revocations {
        if revocation.connection != ending.connection {
            return Err(StoreError::Missing("the connection of a revocation"));
        }
        revocations::insert(tx, revocation, now).await?;
    }
    events::append(tx, vec![ending.event.row(ending.connection)]).await?;
    Ok(true)
}
