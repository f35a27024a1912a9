//! When to refresh, when to try again, and when a grant ends for good.
//!
//! Invariant: pure arithmetic over instants; a `fraction` in `[0, 1)`, drawn by the caller, spreads what would otherwise
//! fall on one instant. Deliberately absent: who asks, and what is due in a database.

mod deadline;
mod plan;
mod spread;

pub use deadline::{Deadlines, WARNING_DAYS, keep_alive, reauth_warning};
pub use plan::{RefreshRules, refresh_at};
pub use spread::{smear, smear_import};

use crate::Timestamp;
use std::time::Duration;

/// The least time before expiry at which a refresh should start, where the token lives long enough for it.
const LEAST_LEAD: Duration = Duration::from_secs(60);
/// The first wait after a failure.
const FIRST_BACKOFF: Duration = Duration::from_secs(5);
/// The longest wait between two attempts.
const LONGEST_BACKOFF: Duration = Duration::from_secs(600);

/// How long to wait after the `failures`th failure in a row (from 1): doubling, at most ten minutes, of which `fraction`
/// in `[0, 1)` takes away up to half.
pub fn backoff(failures: u32, fraction: f64) -> Duration {
    let doubled = FIRST_BACKOFF.saturating_mul(1_u32 << failures.saturating_sub(1).min(16));
    doubled.min(LONGEST_BACKOFF).mul_f64(1.0 - fraction / 2.0)
}

/// `at` and `seconds` more, to the millisecond; `at` itself where the calendar ends.
fn later(at: Timestamp, seconds: f64) -> Timestamp {
    let millis = chrono::Duration::try_milliseconds((seconds * 1000.0) as i64).unwrap_or_default();
    at.checked_add_signed(millis).unwrap_or(at)
}

#[cfg(test)]
mod tests;
