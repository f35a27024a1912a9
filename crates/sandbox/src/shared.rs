//! What all handlers share: the lock around the state, the seams, and the end of the sandbox.

use crate::class::RecoveryClass;
use crate::config::SandboxConfig;
use crate::error::SandboxError;
use crate::persist;
use crate::state::State;
use mortise_domain::{Clock, Entropy};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What all handlers share.
pub struct Shared {
    state: Mutex<State>,
    state_file: Option<PathBuf>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// Without a slash at the end.
    pub base_url: String,
    /// Requests that go on although their client may have left.
    pub tasks: TaskTracker,
    pub stopping: CancellationToken,
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
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
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

    /// The issuer identifier of a class (RFC 9207).
    pub fn issuer(&self, class: RecoveryClass) -> String {
        format!("{}/{class}", self.base_url)
    }

    /// Writes the state file, if there is to be one. Called with the lock held, so that files follow each other in order.
    pub fn save(&self, state: &State) -> Result<(), SandboxError> {
        self.state_file.as_deref().map_or(Ok(()), |path| persist::save(path, state))
    }
}
