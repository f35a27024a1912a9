//! The instant at which a token is renewed in the ordinary course of things.

use super::{LEAST_LEAD, later};
use crate::Timestamp;
use std::time::Duration;

/// Where a refresh falls, as shares of the token's life: early enough to leave 15 % for retries, and wide enough that
/// connections made together drift apart.
const SHARES: (f64, f64) = (0.70, 0.85);
/// How far refreshes that come as late as possible are spread, as a share of the life.
const LATE_SPREAD: f64 = 0.05;
/// Which part of a provider's window is used: not its first moments, because two clocks never agree, and not its second
/// half, which is for retries.
const PART_OF_WINDOW: (f64, f64) = (0.2, 0.5);
/// Seconds behind the window's start, at the least: where the window is short or starts at expiry.
const AFTER_START: (f64, f64) = (1.0, 3.0);

/// What a provider's manifest says about when to refresh.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RefreshRules {
    /// Refresh at least this long before expiry; a minute where it is left out.
    pub margin: Option<Duration>,
    /// The provider refuses a refresh until this long before expiry. Wins over everything else.
    pub window: Option<Duration>,
    /// A refresh ends the access token that is in use, so it comes as late as is safe.
    pub kills_prior_access_token: bool,
}

impl RefreshRules {
    /// The instant at which to refresh a token issued at `issued_at` that lives for `lifetime`; `fraction` in `[0, 1)`
    /// spreads it. Never before half of the life is over, so that no margin makes a refresh loop. Behind the end of the
    /// life only where the provider's window leaves nothing else.
    pub fn refresh_at(&self, issued_at: Timestamp, lifetime: Duration, fraction: f64) -> Timestamp {
        let life = lifetime.as_secs_f64();
        let lead = self.margin.unwrap_or(LEAST_LEAD).as_secs_f64();
        let usual = if self.kills_prior_access_token {
            // Twice the time that a request may take.
            life - lead.max(LEAST_LEAD.as_secs_f64()) - life * LATE_SPREAD * fraction
        } else {
            let share = life * between(SHARES, fraction);
            share.min(life - lead)
        };
        later(issued_at, self.accepted(life, fraction).max(usual).max(life / 2.0))
    }

    /// Seconds after issue at which a provider with a window surely accepts a refresh; at once where it has none.
    fn accepted(&self, life: f64, fraction: f64) -> f64 {
        let Some(window) = self.window.map(|window| window.as_secs_f64()) else { return 0.0 };
        let behind = (window * between(PART_OF_WINDOW, fraction)).max(between(AFTER_START, fraction));
        life - window + behind
    }
}

/// [`RefreshRules::refresh_at`] of a provider of which no more than a margin is known.
pub fn refresh_at(issued_at: Timestamp, lifetime: Duration, margin: Option<Duration>, fraction: f64) -> Timestamp {
    RefreshRules { margin, ..RefreshRules::default() }.refresh_at(issued_at, lifetime, fraction)
}

fn between((from, to): (f64, f64), fraction: f64) -> f64 {
    from + (to - from) * fraction
}

#[cfg(test)]
mod tests;
