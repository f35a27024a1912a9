//! The retry budget: what is repeated is a small part of what is asked for the first time, so that a provider in trouble
//! does not get more of it from here.

use crate::Timestamp;
use std::time::Duration;

/// One repeated request is always allowed in this time.
pub const FLOOR_EVERY: Duration = Duration::from_secs(5);
/// What a first request adds, in thousandths of a repeated one.
const EARNED: u32 = 100;
/// What a repeated request costs.
const COST: u32 = 1_000;
/// The most that is saved up.
const CAP: u32 = 10_000;

/// What may be repeated. Nothing is saved up at first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retries {
    /// What is saved up, in thousandths of a repeated request.
    pub credit: u32,
    /// From when on one may be repeated without credit.
    pub floor_at: Option<Timestamp>,
}

impl Retries {
    /// When the next request may be repeated, if that is not now.
    pub(super) fn wait(&self, now: Timestamp) -> Option<Timestamp> {
        let floor = self.floor_at?.min(now + FLOOR_EVERY);
        (self.credit < COST && floor > now).then_some(floor)
    }

    pub(super) fn earn(&mut self) {
        self.credit = (self.credit + EARNED).min(CAP);
    }

    pub(super) fn spend(&mut self, now: Timestamp) {
        match self.credit.checked_sub(COST) {
            Some(left) => self.credit = left,
            None => self.floor_at = Some(now + FLOOR_EVERY),
        }
    }
}
