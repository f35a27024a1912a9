//! Budgets of a provider and of an app: what may be sent to them now.
//!
//! A gate is a plain value that all processes share through their database: whoever wants to send asks all gates on the
//! way under a lock, and reports to them what came of it. Invariant: no window of a rate holds more than the rate allows,
//! a broken provider sees one request in [`PROBE_EVERY`], and while one is in trouble, requests that repeat another stay a
//! tenth of those that do not, beside one in [`FLOOR_EVERY`]. A clock that is set back closes no gate for longer than its own rule does.
//! Deliberately absent: where gates are kept, who asks, and waiting.

mod breaker;
mod id;
mod outcome;
mod permit;
mod rate;
mod retries;
mod wave;

pub use breaker::{Breaker, PROBE_EVERY};
pub use id::{GateId, GateKind};
pub use outcome::{Outcome, Turn};
pub use permit::{Ask, Permit, Why, permit};
pub use rate::Rate;
pub use retries::{FLOOR_EVERY, Retries};
pub use wave::Wave;

use crate::Timestamp;
use std::time::Duration;

/// The bounds of what a provider may ask for with `Retry-After` (RFC 9110 section 10.2.3).
const RETRY_AFTER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(86_400));
/// How long a provider is left alone that throttles and does not say for how long.
const UNTOLD_RETRY_AFTER: Duration = Duration::from_secs(5);
/// For how long the claim of whoever spreads a backlog holds, unless it is renewed.
pub const SPREADING: Duration = Duration::from_secs(60);
/// For how long a gate is remembered after the last trouble at it: longer than the longest wait between two attempts.
const MEMORY: Duration = Duration::from_secs(3_600);

/// What is allowed at a gate, as its connector's manifest tells. `None`: as much as there is room for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests in a time.
    pub rate: Option<Rate>,
    /// Requests under way at once; 0 counts as 1.
    pub concurrency: Option<u32>,
    /// Requests of one and the same connection in a time. The gate only says so: the connection's timeline keeps count.
    pub mint: Option<Rate>,
}

/// A gate as it stands. A gate that nobody has written anything about is like a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// Which.
    pub id: GateId,
    /// What it allows.
    pub limits: Limits,
    /// When the next request would keep the rate exactly, in microseconds since 1970: GCRA's theoretical arrival time.
    pub arrival: i64,
    /// Until when the provider wants to be left alone.
    pub closed_until: Option<Timestamp>,
    /// Whether the provider works at all.
    pub breaker: Breaker,
    /// What may be repeated.
    pub retries: Retries,
    /// Rejected grants of late.
    pub wave: Wave,
    /// When something was last wrong.
    pub trouble_at: Option<Timestamp>,
    /// Until when somebody is giving what is overdue here other times; nothing that is due is taken meanwhile.
    pub spreading_until: Option<Timestamp>,
}

impl Gate {
    /// A gate at rest.
    pub fn new(id: GateId, limits: Limits) -> Self {
        Self {
            id,
            limits,
            arrival: 0,
            closed_until: None,
            breaker: Breaker::default(),
            retries: Retries::default(),
            wave: Wave::default(),
            trouble_at: None,
            spreading_until: None,
        }
    }

    /// Until when somebody spreads what is overdue behind it, if somebody does.
    pub fn spreading(&self, now: Timestamp) -> Option<Timestamp> {
        self.spreading_until.map(|until| until.min(now + SPREADING)).filter(|until| *until > now)
    }

    /// Takes in what came of a request. The times are the database's.
    pub fn note(&mut self, now: Timestamp, outcome: Outcome) -> Option<Turn> {
        if Self::is_trouble(self.id.kind(), outcome) {
            self.trouble_at = Some(now);
        }
        match (self.id.kind(), outcome) {
            (GateKind::Provider, Outcome::Answered | Outcome::Rejected(_)) => self.breaker.good(),
            (GateKind::Provider, Outcome::Down) => self.breaker.down(now),
            (GateKind::Provider, Outcome::Throttled { retry_after }) => self.shut(now, retry_after),
            (GateKind::App, Outcome::Rejected(connection)) => self.wave.rejected(now, connection),
            (GateKind::App, Outcome::Answered) => {
                self.wave.answered(now);
                None
            }
            (_, Outcome::NotSent) | (GateKind::App, Outcome::Down | Outcome::Throttled { .. }) => None,
        }
    }

    /// Whether an outcome has to be remembered at a gate that nothing is known of.
    pub const fn is_trouble(kind: GateKind, outcome: Outcome) -> bool {
        match kind {
            GateKind::Provider => matches!(outcome, Outcome::Down | Outcome::Throttled { .. }),
            GateKind::App => matches!(outcome, Outcome::Rejected(_)),
        }
    }

    fn shut(&mut self, now: Timestamp, retry_after: Option<Duration>) -> Option<Turn> {
        let (least, most) = RETRY_AFTER;
        let until = now + retry_after.unwrap_or(UNTOLD_RETRY_AFTER).clamp(least, most);
        let before = self.closed(now);
        self.closed_until = before.max(Some(until));
        before.is_none().then_some(Turn::Shut { until })
    }

    /// Until when it is closed by the provider's wish, if it is.
    fn closed(&self, now: Timestamp) -> Option<Timestamp> {
        self.closed_until.map(|until| until.min(now + RETRY_AFTER.1)).filter(|until| *until > now)
    }

    /// Whether it need not be remembered: it limits nothing, and nothing has been wrong for an hour.
    pub fn is_at_rest(&self, now: Timestamp) -> bool {
        let quiet = self.trouble_at.is_none_or(|at| at + MEMORY <= now);
        let open = !self.breaker.is_open() && self.closed(now).is_none() && self.spreading(now).is_none();
        self.limits == Limits::default() && quiet && open
    }
}

#[cfg(test)]
mod tests;
