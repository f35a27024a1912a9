//! Waiting for the signal to stop.
//!
//! Invariant: whoever listens does so before any work begins, so that no signal finds the process working and deaf.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// An ear for SIGTERM and SIGINT.
pub(crate) struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// From now on a signal is remembered until somebody waits for it.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Returns at the first signal since [`Stop::listen`].
    pub(crate) async fn requested(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
