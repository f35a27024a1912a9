use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn backoff_grows_and_stays_bounded(failures in 0_u32..2000, fraction in 0.0..1.0) {
        let wait = backoff(failures, fraction);
        prop_assert!(wait >= FIRST_BACKOFF / 2 && wait <= LONGEST_BACKOFF);
    }

    #[test]
    fn no_instant_is_too_late_to_count_from(start in 0_i64..8_000_000_000_000, seconds in 0.0..f64::MAX) {
        let start = Timestamp::from_timestamp(start, 0).unwrap_or(Timestamp::MAX_UTC);
        prop_assert!(later(start, seconds) >= start);
    }
}

#[test]
fn backoff_doubles_from_five_seconds_to_ten_minutes() {
    let waits: Vec<_> = (0..10).map(|failures| backoff(failures, 0.0).as_secs()).collect();
    assert_eq!(waits, [5, 5, 10, 20, 40, 80, 160, 320, 600, 600]);
}
