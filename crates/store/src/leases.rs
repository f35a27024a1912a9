//! Claims: who may send a connection's next refresh. The heart of the store.
//!
//! Invariant: a claim writes owner, lease, fence, the intent of an attempt and its line in the timeline in one transaction
//! that is committed before the caller hears of it, so that no request to a provider leaves without a trace. Nobody else
//! gets the row while the lease lives or the attempt may still be under way, both by the database's clock. The protocol is
//! a select of candidates and an update that names the fence that was seen; locks only keep claimers out of each other's
//! way. Deliberately absent: what to do with a claim, and how long it should live.

mod ahead;
mod due;
pub(crate) mod many;
pub(crate) mod mint;
mod one;
pub(crate) mod pick;
mod smear;
mod stats;
mod take;

use crate::gates::Gates;
use crate::transaction::transact;
use crate::{Connection, Result, Store};
use mint::Mints;
use mortise_domain::gate::{Ask, GateId, Permit, Why};
use mortise_domain::{AppKey, AttemptId, ConnectorKey, EventId, LeaseOwner, Timestamp};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction};
use std::time::Duration;
use take::Ids;
use uuid::Uuid;

pub use many::{ClaimRoom, DueClaims};
pub use one::ClaimOne;
#[cfg(feature = "memory")]
pub(crate) use one::may_be_claimed;
pub use smear::Overdue;
pub use stats::DueStats;
pub(crate) use take::Free;

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
    /// The connector whose provider is asked: its gate is to be told what came of it.
    pub provider: ConnectorKey,
}

impl Store {
    /// Takes one connection of an app whether it is due or not, the one that is due first: to try a held app. `None` when
    /// there is none that nobody is at, or when a gate is closed.
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
            let (mut free, unread) = take::read(tx.query_all_raw(candidate.build()).await?)?;
            self.put_off(tx, &unread).await?;
            let Some(found) = free.first_mut() else { return Ok(None) };
            match self.pass_gates(tx, found, Ask::Probe).await? {
                Permit::Go => Ok(self.take(tx, terms, free, &ids).await?.pop()),
                Permit::Wait { .. } => Ok(None),
            }
        })
    }

    /// Asks the gates of one connection, and writes down that it passed. It is claimed at the time at which they were asked:
    /// the lock may have been waited for.
    async fn pass_gates(&self, tx: &DatabaseTransaction, row: &mut Free, ask: Ask) -> Result<Permit> {
        let ids = [GateId::Provider(row.provider), GateId::App(row.connection.app)];
        let Some((gates, now)) = self.gates_locked(tx, &ids).await? else { return Ok(Permit::Go) };
        row.now = now;
        if let Some(until) = self.mints_until(tx, row, &Mints::of(&gates)).await? {
            return Ok(Permit::Wait { gate: ids[0], until, why: Why::Rate });
        }
        let mut gates = Gates::new(gates);
        self.count_under_way(tx, &mut gates).await?;
        let answer = gates.ask(&row.connection, row.provider, now, ask);
        self.gates_save(tx, &gates.changed()).await?;
        Ok(answer)
    }

    /// Tells gates that limit it how much is under way. Nobody adds to it meanwhile: who claims has locked the gates.
    async fn count_under_way(&self, tx: &DatabaseTransaction, gates: &mut Gates) -> Result<()> {
        if !gates.count_what_is_under_way() {
            return Ok(());
        }
        for row in tx.query_all_raw(self.under_way().build()).await? {
            let requests = u32::try_from(row.try_get::<i64>("", "requests")?).unwrap_or(u32::MAX);
            let (app, provider): (Uuid, Uuid) = (row.try_get("", "app_id")?, row.try_get("", "provider")?);
            gates.add_under_way(GateId::App(AppKey::from_uuid(app)), requests);
            gates.add_under_way(GateId::Provider(ConnectorKey::from_uuid(provider)), requests);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
