//! Herds taken apart: many refreshes that would fall on one instant.

use super::{LEAST_LEAD, RefreshRules, later};
use crate::Timestamp;
use std::time::Duration;

/// Refreshes of tokens that have ended, or nearly so, are spread over this long at least.
const SHORTEST: Duration = Duration::from_secs(60);

/// The instant for one of many overdue refreshes, after an outage or a hold. A token that has `remaining` left is
/// renewed some time before that is over; with less than two minutes left it counts as ended, and all such are spread
/// over `drain`, the time that the provider's rate needs for them (a minute at the least).
pub fn smear(now: Timestamp, remaining: Duration, drain: Duration, fraction: f64) -> Timestamp {
    let left = remaining.saturating_sub(LEAST_LEAD);
    let span = if left < LEAST_LEAD { drain.max(SHORTEST) } else { left };
    later(now, span.as_secs_f64() * fraction)
}

/// The first refresh of an imported token that has `remaining` left: imports come in herds of the same age, and a part
/// of the life would keep them together for many rounds, so all that is left is used. A provider that refuses early
/// refreshes or ends the token in use is asked when it always is.
pub fn smear_import(rules: &RefreshRules, now: Timestamp, remaining: Duration, fraction: f64) -> Timestamp {
    if rules.window.is_some() || rules.kills_prior_access_token {
        return rules.refresh_at(now, remaining, fraction);
    }
    let lead = rules.margin.unwrap_or(LEAST_LEAD);
    let span = remaining.saturating_sub(lead).max(remaining / 2);
    later(now, span.as_secs_f64() * fraction)
}

#[cfg(test)]
mod tests;
