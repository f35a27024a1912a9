//! Time as a seam: the one place that asks the operating system what time it is.

use crate::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Where time comes from.
pub trait Clock: Send + Sync {
    /// The time of day, which an operator may set back or forth.
    fn now(&self) -> Timestamp;

    /// Time since some fixed start, never going back: for durations and deadlines.
    fn monotonic(&self) -> Duration;
}

/// The operating system's clocks.
#[derive(Debug, Clone)]
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    /// A clock whose monotonic side starts now.
    #[expect(clippy::disallowed_methods, reason = "this is the seam's real side")]
    pub fn new() -> Self {
        Self { start: std::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the seam's real side")]
    fn now(&self) -> Timestamp {
        chrono::Utc::now()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that moves only when told to, for tests and simulations.
#[derive(Debug)]
pub struct ManualClock {
    start: i64,
    millis: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at `seconds` after 1970.
    pub fn at_unix(seconds: i64) -> Self {
        Self { start: seconds * 1000, millis: AtomicI64::new(seconds * 1000) }
    }

    /// Lets `seconds` pass.
    pub fn advance_seconds(&self, seconds: i64) {
        self.millis.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_timestamp_millis(self.millis.load(Ordering::SeqCst)).unwrap_or_default()
    }

    fn monotonic(&self) -> Duration {
        let passed = self.millis.load(Ordering::SeqCst) - self.start;
        Duration::from_millis(u64::try_from(passed).unwrap_or_default())
    }
}
