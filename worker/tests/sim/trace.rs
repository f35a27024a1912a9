//! What happened, in order, as the judges read it; and a digest of it, to tell whether two runs were the same.

use crate::clock::VirtualClock;
use mortise_domain::gate::{GateId, Turn};
use mortise_domain::{AppKey, AttemptId, ConnectionId, ConnectionState, StateReason, Timestamp};
use mortise_sandbox::TokenId;
use mortise_store::CommitOutcome;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Something that happened. `process` is [`crate::life::Life::number`]; times are counted from the world's beginning.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A process began.
    Started { process: usize, machine: usize },
    /// A process died.
    Died { process: usize },
    /// Something began to go wrong, or ended.
    Incident { what: String },
    /// A connection's grant, first or anew.
    Consented { connection: ConnectionId, family: i32, generation: i64, grant: u64, refresh: TokenId },
    /// A connection was ended.
    Disconnected { connection: ConnectionId },
    /// The customer withdrew the consent at the provider.
    Withdrawn { connection: ConnectionId, grant: u64 },
    /// A process has claimed a connection, whether it learns of it or not.
    Claimed(Claim),
    /// The first byte of a refresh left.
    Sent(Sent),
    /// It reached the provider, as request number `request` of its log.
    Arrived { request: u64, process: usize, attempt: Option<AttemptId>, deadline: Option<Duration> },
    /// The process was told how its refresh ended.
    Returned { process: usize, token: TokenId, request: Option<u64>, word: &'static str, quiet: Option<Duration> },
    /// A pair was to be spilled.
    Spilled { process: usize, connection: ConnectionId, generation: i64, refresh: Option<TokenId>, kept: bool },
    /// A pair is on its way to the ledger.
    Offered { process: usize, refresh: Option<TokenId> },
    /// A pair was given to the ledger, which did this with it.
    Committed(Commit),
    /// A claim ended without a pair.
    Failed {
        process: usize,
        connection: ConnectionId,
        attempt: Option<AttemptId>,
        suspicions: i32,
        next: Timestamp,
        in_doubt: bool,
    },
    /// A connection's state was changed by an engine.
    Judged(Judgement),
    /// A pair that belongs to nobody was sent back.
    SentBack { process: usize, connection: ConnectionId, refresh: Option<TokenId> },
    /// An app was held or released.
    Held { app: AppKey, held: bool },
    /// A gate changed so that somebody had to act.
    Turned { gate: GateId, turn: Turn },
    /// What a process had to say of its providers did not get through, or it does not know that it did.
    Unreported { process: usize },
    /// A caller who had seen `seen` was told that there is a newer pair, and this was in the books.
    Published { process: usize, connection: ConnectionId, seen: i64, stored: i64 },
    /// A caller was answered.
    Answered { process: usize, connection: ConnectionId, how: String },
}

/// A claim, with its intent.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    pub process: usize,
    pub connection: ConnectionId,
    pub app: AppKey,
    pub attempt: AttemptId,
    pub family: i32,
    pub generation: i64,
    /// Nothing of the attempt before it was known.
    pub interrupted: bool,
    pub way: Way,
    /// The row's state then.
    pub state: ConnectionState,
    /// When it was made.
    pub at: Duration,
    /// After this no byte of it may leave.
    pub deadline: Duration,
}

/// How a connection is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It was due.
    Due,
    /// A caller wants it.
    Caller,
    /// Its app is held, and it is the one that is tried.
    Probe,
}

/// A refresh on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    pub process: usize,
    pub connection: Option<ConnectionId>,
    pub token: TokenId,
    /// What the process had claimed.
    pub claim: Option<Claim>,
    /// The row's state at that moment, and since when.
    pub state: Option<(ConnectionState, Timestamp)>,
    /// The time of day.
    pub now: Timestamp,
    /// For how long the app had been held.
    pub held_for: Option<Duration>,
}

/// What became of a pair in the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    pub process: usize,
    pub connection: ConnectionId,
    pub attempt: AttemptId,
    pub family: i32,
    pub parent_generation: i64,
    pub refresh: Option<TokenId>,
    pub access: Option<TokenId>,
    pub expires_at: Option<Timestamp>,
    pub outcome: CommitOutcome,
}

/// An engine's judgement on a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    pub process: usize,
    pub connection: ConnectionId,
    pub to: ConnectionState,
    pub reason: StateReason,
    pub changed: bool,
    /// Whether the provider would still take the refresh token in the row.
    pub alive: bool,
    /// Whether the access token in the row could still be served.
    pub serves: bool,
    pub refresh: Option<TokenId>,
}

/// A moment with what happened in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Since the world's beginning.
    pub at: Duration,
    pub what: What,
}

/// What happened so far.
#[derive(Debug)]
pub struct Trace {
    /// The one clock that is right.
    pub clock: Arc<VirtualClock>,
    lines: Mutex<(Vec<Line>, Digest)>,
}

impl Trace {
    /// Nothing yet.
    pub fn new(clock: Arc<VirtualClock>) -> Self {
        Self { clock, lines: Mutex::default() }
    }

    /// How long the world has gone on.
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Writes it down.
    pub fn note(&self, what: What) {
        let line = Line { at: self.elapsed(), what };
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing into a digest does not fail.
        write!(lines.1, "{line:?}").unwrap_or_default();
        lines.0.push(line);
    }

    /// All of it.
    pub fn lines(&self) -> Vec<Line> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// Its digest.
    pub fn digest(&self) -> u64 {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).1.0
    }
}

/// FNV-1a, 64 bits, over what is written to it.
#[derive(Debug)]
struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }
}

impl std::fmt::Write for Digest {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
        Ok(())
    }
}
