//! What may be claimed, in the order of the store's statements, and what is picked of it by the store's own rules.

use super::books::Books;
use crate::leases::Free;
use crate::leases::many::LARGEST_CLAIM;
use crate::leases::pick::{Ahead, Besides, Look, Picked, Picker};
use crate::{ClaimRoom, Connection, Overdue};
use mortise_domain::gate::{Gate, GateId, Limits};
use mortise_domain::{AppKey, ConnectionState, ConnectorKey, EventKind, Timestamp};
use std::cmp::Reverse;
use std::time::Duration;

/// Whether anybody may claim it.
pub(super) fn is_free(row: &Connection, now: Timestamp) -> bool {
    row.state == ConnectionState::Active
        && row.lease_until.is_none_or(|until| until <= now)
        && row.attempt_deadline.is_none_or(|until| until <= now)
}

/// Whether it is looked for.
fn is_wanted(row: &Connection, provider: ConnectorKey, besides: &Besides) -> bool {
    let untried = row.failures == 0 && row.suspicions == 0 && row.attempt.is_none();
    !besides.apps.contains(&row.app)
        && !besides.providers.contains(&provider)
        && (untried || !besides.retries_of.contains(&provider))
        && !besides.customers.contains(&row.customer)
        && !besides.rows.contains(&row.id)
}

impl Books {
    /// Other times for what is overdue at a provider; nobody else is ever in the middle of that.
    pub(super) fn smear(
        &mut self,
        now: Timestamp,
        provider: ConnectorKey,
        held: &[AppKey],
        place: &mut (dyn FnMut(Overdue) -> Timestamp + Send),
    ) -> Option<u64> {
        let gate = self.gates.entry(GateId::Provider(provider));
        let gate = gate.or_insert_with(|| Gate::new(GateId::Provider(provider), Limits::default()));
        if gate.spreading(now).is_some() {
            return None;
        }
        gate.spreading_until = None;
        let overdue =
            |row: &&Connection| is_free(row, now) && self.provider(row) == provider && !held.contains(&row.app);
        let mut rows: Vec<Connection> = self.due(now).filter(overdue).cloned().collect();
        let end = |row: &Connection| [row.refresh_idle_at, row.grant_expires_at].into_iter().flatten().min();
        rows.sort_by_key(|row| {
            let end = end(row).map_or(i64::MAX, |end| end.timestamp_millis());
            let used = row.used_at.map_or(0, |used| used.timestamp_millis());
            (end, Reverse(used), row.next_refresh_at, row.id)
        });
        let total = rows.len() as u64;
        for (row, index) in rows.into_iter().zip(0..) {
            let (expires_at, refresh_idle_at, grant_expires_at) =
                (row.expires_at, row.refresh_idle_at, row.grant_expires_at);
            let (id, app) = (row.id, row.app);
            let overdue = Overdue { id, app, now, total, index, expires_at, refresh_idle_at, grant_expires_at };
            let at = place(overdue);
            let at = at.max(now + Duration::from_millis(1));
            self.write(Connection { next_refresh_at: Some(at), ..row });
        }
        Some(total)
    }

    /// What a claim takes, most overdue first, with the gates that let it pass, and when the first that is closed may open.
    pub(super) fn picked(&mut self, now: Timestamp, room: &ClaimRoom<'_>) -> Picked {
        let room = ClaimRoom { limit: room.limit.clamp(1, LARGEST_CLAIM), ..*room };
        let ahead = Ahead::new(&room, &self.gates(), now);
        let gates = self.standing(now, &ahead.to_ask);
        let mut picker = Picker::new(&room, ahead, gates);
        while let Some(look) = picker.look() {
            let (rows, limit) = match look {
                Look::Due(limit) => (self.candidates(now, limit, picker.besides()), limit),
                Look::Newest { limit, window } => (self.newest(now, limit, window, picker.besides()), limit),
            };
            let more = rows.len() == limit;
            picker.offer(self.that_may_be_minted(now, rows), more);
        }
        picker.finish()
    }

    /// Those that may be renewed now. The others are given the time at which they may.
    fn that_may_be_minted(&mut self, now: Timestamp, free: Vec<Free>) -> Vec<Free> {
        let mut may = Vec::with_capacity(free.len());
        for row in free {
            match self.mints_until(now, &row.connection) {
                None => may.push(row),
                until => self.write(Connection { next_refresh_at: until, ..row.connection }),
            }
        }
        may
    }

    /// Until when a connection has been renewed as often as it may be.
    pub(super) fn mints_until(&self, now: Timestamp, row: &Connection) -> Option<Timestamp> {
        let rate = self.gates.get(&GateId::Provider(self.provider(row)))?.limits.mint?;
        let lines = self.timelines.get(&row.id)?.values().rev();
        let attempts = lines.filter(|line| line.kind == EventKind::RefreshStarted);
        let nth_last = attempts.skip(rate.requests.max(1) as usize - 1).map(|line| line.at).next();
        rate.slides(nth_last, now)
    }

    fn candidates(&self, now: Timestamp, limit: usize, besides: &Besides) -> Vec<Free> {
        let free = self.due(now).filter(|row| is_free(row, now)).map(|row| self.candidate(row, now));
        free.filter(|row| is_wanted(&row.connection, row.provider, besides)).take(limit).collect()
    }

    /// Of the `window` that became due last, those that are wanted, most overdue first.
    fn newest(&self, now: Timestamp, limit: usize, window: usize, besides: &Besides) -> Vec<Free> {
        let late = self.due(now).rev().filter(|row| is_free(row, now)).take(window);
        let mut wanted: Vec<Free> = late
            .map(|row| self.candidate(row, now))
            .filter(|row| is_wanted(&row.connection, row.provider, besides))
            .collect();
        wanted.reverse();
        wanted.truncate(limit);
        wanted
    }

    fn candidate(&self, row: &Connection, now: Timestamp) -> Free {
        Free { connection: row.clone(), provider: self.provider(row), now }
    }
}
