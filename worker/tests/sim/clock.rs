//! The clocks of a simulated world: one time, which everybody reads in a way of its own.

use mortise_domain::{Clock, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// When every world begins, in unix milliseconds.
const EPOCH: i64 = 1_790_000_000_000;
/// How old the world is for everybody's monotonic clock when it begins, so that no clock begins at nought.
const AGE: Duration = Duration::from_secs(1000);

/// A clock of one machine over the paused time of the runtime.
#[derive(Debug)]
pub struct VirtualClock {
    start: Instant,
    /// How far its time of day is off, in milliseconds.
    skew: AtomicI64,
}

impl VirtualClock {
    /// A clock that is right, of a world that began at `start`.
    pub fn new(start: Instant) -> Self {
        Self { start, skew: AtomicI64::new(0) }
    }

    /// Somebody sets it.
    pub fn set_skew(&self, millis: i64) {
        self.skew.store(millis, Ordering::SeqCst);
    }

    /// How long the world has gone on.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let millis = i64::try_from(self.elapsed().as_millis()).unwrap_or_default();
        Timestamp::from_timestamp_millis(EPOCH + millis + self.skew.load(Ordering::SeqCst)).unwrap_or_default()
    }

    fn monotonic(&self) -> Duration {
        AGE + self.elapsed()
    }
}

/// When every world begins.
pub fn epoch() -> Timestamp {
    Timestamp::from_timestamp_millis(EPOCH).unwrap_or_default()
}
