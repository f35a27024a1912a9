//! What became of grants, in order, bounded: when they began and when they ended, and which request did it.

use crate::ledger::{Change, Ended, FamilyId};
use crate::shared::Stamp;
use serde::Serialize;
use std::collections::VecDeque;

/// A grant began or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GrantEvent {
    /// In microseconds of the sandbox's monotonic clock.
    pub at_us: u64,
    /// In unix milliseconds.
    pub at_ms: i64,
    /// The grant.
    pub family: FamilyId,
    /// Why it ended; absent when it began.
    pub ended: Option<Ended>,
    /// The request that did it; none if an order by the control endpoints did.
    pub request: Option<u64>,
}

/// The newest events.
#[derive(Debug)]
pub struct GrantLog {
    events: VecDeque<GrantEvent>,
    capacity: usize,
    forgotten: u64,
}

impl GrantLog {
    /// An empty log that keeps `capacity` events.
    pub fn new(capacity: usize) -> Self {
        Self { events: VecDeque::new(), capacity: capacity.max(1), forgotten: 0 }
    }

    /// Adds an event.
    pub fn push(&mut self, change: Change, now: Stamp, request: Option<u64>) {
        if self.events.len() >= self.capacity {
            self.events.pop_front();
            self.forgotten += 1;
        }
        let Change { family, ended } = change;
        self.events.push_back(GrantEvent { at_us: now.us, at_ms: now.ms, family, ended, request });
    }

    /// All that are remembered, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &GrantEvent> {
        self.events.iter()
    }

    /// How many gave way to newer ones.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Forgets all events.
    pub fn clear(&mut self) {
        self.events.clear();
        self.forgotten = 0;
    }
}
