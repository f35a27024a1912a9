//! What may be claimed, in the order of the store's statements, and what is picked of it by the store's own rules.

use super::books::Books;
use crate::gates::Gates;
use crate::leases::Free;
use crate::leases::many::LARGEST_CLAIM;
use crate::leases::pick::{Ahead, Besides, Look, Picker};
use crate::{ClaimRoom, Connection, Overdue};
use mortise_domain::{AppKey, ConnectionState, ConnectorKey, Timestamp};
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
    /// Other times for what is overdue at an app.
    pub(super) fn smear(
        &mut self,
        now: Timestamp,
        app: AppKey,
        place: &mut (dyn FnMut(Overdue) -> Timestamp + Send),
    ) -> u64 {
        let overdue = |row: &&Connection| {
            row.app == app && is_free(row, now) && row.next_refresh_at.is_some_and(|due| due <= now)
        };
        let rows: Vec<Connection> = self.planned().filter(overdue).cloned().collect();
        let total = rows.len() as u64;
        for (row, index) in rows.into_iter().zip(0..) {
            let (expires_at, refresh_idle_at, grant_expires_at) =
                (row.expires_at, row.refresh_idle_at, row.grant_expires_at);
            let at = place(Overdue { id: row.id, now, total, index, expires_at, refresh_idle_at, grant_expires_at });
            let at = at.max(now + Duration::from_millis(1));
            self.write(Connection { next_refresh_at: Some(at), ..row });
        }
        total
    }

    /// What a claim takes, most overdue first, with the gates that let it pass, and when the first that is closed may open.
    pub(super) fn picked(&self, now: Timestamp, room: &ClaimRoom<'_>) -> (Vec<Free>, Gates, Option<Timestamp>) {
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
            picker.offer(rows, more);
        }
        picker.finish()
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
