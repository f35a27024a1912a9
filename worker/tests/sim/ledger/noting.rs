//! What the books did, written down for the judges.

use super::ProcessLedger;
use crate::trace::{Claim, Commit, Judgement, Way, What};
use mortise_broker::Place;
use mortise_domain::{AppKey, Clock as _, Sealed};
use mortise_sandbox::TokenId;
use mortise_store::{Claimed, CommitOutcome, Connection, Doubt, RefreshFailed, RefreshResult, StateChange};

impl ProcessLedger {
    pub(super) fn note_claim(&self, claimed: &Claimed, way: Way) {
        let row = &claimed.connection;
        let claim = Claim {
            process: self.life.number,
            connection: row.id,
            app: row.app,
            attempt: claimed.attempt,
            family: row.family,
            generation: row.generation,
            interrupted: claimed.interrupted.is_some(),
            way,
            state: row.state,
            at: self.trace.elapsed(),
            deadline: self.trace.elapsed() + self.attempt,
        };
        self.desk.lock().unwrap().insert(row.id, claim.clone());
        self.trace.note(What::Claimed(claim));
    }

    pub(super) fn note_offer(&self, result: &RefreshResult) {
        let generation = result.parent_generation + 1;
        let place = Place { environment: result.environment, connection: result.id, generation };
        let refresh = self.refresh_id(place, result.refresh.as_ref());
        self.trace.note(What::Offered { process: self.life.number, refresh });
    }

    pub(super) fn note_commit(&self, result: &RefreshResult, outcome: CommitOutcome) {
        let place =
            Place { environment: result.environment, connection: result.id, generation: result.parent_generation + 1 };
        let access = self.boxed.access(place, &result.access);
        self.trace.note(What::Committed(Commit {
            process: self.life.number,
            connection: result.id,
            attempt: result.attempt,
            family: result.family,
            parent_generation: result.parent_generation,
            refresh: self.refresh_id(place, result.refresh.as_ref()),
            access: access.map(|token| TokenId::of(token.expose())),
            expires_at: result.expires_at,
            outcome,
        }));
    }

    pub(super) fn note_failure(&self, failed: &RefreshFailed) {
        self.trace.note(What::Failed {
            process: self.life.number,
            connection: failed.id,
            attempt: self.desk.lock().unwrap().get(&failed.id).map(|claim| claim.attempt),
            suspicions: failed.suspicions,
            next: failed.next_refresh_at,
            in_doubt: matches!(failed.doubt, Doubt::UnderWay | Doubt::UnderWayUntil(_)),
        });
    }

    pub(super) fn note_hold(&self, app: AppKey, changed: bool, held: bool) {
        if changed {
            self.trace.note(What::Held { app, held });
        }
    }

    /// How things stand when an engine judges a connection.
    pub(super) fn judgement(&self, row: &Connection, change: &StateChange) -> Judgement {
        let place = Place { environment: row.environment, connection: row.id, generation: row.generation };
        let token = self.boxed.refresh(place, row.refresh.as_ref());
        Judgement {
            process: self.life.number,
            connection: row.id,
            to: change.to,
            reason: change.reason,
            changed: true,
            alive: token.as_ref().is_some_and(|token| self.providers.takes(token)),
            serves: row.expires_at.is_none_or(|end| end > self.trace.clock.now()),
            refresh: token.map(|token| TokenId::of(token.expose())),
        }
    }

    fn refresh_id(&self, place: Place, sealed: Option<&Sealed>) -> Option<TokenId> {
        Some(TokenId::of(self.boxed.refresh(place, sealed)?.expose()))
    }
}
