//! Changes of state, ends and queued revocations, told to both.

use super::blur::{Compared, same};
use super::moves::{APPS, Move, Wrong};
use super::pair::Pair;
use crate::world::{at, id, revocation};
use mortise_domain::*;
use mortise_store::*;

impl Pair<'_> {
    pub async fn smear(&mut self, app: usize) -> Compared {
        let (provider, turn) = (self.fixture.providers[app], self.then().timestamp_millis());
        let held = [self.fixture.apps[APPS - 1 - app]];
        let mut told = Vec::new();
        for ledger in [self.store, &self.memory] {
            let mut seen = Vec::new();
            let mut place = |overdue: Overdue| {
                seen.push(self.fixture.blur.overdue(overdue));
                at(4_000_000_000_000 + turn + i64::try_from(overdue.index).unwrap())
            };
            let moved = ledger.connections_smear(provider, &held, &mut place).await;
            told.push(moved.map(|moved| (moved, seen)));
        }
        let (memory, database) = (told.pop().unwrap(), told.pop().unwrap());
        same(database, memory).map(drop)
    }

    pub async fn change(&mut self, row: &Connection, next: &Move) -> Compared {
        let (Move::SetState { wrong, .. } | Move::Revoke { wrong, .. } | Move::Enqueue { wrong, .. }) = *next else {
            return Ok(());
        };
        let (environment, now) = (self.env(wrong), self.then());
        let family = row.family + i32::from(wrong == Wrong::Family);
        let generation = row.generation + i64::from(wrong == Wrong::Generation);
        let event = self.event(row.id, EventKind::NeedsReauth, wrong);
        let mut doomed = revocation(row);
        match (wrong, self.memory.revocations().pop()) {
            (Wrong::Owner, _) => doomed.app = id!(AppKey),
            (Wrong::Attempt, Some(queued)) => doomed.id = queued.id,
            (Wrong::Fence, _) => doomed.connection = id!(ConnectionId),
            _ => {}
        }
        match next {
            Move::SetState { to, reason, .. } => {
                let (to, reason) = (*to.get(ConnectionState::ALL), *reason.get(StateReason::ALL));
                let change = StateChange { to, reason, at: now };
                let (env, id, line) = (environment, row.id, event.clone());
                let told = self.store.connection_set_state(env, id, family, generation, change, line).await;
                same(told, self.memory.connection_set_state(env, id, family, generation, change, event).await).map(drop)
            }
            Move::Revoke { told, .. } => {
                let revocations = told.then_some(doomed).into_iter().collect();
                let ending = Ending { environment, connection: row.id, family, generation, revocations, event };
                let told = self.store.connection_revoke(&ending, StateReason::Disconnected, now).await;
                same(told, self.memory.connection_revoke(&ending, StateReason::Disconnected, now).await).map(drop)
            }
            _ => {
                let told = self.store.revocation_enqueue(doomed.clone(), event.clone()).await;
                same(told, self.memory.revocation_enqueue(doomed, event).await).map(drop)
            }
        }
    }
}
