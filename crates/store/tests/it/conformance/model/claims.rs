//! Claims, made at both.

use super::blur::{Compared, same};
use super::moves::{Move, Terms, Wrong};
use super::pair::Pair;
use crate::world::id;
use mortise_domain::*;
use mortise_store::*;
use std::time::Duration;

impl Pair<'_> {
    pub async fn claim_due(&mut self, limit: usize, held: Option<usize>, terms: Terms) -> Compared {
        let terms = claim_terms(terms);
        let held: Vec<AppKey> = held.map(|app| self.fixture.apps[app]).into_iter().collect();
        let ids: Vec<_> = (0..4).map(|_| (id!(AttemptId), id!(EventId))).collect();
        let mut told = Vec::new();
        for ledger in [self.store, &self.memory] {
            let (mut attempts, mut events) = (ids.iter().map(|ids| ids.0), ids.iter().map(|ids| ids.1));
            let (attempts, events) = (&mut || attempts.next().unwrap(), &mut || events.next().unwrap());
            told.push(ledger.connections_claim_due(&terms, limit, &held, attempts, events).await);
        }
        let (memory, database) = (told.pop().unwrap(), told.pop().unwrap());
        self.claims.extend(database.iter().flatten().cloned());
        let blur = &self.fixture.blur;
        let blurred = |claims: Vec<Claimed>| claims.into_iter().map(|claim| blur.claimed(claim)).collect::<Vec<_>>();
        same(database.map(blurred), memory.map(blurred)).map(drop)
    }

    pub async fn claim(&mut self, next: &Move) -> Compared {
        let &Move::Claim { limit, held, provider, room: (provider_room, taken), terms } = next else { return Ok(()) };
        let terms = claim_terms(terms);
        let held: Vec<AppKey> = held.map(|app| self.fixture.apps[app]).into_iter().collect();
        let rooms = [(self.fixture.providers[provider], provider_room.saturating_sub(taken))];
        // All that is due in a model was due long ago.
        let missed_after = if taken == 0 { Duration::from_secs(60) } else { Duration::MAX };
        let room = ClaimRoom { limit, held: &held, provider_room, rooms: &rooms, missed_after };
        let ids: Vec<_> = (0..6).map(|_| (id!(AttemptId), id!(EventId))).collect();
        let mut told = Vec::new();
        for ledger in [self.store, &self.memory] {
            let (mut attempts, mut events) = (ids.iter().map(|ids| ids.0), ids.iter().map(|ids| ids.1));
            let (attempts, events) = (&mut || attempts.next().unwrap(), &mut || events.next().unwrap());
            told.push(ledger.connections_claim(&terms, &room, attempts, events).await);
        }
        let (memory, database) = (told.pop().unwrap(), told.pop().unwrap());
        self.claims.extend(database.iter().flat_map(|claims| claims.claimed.clone()));
        let blur = &self.fixture.blur;
        same(database.map(|claims| blur.due(claims)), memory.map(|claims| blur.due(claims))).map(drop)
    }

    pub async fn claim_one(&mut self, slot: usize, wrong: Wrong, terms: Terms) -> Compared {
        let (terms, env, id) = (claim_terms(terms), self.env(wrong), self.slots[slot]);
        let generation = self.row(slot).map_or(1, |row| row.generation) + i64::from(wrong == Wrong::Generation);
        let (attempt, event) = (id!(AttemptId), self.event(id, EventKind::RefreshStarted, wrong).id);
        let database = self.store.connection_claim_one(&terms, env, id, generation, attempt, event).await;
        let memory = self.memory.connection_claim_one(&terms, env, id, generation, attempt, event).await;
        if let Ok(ClaimOne::Claimed(claimed)) = &database {
            self.claims.push((**claimed).clone());
        }
        let blur = &self.fixture.blur;
        same(database.map(|claim| blur.one(claim)), memory.map(|claim| blur.one(claim))).map(drop)
    }

    pub async fn claim_probe(&mut self, app: usize, terms: Terms) -> Compared {
        let (terms, app, attempt, event) = (claim_terms(terms), self.fixture.apps[app], id!(AttemptId), id!(EventId));
        let database = self.store.connection_claim_probe(&terms, app, attempt, event).await;
        let memory = self.memory.connection_claim_probe(&terms, app, attempt, event).await;
        self.claims.extend(database.iter().flatten().cloned());
        let blur = &self.fixture.blur;
        let blurred = |claim: Option<Claimed>| claim.map(|claim| blur.claimed(claim));
        same(database.map(blurred), memory.map(blurred)).map(drop)
    }
}

/// As long as any sequence, or no time at all.
fn claim_terms(terms: Terms) -> ClaimTerms {
    let long = |lasts| Duration::from_secs(if lasts { 3_600 } else { 0 });
    ClaimTerms { owner: id!(LeaseOwner), lease: long(terms.lease), attempt: long(terms.attempt) }
}
