//! Ends that no refresh puts off for ever, and warnings before them.

use super::later;
use crate::Timestamp;
use std::time::Duration;

/// Days before a grant's end at which people are told, the earliest first.
pub const WARNING_DAYS: [i32; 3] = [30, 7, 1];
/// Which part of the idle limit passes before a token that nobody uses is renewed.
const KEEP_ALIVE: (f64, f64) = (0.45, 0.5);

/// When a grant ends for good. `None`: no such end is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deadlines {
    /// Whatever happens.
    pub grant_expires_at: Option<Timestamp>,
    /// Unless a refresh comes before.
    pub refresh_idle_at: Option<Timestamp>,
}

impl Deadlines {
    /// The deadlines of a grant that lives for `absolute` from `granted_at`, whose refresh token lives for `sliding` from
    /// `refreshed_at`, or for `fixed` from then if a refresh gives it no new life.
    pub fn new(
        granted_at: Timestamp,
        refreshed_at: Timestamp,
        absolute: Option<Duration>,
        sliding: Option<Duration>,
        fixed: Option<Duration>,
    ) -> Self {
        let after = |start: Timestamp, life: Option<Duration>| life.map(|life| later(start, life.as_secs_f64()));
        let ends = [after(granted_at, absolute), after(refreshed_at, fixed)];
        Self { grant_expires_at: ends.into_iter().flatten().min(), refresh_idle_at: after(refreshed_at, sliding) }
    }

    /// The end that comes first if nothing is refreshed any more.
    pub fn nearest(&self) -> Option<Timestamp> {
        [self.grant_expires_at, self.refresh_idle_at].into_iter().flatten().min()
    }
}

/// The instant at which to renew a token that nobody uses, so that its refresh token does not end of `idle_limit`: a
/// little before half of it, which leaves as long again for trouble.
pub fn keep_alive(last_refresh: Timestamp, idle_limit: Duration, fraction: f64) -> Timestamp {
    let (from, to) = KEEP_ALIVE;
    later(last_refresh, idle_limit.as_secs_f64() * (from + (to - from) * fraction))
}

/// The warning that is due at `now` for a grant that was given at `granted_at` and ends at `deadline`: its number of
/// days, one of [`WARNING_DAYS`]. `warned` is the number of the last warning that was given. A warning that would come
/// in the first half of the grant's life is left out, because it would tell what was known at consent, and one that was
/// missed is not made up for where a later one is due.
pub fn reauth_warning(now: Timestamp, granted_at: Timestamp, deadline: Timestamp, warned: Option<i32>) -> Option<i32> {
    if now >= deadline {
        return None;
    }
    let (left, whole) = (deadline - now, deadline - granted_at);
    let due = |days: i32| {
        let before = chrono::Duration::days(days.into());
        left <= before && before * 2 <= whole && warned.is_none_or(|warned| days < warned)
    };
    WARNING_DAYS.into_iter().filter(|days| due(*days)).min()
}

#[cfg(test)]
mod tests;
