//! Requests in a time: the generic cell rate algorithm, with the burst taken out of the rate.

use crate::Timestamp;
use std::time::Duration;

/// So many requests in so many seconds. Zeroes count as ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many, in any window of that length.
    pub requests: u32,
    /// The length of the window.
    pub seconds: u32,
}

impl Rate {
    /// How many may come at once after a pause: what a second brings, because claims come in batches about a second apart;
    /// but at most a fifth of the window's, because what may come at once is taken off the steady flow.
    fn burst(self) -> i64 {
        let (requests, seconds) = (i64::from(self.requests.max(1)), i64::from(self.seconds.max(1)));
        1 + (requests / 5).min(requests.div_euclid(seconds) + 1)
    }

    /// Microseconds between two requests of a steady flow. In a window of the rate there are at most a burst and what the
    /// flow brings after its first instant; the distance makes their sum the rate.
    fn distance(self) -> i64 {
        let window = i64::from(self.seconds.max(1)) * 1_000_000;
        let flow = i64::from(self.requests.max(1)) - self.burst() + 1;
        (window + flow - 1).div_euclid(flow)
    }

    /// The time between two requests of the steady flow that the rate allows.
    pub fn interval(self) -> Duration {
        Duration::from_micros(self.distance().unsigned_abs())
    }

    /// When a request may follow others, of which `nth_last` is the one that this many before it: a window that slides,
    /// and no flow. `None`: now.
    pub fn slides(self, nth_last: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let over = nth_last? + Duration::from_secs(self.seconds.max(1).into());
        (over > now).then_some(over)
    }

    /// When the next request may pass, if that is not now. `arrival` is the state: see [`next`](Self::next).
    pub(super) fn wait(self, now: Timestamp, arrival: i64) -> Option<Timestamp> {
        let now = now.timestamp_micros();
        let allowed = self.sane(now, arrival) - (self.burst() - 1) * self.distance();
        // The database tells time in milliseconds: rounded up, so that the time told is not too early.
        (allowed > now).then(|| Timestamp::from_timestamp_millis((allowed + 999).div_euclid(1_000))).flatten()
    }

    /// The state after a request has passed.
    pub(super) fn next(self, now: Timestamp, arrival: i64) -> i64 {
        let now = now.timestamp_micros();
        self.sane(now, arrival) + self.distance()
    }

    /// No state is further ahead than a full burst leaves it, unless a clock was set back.
    fn sane(self, now: i64, arrival: i64) -> i64 {
        arrival.clamp(now, now + self.burst() * self.distance())
    }
}
