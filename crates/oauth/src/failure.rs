//! What went wrong with a request, in the terms in which its caller has to decide.
//!
//! Invariant: nothing of a body is in here but an error code, and never one that repeats a secret of the request.

use crate::SendError;
use std::fmt;
use std::time::Duration;

/// How sure we are of what the provider did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// No byte of the request left: name, connection, TLS, or refused by the egress policy.
    NotSent,
    /// The provider may have processed the request: timeout, reset, 5xx, or a reply that makes no sense.
    Ambiguous,
    /// The provider asks for fewer requests.
    Throttled,
    /// The provider refuses the client, not the grant (`invalid_client`, `unauthorized_client`).
    AppMisconfigured,
    /// The provider refuses the grant (`invalid_grant`).
    GrantRejected,
    /// The provider refused in a way that the protocol does not define.
    Unknown,
}

const REFUSED: &str = "the egress policy does not allow the provider's address";
const CALLED_BACK: &str = "the provider has just failed several others, so the request was not sent";
const OUT_OF_TIME: &str = "the time for the attempt was over before the request was sent";

/// A request that gave no tokens, or ended none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it means.
    pub class: FailureClass,
    /// The status of the reply, if one arrived.
    pub status: Option<u16>,
    /// The provider's error code (RFC 6749 section 5.2), in lower case: 1 to 64 of `a-z`, `0-9`, `_`, `.` and `-`.
    pub error: Option<String>,
    /// How long the provider asks to wait, between 1 second and 24 hours.
    pub retry_after: Option<Duration>,
    /// What was wrong, for a person.
    pub detail: &'static str,
}

impl Failure {
    pub(crate) fn new(class: FailureClass, status: Option<u16>, detail: &'static str) -> Self {
        Self { class, status, error: None, retry_after: None, detail }
    }

    /// Whether nothing was sent for reasons on this side: the provider never heard of it and may be well.
    pub fn is_ours(&self) -> bool {
        self.class == FailureClass::NotSent && [REFUSED, OUT_OF_TIME, CALLED_BACK].contains(&self.detail)
    }

    /// Others found out in time that the provider is not there.
    pub fn called_back() -> Self {
        Self::new(FailureClass::NotSent, None, CALLED_BACK)
    }

    /// The caller's time was up before anything was sent.
    pub fn deadline_before_sending() -> Self {
        Self::new(FailureClass::NotSent, None, OUT_OF_TIME)
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        let class = if error.was_sent() { FailureClass::Ambiguous } else { FailureClass::NotSent };
        let detail = match error {
            SendError::Refused(_) => REFUSED,
            SendError::Dns => "the provider's host name could not be resolved",
            SendError::Connect => "no connection to the provider could be made",
            SendError::Tls => "the TLS handshake with the provider failed",
            SendError::Timeout => "the provider did not answer in time",
            SendError::Broken => "the connection broke before the provider's whole reply arrived",
            SendError::TooLarge => "the provider's reply is larger than 1 MiB, or its head larger than 64 KiB",
        };
        Self::new(class, None, detail)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail)?;
        match (self.status, &self.error) {
            (Some(status), Some(error)) => write!(f, " (status {status}, `{error}`)"),
            (Some(status), None) => write!(f, " (status {status})"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
