//! A claim of one connection, by a caller who cannot wait for the worker.

use super::take::{self, Ids};
use super::{ClaimTerms, Claimed};
use crate::gates::ask_of;
use crate::transaction::transact;
use crate::{Connection, Result, Store, row};
use mortise_domain::gate::Permit;
use mortise_domain::{AttemptId, ConnectionId, EnvironmentKey, EventId, Timestamp};
use sea_orm::ConnectionTrait as _;

/// What came of claiming one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimOne {
    /// It is the caller's to refresh.
    Claimed(Box<Claimed>),
    /// Somebody is at it, or an attempt without an outcome may still be under way.
    Busy {
        /// Until when at the latest, by the database's clock.
        until: Timestamp,
        /// The database's clock now.
        now: Timestamp,
        /// Whether somebody is at it, who will tell; otherwise only time will.
        leased: bool,
    },
    /// Its provider or app must not be asked now.
    Gated {
        /// When it may be at the earliest, by the database's clock.
        until: Timestamp,
        /// The database's clock now.
        now: Timestamp,
    },
    /// It has another token pair than the caller saw: look again.
    Moved,
    /// It is not there, or in a state in which nothing is sent.
    Gone,
}

/// Whether anything is sent in its state.
pub(crate) fn may_be_claimed(connection: &Connection) -> bool {
    known_bad!(QuarantinedIsRefreshed => return connection.state != mortise_domain::ConnectionState::Revoked);
    connection.state.may_refresh()
}

impl Store {
    /// Takes a connection, due or not, if its token pair still is the one of `expected_generation`.
    pub async fn connection_claim_one(
        &self,
        terms: &ClaimTerms,
        environment: EnvironmentKey,
        id: ConnectionId,
        expected_generation: i64,
        attempt: AttemptId,
        event: EventId,
    ) -> Result<ClaimOne> {
        transact!(self, tx, {
            let select = self
                .select(" FROM connections")
                .with(" WHERE id = ", id.as_uuid())
                .with(" AND environment_id = ", environment.as_uuid())
                .text(self.dialect.for_update());
            let (mut free, unread) = take::read(tx.query_all_raw(select.build()).await?)?;
            if !unread.is_empty() {
                return Err(row::impossible("connections", "(see the log)", id.as_uuid()));
            }
            let Some(found) = free.first_mut() else { return Ok(ClaimOne::Gone) };
            let (connection, now) = (&found.connection, found.now);
            if !may_be_claimed(connection) {
                return Ok(ClaimOne::Gone);
            }
            if connection.generation != expected_generation {
                return Ok(ClaimOne::Moved);
            }
            let until = connection.lease_until.max(connection.attempt_deadline);
            if let Some(until) = until.filter(|until| *until > now) {
                let leased = connection.lease_until.is_some_and(|until| until > now);
                return Ok(ClaimOne::Busy { until, now, leased });
            }
            let ask = ask_of(connection);
            if let Permit::Wait { until, .. } = self.pass_gates(tx, found, ask).await? {
                return Ok(ClaimOne::Gated { until, now: found.now });
            }
            let taken = self.take(tx, terms, free, &[Ids { attempt, event }]).await?.pop();
            Ok(taken.map_or(ClaimOne::Moved, |claim| ClaimOne::Claimed(Box::new(claim))))
        })
    }
}
