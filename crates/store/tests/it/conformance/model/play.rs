//! One call, made to both.

use super::blur::{Compared, same};
use super::moves::Move;
use super::pair::Pair;
use crate::world::at;
use mortise_domain::{EventId, EventKind};
use mortise_store::*;

impl Pair<'_> {
    pub async fn play(&mut self, next: &Move) -> Compared {
        match next {
            Move::Grant { .. } => self.grant(next).await,
            Move::ClaimDue { limit, held, terms } => self.claim_due(*limit, *held, *terms).await,
            Move::Claim { .. } => self.claim(next).await,
            Move::ClaimOne { slot, wrong, terms } => self.claim_one(*slot, *wrong, *terms).await,
            Move::ClaimProbe { app, terms } => self.claim_probe(*app, *terms).await,
            Move::Commit { claim, .. } | Move::Fail { claim, .. } => {
                let Some(claimed) = (!self.claims.is_empty()).then(|| claim.get(&self.claims).clone()) else {
                    return Ok(());
                };
                if matches!(next, Move::Commit { .. }) {
                    self.commit(&claimed, next).await
                } else {
                    self.fail(&claimed, next).await
                }
            }
            Move::SetState { slot, .. } | Move::Revoke { slot, .. } | Move::Enqueue { slot, .. } => {
                match self.row(*slot) {
                    Some(row) => self.change(&row, next).await,
                    None => Ok(()),
                }
            }
            Move::Touched { slot } => {
                self.touch(*slot).await;
                Ok(())
            }
            Move::LeaseEnds { slot } | Move::AttemptEnds { slot } => {
                let lease = matches!(next, Move::LeaseEnds { .. });
                self.time_passes(*slot, lease).await;
                Ok(())
            }
            Move::Hold { app } => {
                let (key, now, next) = (self.fixture.apps[*app], self.then(), self.then());
                let (ours, theirs) = (&self.memory, self.store);
                let told = (theirs.app_hold(key, "é", now, next).await, ours.app_hold(key, "é", now, next).await);
                same(told.0, told.1).map(drop)
            }
            Move::Release { app } => {
                let key = self.fixture.apps[*app];
                same(self.store.app_release(key).await, self.memory.app_release(key).await).map(drop)
            }
            Move::Probe { app, right } => {
                let (key, next) = (self.fixture.apps[*app], self.then());
                let held = self.memory.apps_held().await.unwrap();
                let due = held.into_iter().find(|(held, _)| *held == key).and_then(|(_, due)| due.filter(|_| *right));
                let told = self.store.app_probe_claim(key, due, next).await;
                same(told, self.memory.app_probe_claim(key, due, next).await).map(drop)
            }
            Move::Smear { app } => self.smear(*app).await,
            Move::Limit { gate, limits } => {
                let gate = self.gate(*gate);
                let told = self.store.gate_limit(gate, *limits).await;
                same(told, self.memory.gate_limit(gate, *limits).await).map(drop)
            }
            Move::Note { notes } => {
                let notes: Vec<_> = notes.iter().map(|(gate, outcome)| (self.gate(*gate), *outcome)).collect();
                let blur = &self.fixture.blur;
                let turns = |turns: Vec<_>| turns.into_iter().map(|turn| blur.turn(turn)).collect::<Vec<_>>();
                let told = self.store.gates_note(&notes).await.map(turns);
                same(told, self.memory.gates_note(&notes).await.map(turns)).map(drop)
            }
            Move::Page { slot, limit, after, wrong } => {
                let (env, id) = (self.env(*wrong), self.slots[*slot]);
                let mut events = self.memory.events(id).unwrap();
                // Pages are cut where both tell the same.
                events.retain(|line| line.kind != EventKind::RefreshStarted);
                let after = after.filter(|_| !events.is_empty()).map(|index| index.get(&events).id.as_uuid());
                let page = Page { limit: *limit, after };
                let blur = &self.fixture.blur;
                let ids = |(lines, next): (Vec<Event>, Option<uuid::Uuid>)| {
                    let next = next.map(|id| blur.id(EventId::from_uuid(id)));
                    (lines.iter().map(|line| blur.id(line.id)).collect::<Vec<_>>(), next)
                };
                let told = self.store.event_list(env, id, page).await.map(ids);
                same(told, self.memory.event_list(env, id, page).await.map(ids)).map(drop)
            }
        }
    }

    /// What others than the engine write must outlast what the engine writes.
    async fn touch(&mut self, slot: usize) {
        let Some(mut row) = self.row(slot) else { return };
        row.metadata = serde_json::json!({"a": 1});
        row.used_at = Some(at(7));
        row.reauth_warned = Some(30);
        let sql = "UPDATE connections SET metadata = '{\"a\":1}', used_at = 7, reauth_warned = 30 WHERE id = ?";
        self.fixture.world.sql(sql, [row.id.as_uuid().into()]).await;
        self.memory.insert(row);
    }

    /// Lets a lease end, or the time in which a request may be under way.
    async fn time_passes(&mut self, slot: usize, lease: bool) {
        let Some(mut row) = self.row(slot) else { return };
        let column = if lease { "lease_until" } else { "attempt_deadline" };
        let until = if lease { &mut row.lease_until } else { &mut row.attempt_deadline };
        if until.is_none() {
            return;
        }
        *until = Some(at(1));
        let sql = format!("UPDATE connections SET {column} = 1 WHERE id = ?");
        self.fixture.world.sql(&sql, [row.id.as_uuid().into()]).await;
        self.memory.insert(row);
    }
}
