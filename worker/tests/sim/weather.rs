//! What is out of order at the moment: the one place that says how likely things fail.
//!
//! Invariant: with [`Weather::clear_up`] every fault ends; what was lost stays lost.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The state of the weather.
#[derive(Debug, Default)]
pub struct Weather(Mutex<Sky>);

/// How likely what fails. Shares are of calls or requests.
#[derive(Debug, Default, Clone)]
pub struct Sky {
    /// Nobody reaches the database.
    pub database_down: bool,
    /// Machines that do not reach the database.
    pub cut_off: BTreeSet<usize>,
    /// Calls that fail before they did anything.
    pub fails_before: f64,
    /// Calls that did their work and say that they did not.
    pub fails_after: f64,
    /// Calls that take up to seconds.
    pub database_slow: f64,
    /// Requests that never leave, provably.
    pub no_connection: f64,
    /// Requests that get lost on their way.
    pub lost_before: f64,
    /// Replies that get lost on their way, or break off.
    pub lost_after: f64,
    /// Requests that somebody in between gives up on while the provider is at them.
    pub gives_up: f64,
    /// Requests over which the provider thinks for longer than anybody waits.
    pub ponders: f64,
}

impl Weather {
    fn sky(&self) -> MutexGuard<'_, Sky> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it is.
    pub fn now(&self) -> Sky {
        self.sky().clone()
    }

    /// Changes it.
    pub fn change(&self, how: impl FnOnce(&mut Sky)) {
        how(&mut self.sky());
    }

    /// Ends every fault.
    pub fn clear_up(&self) {
        *self.sky() = Sky::default();
    }
}
