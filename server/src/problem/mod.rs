//! The one shape of every error: problem documents (RFC 9457).
//!
//! Invariants: every error of the API goes through [`Problem`]; a cause inside the service is logged once, with the
//! request's id, and never told. Deliberately absent: a second error body.

mod code;
mod map;
mod render;

pub(crate) use code::errors_html;
pub use code::{Code, errors_markdown};
pub(crate) use render::{Context, ProblemBody};

use actix_web::http::header::HeaderName;
use mortise_domain::ConnectionId;
use std::time::Duration;

/// What a handler answers with.
pub(crate) type Result<T> = std::result::Result<T, Problem>;

/// Why a request was not carried out. Boxed: the good case should not carry its weight around.
#[derive(Debug)]
pub(crate) struct Problem(Box<Facts>);

#[derive(Debug)]
struct Facts {
    code: Code,
    detail: String,
    errors: Vec<Item>,
    retry_after: Option<Duration>,
    headers: Vec<(HeaderName, String)>,
    connection: Option<ConnectionId>,
    reason: Option<&'static str>,
    connections: Vec<ConnectionId>,
    cause: Option<Cause>,
}

/// What only the log may say.
#[derive(Debug)]
enum Cause {
    Broker(mortise_broker::Error),
    Json(serde_json::Error),
    Task(tokio::task::JoinError),
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Item {
    /// JSON pointer of the member, or `/` and the name of the parameter.
    pub(crate) pointer: String,
    /// What is wrong and what is allowed.
    pub(crate) detail: String,
    /// A stable word, for manifests.
    pub(crate) code: Option<&'static str>,
    /// `error` or `warning`, for manifests.
    pub(crate) severity: Option<&'static str>,
    /// From 1.
    pub(crate) line: Option<u32>,
    /// From 1.
    pub(crate) column: Option<u32>,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Facts {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            headers: Vec::new(),
            connection: None,
            reason: None,
            connections: Vec::new(),
            cause: None,
        }))
    }

    /// One wrong member or parameter.
    pub(crate) fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let item = Item { pointer: pointer.into(), detail: detail.into(), ..Item::default() };
        Self::new(Code::InvalidRequest, Code::InvalidRequest.way_out()).with_errors(vec![item])
    }

    pub(crate) fn code(&self) -> Code {
        self.0.code
    }

    pub(crate) fn with_errors(mut self, errors: Vec<Item>) -> Self {
        self.0.errors = errors;
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.0.headers.push((name, value.into()));
        self
    }

    fn internal(cause: Cause) -> Self {
        let mut problem = Self::new(Code::Internal, "The service's log says more under this request's id.");
        problem.0.cause = Some(cause);
        problem
    }
}

impl From<serde_json::Error> for Problem {
    /// An answer that could not be written.
    fn from(error: serde_json::Error) -> Self {
        Self::internal(Cause::Json(error))
    }
}

impl From<tokio::task::JoinError> for Problem {
    /// A handler that panicked.
    fn from(error: tokio::task::JoinError) -> Self {
        Self::internal(Cause::Task(error))
    }
}

#[cfg(test)]
mod tests;
