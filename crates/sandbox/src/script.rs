//! Faults for single requests, and modes for all of them: what a script may say. It is checked when it is pushed.

mod canned;
mod fault;
mod mode;
mod queue;

pub use canned::Canned;
pub use fault::Fault;
pub use mode::{Mode, Modes, StandingMode};
pub use queue::Scripts;

use crate::class::RecoveryClass;
use crate::log::Endpoint;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const LONGEST_DELAY_MS: u64 = 3_600_000;

/// Before or after a request takes effect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// The request has had no effect yet.
    #[default]
    Before,
    /// The request has had its effect.
    After,
}

/// What to do to the next requests of one class at one endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The class whose requests are meant.
    pub class: RecoveryClass,
    /// The endpoint that is meant; `token` if absent.
    #[serde(default)]
    pub endpoint: Endpoint,
    /// Token endpoint only: requests with another `grant_type` pass by unharmed.
    #[serde(default)]
    pub grant_type: Option<String>,
    /// How many requests; 1 if absent.
    #[serde(default = "once")]
    pub times: u32,
    /// What happens to each.
    pub action: Action,
}

const fn once() -> u32 {
    1
}

/// What happens to a scripted request. All members may be combined unless said otherwise.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Action {
    /// Wait so many milliseconds: over HTTP on the real clock, whatever the sandbox's clock says. A client that leaves meanwhile does not stop the request.
    pub delay_ms: Option<u64>,
    /// When to wait; `before` if absent.
    pub delay: Option<Moment>,
    /// Close the connection without one byte of reply. `before`: without effect, too.
    pub drop: Option<Moment>,
    /// Reply with this status, 200 to 599.
    pub status: Option<u16>,
    /// Reply with these headers besides.
    pub headers: BTreeMap<String, String>,
    /// Reply with this text.
    pub body: Option<String>,
    /// Reply with these bytes, in base64.
    pub body_base64: Option<String>,
    /// Reply with this media type.
    pub content_type: Option<String>,
    /// Announce the whole body, send so many bytes of it, close the connection.
    pub truncate_at: Option<usize>,
    /// Send the body one byte at a time with so many milliseconds between.
    pub drip_ms: Option<u64>,
    /// Reply with one of these.
    pub reply: Option<Canned>,
    /// Reply with `Retry-After` as so many seconds (RFC 9110 section 10.2.3).
    pub retry_after: Option<u32>,
    /// Reply with `Retry-After` as the date so many seconds after the reply, by the sandbox's clock.
    pub retry_after_date: Option<u32>,
    /// Never reply, and keep the connection open for as long as the client does.
    pub hang: bool,
    /// Refuse with this OAuth error code (RFC 6749 section 5.2), 401 for `invalid_client` and 400 otherwise.
    pub error: Option<String>,
    /// Whether the request takes effect. If absent it does, unless `drop` says `before` or one of `hang`, `error`,
    /// `status`, `reply`, `body` and `body_base64` is given.
    pub process: Option<bool>,
}

/// Why a script was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// Nothing to do.
    #[error("`times` must be at least 1")]
    Times,
    /// Longer than an hour.
    #[error("`delay_ms` and `drip_ms` must be at most {LONGEST_DELAY_MS}")]
    Delay,
    /// `delay` without a length.
    #[error("`delay` needs `delay_ms`")]
    DelayWithoutLength,
    /// No final status of HTTP.
    #[error("`status` must be from 200 to 599")]
    Status,
    /// Not a header, or one that the connection itself needs.
    #[error("`headers` may not set `{0}`: not a header, or one that the connection needs")]
    Header(String),
    /// Not a media type.
    #[error("`content_type` is not a header value")]
    ContentType,
    /// Not base64.
    #[error("`body_base64` is not base64")]
    Base64,
    /// More than one of them.
    #[error("give one of `body`, `body_base64`, `reply` and `error`")]
    Bodies,
    /// A reply that nobody would see.
    #[error("`drop` and `hang` send no reply: leave out what describes one, and the other of them")]
    DropWithReply,
    /// More than one of them.
    #[error("give one of `retry_after` and `retry_after_date`")]
    RetryAfterTwice,
    /// Contradiction.
    #[error("`drop` with `before` cannot have `process` true")]
    DropProcessed,
}

#[cfg(test)]
mod tests;
