//! The circuit breaker: a provider that fails again and again is asked once in a while, by one process.

use super::Turn;
use crate::Timestamp;
use std::time::Duration;

/// How often a provider that counts as down is tried, by all processes together.
pub const PROBE_EVERY: Duration = Duration::from_secs(5);
/// So many failures in a row open it.
const FAILURES: u32 = 5;
/// All of them within this time.
const WITHIN: Duration = Duration::from_secs(60);

/// Whether a provider works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Failures in a row.
    pub failures: u32,
    /// Since when they are counted.
    pub failing_since: Option<Timestamp>,
    /// Since when the provider counts as down.
    pub opened_at: Option<Timestamp>,
    /// When it is tried next.
    pub next_probe_at: Option<Timestamp>,
}

impl Breaker {
    /// Whether the provider counts as down.
    pub const fn is_open(&self) -> bool {
        self.opened_at.is_some()
    }

    /// When the next request may pass, if that is not now.
    pub(super) fn wait(&self, now: Timestamp) -> Option<Timestamp> {
        let probe = self.next_probe_at.filter(|_| self.is_open())?.min(now + PROBE_EVERY);
        (probe > now).then_some(probe)
    }

    /// A request passes; where the provider counts as down it is the probe.
    pub(super) fn pass(&mut self, now: Timestamp) {
        if self.is_open() {
            self.next_probe_at = Some(now + PROBE_EVERY);
        }
    }

    pub(super) fn down(&mut self, now: Timestamp) -> Option<Turn> {
        if self.is_open() {
            return None;
        }
        match self.failing_since {
            Some(since) if since <= now && now < since + WITHIN => self.failures += 1,
            Some(_) | None => (self.failures, self.failing_since) = (1, Some(now)),
        }
        (self.failures >= FAILURES).then(|| {
            self.opened_at = Some(now);
            self.next_probe_at = Some(now + PROBE_EVERY);
            Turn::Opened
        })
    }

    pub(super) fn good(&mut self) -> Option<Turn> {
        std::mem::take(self).is_open().then_some(Turn::Recovered)
    }
}
