//! Times as the database holds them: unix milliseconds in 64 bits. The one place that converts.

use mortise_domain::Timestamp;
use std::time::Duration;

/// What is stored. Parts of a millisecond are dropped.
pub(crate) fn to_millis(time: Timestamp) -> i64 {
    time.timestamp_millis()
}

/// What was stored; `None` beyond the years that a [`Timestamp`] can name.
pub(crate) fn from_millis(millis: i64) -> Option<Timestamp> {
    Timestamp::from_timestamp_millis(millis)
}

/// A duration in milliseconds.
pub(crate) fn millis_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// So many milliseconds; none below zero, as after a clock was set back.
pub(crate) fn duration_of(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}
