//! What is told to gates, and what they tell.

use crate::{ConnectionId, Timestamp};
use std::time::Duration;

/// What came of a request that passed. Give it to both gates that it passed; each takes what concerns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The provider answered the question, with tokens or with an error of its own that is none of those below.
    Answered,
    /// The provider asked for quiet (429, or 503 with `Retry-After`).
    Throttled {
        /// For how long, if it said so.
        retry_after: Option<Duration>,
    },
    /// The provider is not there: it answered 5xx, nothing within the time, or refused to be connected to.
    Down,
    /// The provider rejected the grant of a connection (`invalid_grant`, RFC 6749 section 5.2).
    Rejected(ConnectionId),
    /// Nothing was sent, for reasons on this side.
    NotSent,
}

/// A gate's state changed so that somebody has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The provider counts as down from now on.
    Opened,
    /// It was down and works again: what has become overdue should be spread.
    Recovered,
    /// The provider wants quiet, and was not being quiet to already.
    Shut {
        /// Until when.
        until: Timestamp,
    },
    /// So many grants of the app are rejected that it is not their fault: the app should be held.
    Wave,
}
