//! When to refresh, and when to try again.

use crate::Timestamp;
use std::time::Duration;

/// The window in which a refresh falls, as shares of the token's life: early enough to leave 15 % for retries, and wide
/// enough that connections made together drift apart.
const WINDOW: (f64, f64) = (0.70, 0.85);
/// The least time before expiry at which a refresh should start, where the token lives long enough for it.
const LEAST_LEAD: Duration = Duration::from_secs(60);
/// The first wait after a failure.
const FIRST_BACKOFF: Duration = Duration::from_secs(5);
/// The longest wait between two attempts.
const LONGEST_BACKOFF: Duration = Duration::from_secs(600);

/// The instant at which to refresh a token issued at `issued_at` that lives for `lifetime`; `fraction` in `[0, 1)`
/// spreads it over the window. A manifest's `margin` refreshes at least that long before expiry. Never before half of
/// the life is over, so that no margin makes a refresh loop.
pub fn refresh_at(issued_at: Timestamp, lifetime: Duration, margin: Option<Duration>, fraction: f64) -> Timestamp {
    let life = lifetime.as_secs_f64();
    let in_window = life * (WINDOW.0 + (WINDOW.1 - WINDOW.0) * fraction);
    let lead = margin.unwrap_or(LEAST_LEAD).as_secs_f64();
    let after = in_window.min(life - lead).max(life / 2.0);
    issued_at + chrono::Duration::milliseconds((after * 1000.0) as i64)
}

/// How long to wait after the `failures`th failure in a row (from 1): doubling, at most ten minutes, of which `fraction`
/// in `[0, 1)` takes away up to half.
pub fn backoff(failures: u32, fraction: f64) -> Duration {
    let doubled = FIRST_BACKOFF.saturating_mul(1_u32 << failures.saturating_sub(1).min(16));
    doubled.min(LONGEST_BACKOFF).mul_f64(1.0 - fraction / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(life: u64, margin: Option<u64>, fraction: f64) -> i64 {
        let issued = Timestamp::from_timestamp(0, 0).expect("the epoch");
        refresh_at(issued, Duration::from_secs(life), margin.map(Duration::from_secs), fraction).timestamp()
    }

    #[test]
    fn an_hour_is_refreshed_between_42_and_51_minutes() {
        assert_eq!(after(3600, None, 0.0), 2520);
        assert_eq!(after(3600, None, 1.0), 3060);
    }

    #[test]
    fn the_lead_is_a_minute_where_the_life_allows_it() {
        assert_eq!(after(200, None, 1.0), 140);
        assert_eq!(after(60, None, 1.0), 30);
    }

    #[test]
    fn a_margin_longer_than_the_life_still_leaves_half() {
        assert_eq!(after(600, Some(900), 0.5), 300);
    }

    proptest! {
        #[test]
        fn always_within_the_life_and_never_at_once(life in 2_u64..100_000_000, margin in proptest::option::of(0_u64..100_000), fraction in 0.0..1.0) {
            let at = after(life, margin, fraction);
            prop_assert!(at >= (life / 2) as i64 && at < life as i64);
        }

        #[test]
        fn backoff_grows_and_stays_bounded(failures in 0_u32..2000, fraction in 0.0..1.0) {
            let wait = backoff(failures, fraction);
            prop_assert!(wait >= FIRST_BACKOFF / 2 && wait <= LONGEST_BACKOFF);
        }
    }
}
