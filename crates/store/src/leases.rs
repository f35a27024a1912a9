//! Claims: who may send a connection's next refresh. The heart of the store.
//!
//! Invariant: a claim writes owner, lease, fence, the intent of an attempt and its line in the timeline in one transaction
//! that is committed before the caller hears of it, so that no request to a provider leaves without a trace. Nobody else
//! gets the row while the lease lives or the attempt may still be under way, both by the database's clock. The protocol is
//! a select of candidates and an update that names the fence that was seen; locks only keep claimers out of each other's
//! way. Deliberately absent: what to do with a claim, and how long it should live.

mod one;
mod take;

use crate::sql::Sql;
use crate::transaction::transact;
use crate::{Connection, Result, Store};
use mortise_domain::{AppKey, AttemptId, EventId, LeaseOwner, Timestamp};
use sea_orm::ConnectionTrait as _;
use std::time::Duration;
use take::Ids;

pub use one::ClaimOne;

/// The most that one claim takes: what one statement's values leave room for.
const LARGEST_CLAIM: usize = 500;

/// On what terms a claim is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimTerms {
    /// The process that makes it.
    pub owner: LeaseOwner,
    /// How long the row is its own.
    pub lease: Duration,
    /// After how long its request is over for certain, whatever became of it: less than the lease.
    pub attempt: Duration,
}

/// A claimed connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The row as the claim left it.
    pub connection: Connection,
    /// The attempt that was noted.
    pub attempt: AttemptId,
    /// The claim's fence, which [`Store::refresh_failed`] has to name.
    pub fence: i64,
    /// An earlier attempt that was left without an outcome.
    pub interrupted: Option<AttemptId>,
    /// The database's clock at the claim.
    pub now: Timestamp,
}

impl Store {
    /// Takes at most `limit` connections that are due, most overdue first, leaving out those of `held` apps and those that
    /// anybody is at. `attempts` and `events` give an id for each. Rows that do not read are left out and put off by ten
    /// minutes, so that they never stand in the way of others.
    pub async fn connections_claim_due(
        &self,
        terms: &ClaimTerms,
        limit: usize,
        held: &[AppKey],
        mut attempts: impl FnMut() -> AttemptId,
        mut events: impl FnMut() -> EventId,
    ) -> Result<Vec<Claimed>> {
        let limit = limit.clamp(1, LARGEST_CLAIM);
        // Drawn before the first await, so that the two closures need not be sent between threads.
        let ids: Vec<Ids> = (0..limit).map(|_| Ids { attempt: attempts(), event: events() }).collect();
        transact!(self, tx, {
            let candidates = self.due(limit, held);
            let (free, unread) = take::read(tx.query_all_raw(candidates.build()).await?)?;
            self.put_off(tx, &unread).await?;
            self.take(tx, terms, free, &ids).await
        })
    }

    /// Takes one connection of an app whether it is due or not, the one that is due first: to try a held app. `None` when
    /// there is none that nobody is at.
    pub async fn connection_claim_probe(
        &self,
        terms: &ClaimTerms,
        app: AppKey,
        attempt: AttemptId,
        event: EventId,
    ) -> Result<Option<Claimed>> {
        let ids = [Ids { attempt, event }];
        transact!(self, tx, {
            let candidate = self
                .free("connections_by_app")
                .text(" AND next_refresh_at IS NOT NULL")
                .with(" AND app_id = ", app.as_uuid())
                .text(" ORDER BY next_refresh_at LIMIT 1")
                .text(self.dialect.skip_locked());
            let (free, unread) = take::read(tx.query_all_raw(candidate.build()).await?)?;
            self.put_off(tx, &unread).await?;
            Ok(self.take(tx, terms, free, &ids).await?.pop())
        })
    }

    /// The statement that finds what is due.
    fn due(&self, limit: usize, held: &[AppKey]) -> Sql {
        let mut due = self.free("connections_due").text(" AND next_refresh_at <= ").text(self.dialect.now());
        if !held.is_empty() {
            due = due.text(" AND app_id NOT IN (").list(held.iter().map(|app| app.as_uuid())).text(")");
        }
        due.with(" ORDER BY next_refresh_at LIMIT ", i64::try_from(limit).unwrap_or(1)).text(self.dialect.skip_locked())
    }

    /// What anybody may claim.
    fn free(&self, index: &str) -> Sql {
        let now = self.dialect.now();
        Sql::new(self.dialect, "SELECT connections.*, ")
            .text(now)
            .text(" AS db_now FROM connections")
            .text(&self.dialect.by_index(index))
            .text(" WHERE state = 'active' AND (lease_until IS NULL OR lease_until <= ")
            .text(now)
            .text(") AND (attempt_deadline IS NULL OR attempt_deadline <= ")
            .text(now)
            .text(")")
    }
}

#[cfg(test)]
mod tests;
