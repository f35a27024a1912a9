//! Claims: the rules of the store's, without its locks, because nobody else is ever in the middle of one.

use super::books::Books;
use super::candidates::is_free;
use crate::gates::ask_of;
use crate::leases::many::from_to;
use crate::leases::may_be_claimed;
use crate::leases::pick::Picked;
use crate::{ClaimOne, ClaimRoom, ClaimTerms, Claimed, Connection, DueClaims, NewEvent, Result};
use mortise_domain::gate::{Ask, GateId, Permit};
use mortise_domain::{AppKey, AttemptId, ConnectionId, ConnectorKey, EnvironmentKey, EventId, EventKind, Timestamp};
use serde_json::json;

/// The ids of one claim.
pub(super) type Ids = (AttemptId, EventId);

impl Books {
    pub(super) fn claim(
        &mut self,
        now: Timestamp,
        terms: &ClaimTerms,
        room: &ClaimRoom<'_>,
        ids: &[Ids],
    ) -> Result<DueClaims> {
        let Picked { free, gates, gated, herds } = self.picked(now, room);
        let rows = free.into_iter().map(|row| row.connection).collect();
        let claimed = self.take(now, terms, rows, ids)?;
        self.save(gates.changed());
        Ok(DueClaims { claimed, gated, opens_in: gated.map(|until| from_to(now, until)), herds })
    }

    pub(super) fn claim_probe(
        &mut self,
        now: Timestamp,
        terms: &ClaimTerms,
        app: AppKey,
        ids: Ids,
    ) -> Result<Option<Claimed>> {
        let next = self.planned().find(|row| row.app == app && is_free(row, now)).cloned();
        let Some(row) = next else { return Ok(None) };
        Ok(self.take_one(now, terms, row, Ask::Probe, ids)?.ok())
    }

    pub(super) fn claim_one(
        &mut self,
        now: Timestamp,
        terms: &ClaimTerms,
        (environment, id): (EnvironmentKey, ConnectionId),
        expected_generation: i64,
        ids: Ids,
    ) -> Result<ClaimOne> {
        let Some(row) = self.row_in(environment, id).filter(|row| may_be_claimed(row)) else {
            return Ok(ClaimOne::Gone);
        };
        if row.generation != expected_generation {
            return Ok(ClaimOne::Moved);
        }
        let until = row.lease_until.max(row.attempt_deadline);
        if let Some(until) = until.filter(|until| *until > now) {
            let leased = row.lease_until.is_some_and(|until| until > now);
            return Ok(ClaimOne::Busy { until, now, leased });
        }
        let (row, ask) = (row.clone(), ask_of(row));
        Ok(match self.take_one(now, terms, row, ask, ids)? {
            Ok(claim) => ClaimOne::Claimed(Box::new(claim)),
            Err(until) => ClaimOne::Gated { until, now },
        })
    }

    /// Takes one row if its gates let it pass, or tells when they may.
    fn take_one(
        &mut self,
        now: Timestamp,
        terms: &ClaimTerms,
        row: Connection,
        ask: Ask,
        ids: Ids,
    ) -> Result<std::result::Result<Claimed, Timestamp>> {
        let provider = self.provider(&row);
        if let Some(until) = self.mints_until(now, &row) {
            return Ok(Err(until));
        }
        let mut gates = self.standing(now, &[GateId::Provider(provider), GateId::App(row.app)]);
        if let Permit::Wait { until, .. } = gates.ask(&row, provider, now, ask) {
            return Ok(Err(until));
        }
        self.is_free(row.id, ids.1.moved_to(now))?;
        self.save(gates.changed());
        Ok(Ok(self.note(now, terms, row, ids)))
    }

    /// Takes all of `rows`, or fails and takes none.
    fn take(&mut self, now: Timestamp, terms: &ClaimTerms, rows: Vec<Connection>, ids: &[Ids]) -> Result<Vec<Claimed>> {
        for (row, (_, event)) in rows.iter().zip(ids) {
            self.is_free(row.id, event.moved_to(now))?;
        }
        Ok(rows.into_iter().zip(ids).map(|(row, ids)| self.note(now, terms, row, *ids)).collect())
    }

    /// Writes a claim down, with its line in the timeline.
    fn note(&mut self, now: Timestamp, terms: &ClaimTerms, row: Connection, (attempt, event): Ids) -> Claimed {
        let provider = self.provider(&row);
        let claim = claimed(row, attempt, now, terms, provider);
        self.write(claim.connection.clone());
        self.append(claim.connection.id, &started(&claim, event));
        claim
    }
}

fn claimed(
    mut connection: Connection,
    attempt: AttemptId,
    now: Timestamp,
    terms: &ClaimTerms,
    provider: ConnectorKey,
) -> Claimed {
    let interrupted = connection.attempt.replace(attempt);
    connection.fence += 1;
    connection.lease_owner = Some(terms.owner);
    connection.lease_until = Some(now + terms.lease);
    connection.attempt_deadline = Some(now + terms.attempt);
    Claimed { fence: connection.fence, attempt, interrupted, now, provider, connection }
}

fn started(claim: &Claimed, id: EventId) -> NewEvent {
    let mut detail = json!({"attempt": claim.attempt, "generation": claim.connection.generation});
    if let Some(interrupted) = claim.interrupted {
        detail["interrupted"] = json!(interrupted);
    }
    NewEvent { id: id.moved_to(claim.now), kind: EventKind::RefreshStarted, at: claim.now, detail }
}
