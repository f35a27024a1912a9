//! Grants and the outcomes of refreshes, told to both.

use super::blur::{Compared, same};
use super::moves::{Move, Wrong};
use super::pair::Pair;
use crate::world::{at, id, sealed};
use mortise_domain::*;
use mortise_store::*;

impl Pair<'_> {
    pub async fn grant(&mut self, next: &Move) -> Compared {
        let &Move::Grant { slot, replaces, again, wrong, due, narrow } = next else { return Ok(()) };
        let row = self.row(slot);
        let (family, generation) = row.as_ref().map_or((0, 0), |row| (row.family, row.generation));
        let (granted_at, due) = (self.then(), self.due(due));
        let grant = NewGrant {
            id: self.slots[slot],
            environment: self.env(wrong),
            app: self.fixture.apps[slot % 2],
            customer: self.fixture.customers[slot / 2],
            replaces_family: replaces.then_some(family + i32::from(wrong == Wrong::Family)),
            generation: generation + 1 + i64::from(wrong == Wrong::Generation),
            granted_at: row.filter(|_| wrong == Wrong::Attempt).map_or(granted_at, |row| row.granted_at),
            granted_scopes: Some(ScopeSet::parse(if narrow { "read" } else { "read write" }, " ")),
            grant_expires_at: narrow.then(|| at(1_800_000_000_000)),
            ..self.fixture.world.grant(due)
        };
        let grant = match wrong {
            Wrong::Owner => NewGrant { customer: id!(CustomerKey), ..grant },
            _ => grant,
        };
        let grant = self.grants[slot].clone().filter(|_| again).unwrap_or(grant);
        let event = self.event(grant.id, EventKind::Connected, wrong);
        let told = self.store.connection_store_grant(&grant, event.clone(), None).await;
        if told.is_ok() {
            self.grants[slot] = Some(grant.clone());
        }
        same(told, self.memory.connection_store_grant(&grant, event, None).await).map(drop)
    }

    pub async fn commit(&mut self, claimed: &Claimed, next: &Move) -> Compared {
        let &Move::Commit { wrong, due, narrow, rotates, ends, .. } = next else { return Ok(()) };
        let result = RefreshResult {
            environment: self.env(wrong),
            attempt: if wrong == Wrong::Attempt { id!(AttemptId) } else { claimed.attempt },
            family: claimed.connection.family + i32::from(wrong == Wrong::Family),
            parent_generation: claimed.connection.generation + i64::from(wrong == Wrong::Generation),
            refresh: rotates.then(|| sealed("rotated")),
            previous_refresh: rotates.then(|| sealed("spent")),
            refreshed_at: self.then(),
            next_refresh_at: self.due(due),
            granted_scopes: Some(ScopeSet::parse(if narrow { "read" } else { "write read" }, " ")),
            grant_expires_at: ends.map(|ends| at(1_800_000_000_000 + ends)),
            refresh_idle_at: narrow.then(|| at(1_900_000_000_000)),
            ..crate::world::result(claimed)
        };
        let kind = if rotates { EventKind::Refreshed } else { EventKind::Recovered };
        let event = self.event(result.id, kind, wrong);
        let told = self.store.refresh_commit(&result, event.clone()).await;
        same(told, self.memory.refresh_commit(&result, event).await).map(drop)
    }

    pub async fn fail(&mut self, claimed: &Claimed, next: &Move) -> Compared {
        let &Move::Fail { wrong, due, doubt, suspicions, .. } = next else { return Ok(()) };
        let then = self.then();
        let failed = RefreshFailed {
            environment: self.env(wrong),
            fence: claimed.fence + i64::from(wrong == Wrong::Fence),
            next_refresh_at: self.due(due).unwrap_or(then),
            failures: claimed.connection.failures + 1,
            doubt,
            suspicions,
            suspected_at: (suspicions > 0).then_some(then),
            ..crate::world::failure(claimed)
        };
        let event = self.event(failed.id, EventKind::RefreshFailed, wrong);
        let told = self.store.refresh_failed(&failed, event.clone()).await;
        same(told, self.memory.refresh_failed(&failed, event).await).map(drop)
    }
}
