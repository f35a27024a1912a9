//! How attempts end, for those who asked and for those who read about it.

use crate::Error;
use mortise_domain::{AppId, RequestId};
use mortise_oauth::{Failure, FailureClass};
use std::sync::Arc;
use std::time::Duration;

/// When to ask again where the provider did not say.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// Why a refresh is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The worker found it due.
    Due,
    /// A fetch needs a token that lives longer.
    Fetch,
    /// `POST /v1/connections/{id}/refresh`.
    Forced,
    /// The same, because the provider's API refused the token.
    Unauthorized,
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
            Self::Unauthorized => "unauthorized",
            Self::Probe => "probe",
        }
    }
}

/// What a refresh is sent for, as its timeline tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// Why it is sent.
    pub reason: Reason,
    /// The request to the API that needs it, where one does. Others may wait for the same refresh.
    pub request: Option<RequestId>,
}

impl From<Reason> for Cause {
    fn from(reason: Reason) -> Self {
        Self { reason, request: None }
    }
}

/// How one attempt ended.
#[derive(Debug, Clone)]
pub enum Ended {
    /// A new pair is stored.
    Refreshed,
    /// The connection moved on while the attempt ran: replaced, ended, or refreshed by an earlier attempt's late reply.
    Moved,
    /// The connection can no longer be refreshed; its row says why.
    Unusable,
    /// It will be tried again.
    Failed(Arc<Failure>),
    /// Nothing may be sent yet: an earlier attempt without an answer may still be under way.
    Later(Duration),
    /// Nobody flew after all: whoever had begun to hung up, or failed before anything was claimed.
    Abandoned,
    /// The database went away; the pair, if there was one, is in the spill folder.
    Interrupted,
}

/// The word for tokens in timelines and metrics.
pub(super) const REFRESHED: &str = "refreshed";

/// The word for what came in their place.
pub(super) const fn outcome_word(class: FailureClass) -> &'static str {
    match class {
        FailureClass::NotSent => "not_sent",
        FailureClass::Ambiguous => "ambiguous",
        FailureClass::Throttled => "throttled",
        FailureClass::AppMisconfigured => "app_misconfigured",
        FailureClass::GrantRejected => "grant_rejected",
        FailureClass::Unknown => "unknown",
    }
}

/// A failure as a caller of the API hears it.
pub(crate) fn failure_as_error(app: &AppId, failure: &Failure) -> Error {
    let retry_after = failure.retry_after.unwrap_or(ASK_AGAIN);
    match failure.class {
        FailureClass::Throttled => Error::ProviderThrottled { retry_after },
        FailureClass::AppMisconfigured => Error::AppHeld { app: app.clone(), retry_after },
        FailureClass::GrantRejected => Error::GrantRefused { error: failure.error.clone() },
        class @ (FailureClass::NotSent | FailureClass::Ambiguous | FailureClass::Unknown) => {
            Error::ProviderUnavailable { class, retry_after }
        }
    }
}
