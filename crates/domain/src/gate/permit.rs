//! Asking gates.

use super::{Gate, GateId, GateKind, Limits};
use crate::Timestamp;
use std::time::Duration;

/// After what time to look again for room; nobody can know when a request ends.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// For how long after a failure a provider counts as in trouble.
const TROUBLED: Duration = Duration::from_secs(60);

/// What is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Something that has not been tried.
    First,
    /// Something that failed before. It has a budget while the provider is in trouble.
    Retry,
    /// One request to find out whether an app's client is accepted again: no part of the retry budget.
    Probe,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// It may be sent, and is counted.
    Go,
    /// It may not, and nothing is counted.
    Wait {
        /// The gate that stays closed longest.
        gate: GateId,
        /// When to ask again.
        until: Timestamp,
        /// What it is closed by.
        why: Why,
    },
}

/// What closes a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The provider asked for quiet.
    Quiet,
    /// The provider counts as down, and its next probe is not due.
    Down,
    /// So many requests are under way as may be at once.
    Full,
    /// The rate is used up.
    Rate,
    /// Too much is being repeated. Closed to [`Ask::Retry`] only.
    Retries,
}

/// What is closed to everything comes before what is closed to retries alone.
fn longest((_, until, why): &(GateId, Timestamp, Why)) -> (bool, Timestamp) {
    (*why != Why::Retries, *until)
}

/// Asks all gates that a request has to pass, each with the number of requests that are under way behind it. It passes
/// all of them or none. The caller has them locked and writes them down before anything is sent.
pub fn permit(gates: &mut [(&mut Gate, u32)], now: Timestamp, ask: Ask) -> Permit {
    let waits = gates.iter().filter_map(|(gate, under_way)| gate.wait(now, ask, *under_way));
    if let Some((gate, until, why)) = waits.max_by_key(longest) {
        return Permit::Wait { gate, until, why };
    }
    for (gate, _) in gates {
        gate.pass(now, ask);
    }
    Permit::Go
}

impl Gate {
    /// What keeps this gate closed the longest.
    fn wait(&self, now: Timestamp, ask: Ask, under_way: u32) -> Option<(GateId, Timestamp, Why)> {
        let full = self.limits.concurrency.is_some_and(|most| under_way >= most.max(1));
        let repeats = ask == Ask::Retry && self.budgets_retries(now);
        let waits = [
            (self.closed(now), Why::Quiet),
            (self.breaker.wait(now), Why::Down),
            (full.then(|| now + LOOK_AGAIN), Why::Full),
            (self.limits.rate.and_then(|rate| rate.wait(now, self.arrival)), Why::Rate),
            (self.retries.wait(now).filter(|_| repeats), Why::Retries),
        ];
        let waits = waits.into_iter().filter_map(|(until, why)| Some((self.id, until?, why)));
        waits.max_by_key(longest)
    }

    fn pass(&mut self, now: Timestamp, ask: Ask) {
        if let Some(rate) = self.limits.rate {
            self.arrival = rate.next(now, self.arrival);
        }
        if self.budgets_retries(now) {
            match ask {
                Ask::First => self.retries.earn(),
                Ask::Retry => self.retries.spend(now),
                Ask::Probe => {}
            }
        }
        self.breaker.pass(now);
    }

    /// Whether asking it may change anything. Where it does not, it need not be locked.
    pub fn is_to_ask(&self, now: Timestamp) -> bool {
        let Limits { rate, concurrency, mint: _ } = self.limits;
        let bounds = rate.is_some() || concurrency.is_some() || self.breaker.is_open() || self.closed(now).is_some();
        bounds || self.budgets_retries(now)
    }

    /// A provider in trouble has a budget: where nothing has failed for a while, what failed before it may be repeated
    /// freely. An app has none of its own; and where a provider counts as down, its probes are budget enough.
    fn budgets_retries(&self, now: Timestamp) -> bool {
        let troubled = self.trouble_at.is_some_and(|at| (now - at).abs().to_std().is_ok_and(|past| past < TROUBLED));
        troubled && self.id.kind() == GateKind::Provider && !self.breaker.is_open()
    }
}
