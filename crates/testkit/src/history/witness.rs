//! What the witnesses say: the provider's log, the timelines, the answers to callers, and what the test itself did.

use serde::Deserialize;

/// One request to the provider's token endpoint, as its oracle logs it. Times are unix milliseconds, tokens fingerprints.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Request {
    /// Counts up in order of arrival.
    pub id: u64,
    /// The recovery class of the provider: a letter from `nmgusf`.
    pub class: String,
    /// What was asked for; a request to another endpoint has none.
    pub grant_type: Option<String>,
    /// The refresh token that was presented.
    pub token: Option<String>,
    /// The grant that it belongs to; `None`: the provider never issued it.
    pub family: Option<u64>,
    /// Whether another request with the same refresh token was in flight when it arrived, as the provider saw it.
    #[serde(default)]
    pub overlapped: bool,
    /// Which those were, where the provider says so.
    #[serde(default)]
    pub overlaps: Vec<u64>,
    /// When the whole request had arrived.
    pub received_at_ms: i64,
    /// The same by the provider's monotonic clock, in microseconds.
    #[serde(default)]
    pub received_us: u64,
    /// When its client was seen to have gone while it waited, by that clock.
    #[serde(default)]
    pub left_us: Option<u64>,
    /// When it took effect, if it did.
    pub processed_at_ms: Option<i64>,
    /// When the last byte of an unbroken reply was handed over, if it was.
    pub replied_at_ms: Option<i64>,
    /// The status of the reply.
    pub status: Option<u16>,
    /// What the provider decided: `issued`, or why not.
    pub outcome: String,
    /// The access token that was issued.
    pub new_access_token: Option<String>,
    /// The refresh token that was issued.
    pub new_refresh_token: Option<String>,
}

/// A token that is good at the end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Token {
    /// Its fingerprint.
    pub id: String,
}

/// A grant as the provider knows it at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Grant {
    /// Its number.
    pub family: u64,
    /// The refresh tokens that would be accepted.
    pub alive_refresh_tokens: Vec<Token>,
}

/// One line of a connection's timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What happened.
    pub kind: String,
    /// When, in unix milliseconds.
    pub at_ms: i64,
    /// The particulars.
    pub detail: serde_json::Value,
}

/// A connection at the end, with its whole timeline.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Connection {
    /// Its id.
    pub id: String,
    /// The provider's grants that were its own, in order.
    pub families: Vec<u64>,
    /// Access tokens that it began with and that no request brought (an import's), as fingerprints.
    pub roots: Vec<String>,
    /// Its state at the end.
    pub state: String,
    /// Its timeline, oldest first, nothing left out.
    pub events: Vec<Event>,
}

/// A caller's question for a token that was answered with one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Whose.
    pub connection: String,
    /// When it was asked.
    pub asked_at_ms: i64,
    /// When the answer was there.
    pub answered_at_ms: i64,
    /// The fingerprint of the access token.
    pub token: String,
}

/// A time in which a test harmed somebody so that a reply may be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// When it began.
    pub from_ms: i64,
    /// When it ended.
    pub to_ms: i64,
    /// The only grant concerned; `None`: all.
    pub family: Option<u64>,
}

impl Request {
    pub(super) fn is_refresh(&self) -> bool {
        self.grant_type.as_deref() == Some("refresh_token")
    }

    /// Whether its client had given it up before another one arrived: then nobody waits for it any more.
    pub(super) fn left_before(&self, later: &Self) -> bool {
        self.left_us.is_some_and(|left| left <= later.received_us)
    }

    /// When it took effect, in unix milliseconds.
    pub(super) fn effect_ms(&self) -> i64 {
        self.processed_at_ms.unwrap_or(self.received_at_ms)
    }

    pub(super) fn issued(&self) -> bool {
        self.outcome == "issued"
    }

    /// Whether the provider's refusal of the client came before any look at the token.
    pub(super) fn refused_the_client(&self) -> bool {
        self.outcome == "invalid_client"
    }
}
