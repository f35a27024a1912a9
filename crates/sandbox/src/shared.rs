//! What everything shares, the HTTP server as well as the model: the lock around the state, and the seams.

use crate::class::RecoveryClass;
use crate::config::SandboxConfig;
use crate::error::SandboxError;
use crate::persist;
use crate::state::State;
use mortise_domain::{Clock, Entropy};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One instant on both clocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The time of day, in unix milliseconds.
    pub ms: i64,
    /// The monotonic clock, in microseconds.
    pub us: u64,
}

/// What everything shares.
pub struct Shared {
    state: Mutex<State>,
    state_file: Option<PathBuf>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// Without a slash at the end.
    pub base_url: String,
}

impl Shared {
    /// Reads the state file, if there is one.
    pub fn new(config: SandboxConfig, base_url: String) -> Result<Self, SandboxError> {
        let mut state = State::new(&config);
        if let Some(path) = &config.state_file {
            persist::load(path, &mut state)?;
        }
        Ok(Self {
            state: Mutex::new(state),
            state_file: config.state_file,
            clock: config.clock,
            entropy: config.entropy,
            base_url,
        })
    }

    /// Locks. Every change is one consistent step, so the state is good even if a holder of the lock panicked.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time in unix milliseconds.
    pub fn now(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }

    /// The time on both clocks.
    pub fn stamp(&self) -> Stamp {
        let us = u64::try_from(self.clock.monotonic().as_micros()).unwrap_or(u64::MAX);
        Stamp { ms: self.now(), us }
    }

    /// The client of a request in flight has closed its connection.
    pub fn note_departure(&self, id: u64) {
        let now = self.stamp();
        if let Some(record) = self.lock().log.get_mut(id) {
            record.left_us.get_or_insert(now.us);
        }
    }

    /// The issuer identifier of a class (RFC 9207).
    pub fn issuer(&self, class: RecoveryClass) -> String {
        format!("{}/{class}", self.base_url)
    }

    /// Writes the state file, if there is to be one. Called with the lock held, so that files follow each other in order.
    pub fn save(&self, state: &State) -> Result<(), SandboxError> {
        self.state_file.as_deref().map_or(Ok(()), |path| persist::save(path, state))
    }
}
