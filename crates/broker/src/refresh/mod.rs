//! Refresh: one request in flight a connection, whoever asks for it.
//!
//! ```text
//! claim: lease + fence + intent, committed ─ call ─┬─ granted ─ spill ─ compare-and-set on family and generation
//!                                                  └─ failed ── class rule ─ next time, state, reason
//! ```
//!
//! Invariants: the intent is committed before the first byte; no attempt is still outstanding when the next begins
//! (a claim waits for the deadline of the one before); a new pair is persisted before anybody sees it; a late answer is
//! stored or revoked at the provider, never dropped.

mod commit;
mod drive;
mod failed;
mod flights;
mod outage;
mod pass;
mod timing;

pub(crate) use commit::Reply;
pub(crate) use failed::failure_as_error;
pub(crate) use flights::Flights;
pub(crate) use outage::Outage;
pub use pass::RefreshPass;
pub(crate) use timing::{first_refresh, lifetime_of};

use mortise_oauth::Failure;

/// Why a refresh is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The worker found it due.
    Due,
    /// A fetch needs a token that lives longer.
    Fetch,
    /// `POST /v1/connections/{id}/refresh`.
    Forced,
    /// A held app's client is tried again.
    Probe,
}

impl Reason {
    /// The word in the timeline.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Fetch => "fetch",
            Self::Forced => "forced",
            Self::Probe => "probe",
        }
    }
}

/// How one attempt ended.
#[derive(Debug, Clone)]
pub(crate) enum Ended {
    /// A new pair is stored.
    Refreshed,
    /// The connection moved on while the attempt ran: replaced, ended, or refreshed by an earlier attempt's late reply.
    Moved,
    /// The connection can no longer be refreshed; its row says why.
    Unusable,
    /// It will be tried again.
    Failed(std::sync::Arc<Failure>),
    /// Nothing may be sent yet: an earlier attempt without an answer may still be under way.
    Later(std::time::Duration),
    /// Nobody flew after all: whoever had begun to hung up, or failed before anything was claimed.
    Abandoned,
    /// The database went away; the pair, if there was one, is in the spill folder.
    Interrupted,
}
