//! Clearing away what has served its time.

use crate::{Broker, Result};
use chrono::Duration;

/// What was cleared away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Authorization attempts that ended a day ago, with their verifiers and unclaimed codes.
    pub attempts: u64,
    /// Connect sessions that ended a week ago.
    pub sessions: u64,
    /// Replies kept for idempotent requests, after 24 hours.
    pub replies: u64,
    /// Budgets of providers and apps at which nothing has been wrong for long.
    pub gates: u64,
    /// What became of each connection in moves that ended a day ago.
    pub moves: u64,
}

impl Broker {
    /// Clears away what has served its time.
    pub async fn sweep(&self) -> Result<Swept> {
        let before = self.clock.now() - Duration::days(1);
        let attempts = self.store.attempts_sweep(before).await?;
        let sessions = self.store.connect_sessions_sweep(before - Duration::days(6)).await?;
        let replies = self.store.idempotency_sweep(before).await?;
        let gates = self.store.gates_sweep().await?;
        let moves = self.store.moves_sweep(before).await?;
        Ok(Swept { attempts, sessions, replies, gates, moves })
    }
}
