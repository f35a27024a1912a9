//! What the provider's control API and the program's REST API answer, as parts of a history.

use super::{Connection, Event, Grant, History, Request};
use mortise_domain::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// An answer that is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It lacks a member, or one is of another kind.
    #[error("not a part of a history")]
    Json(#[from] serde_json::Error),
}

/// The oracle's report.
#[derive(Deserialize)]
struct Report {
    grants: Vec<Grant>,
    requests: Vec<Request>,
}

/// A line as the REST API has it.
#[derive(Deserialize)]
struct Line {
    kind: String,
    at: Timestamp,
    detail: Value,
}

/// A connection as the REST API has it.
#[derive(Deserialize)]
struct View {
    id: String,
    state: String,
}

impl History {
    /// The provider's side, from the oracle's report: `GET /control/oracle` with all requests. Requests to other endpoints
    /// than the token endpoint are left out.
    ///
    /// # Errors
    /// When it is no such report.
    pub fn of_provider(report: Value) -> Result<Self, ReadError> {
        Ok(Self::of(serde_json::from_value(report)?))
    }

    /// The same from the report's text: of a hundred thousand requests, which as a [`Value`] would fill the memory.
    ///
    /// # Errors
    /// When it is no such report.
    pub fn of_provider_text(report: &str) -> Result<Self, ReadError> {
        Ok(Self::of(serde_json::from_str(report)?))
    }

    fn of(report: Report) -> Self {
        let Report { grants, mut requests } = report;
        requests.retain(|request| request.grant_type.is_some());
        Self { grants, requests, ..Self::default() }
    }
}

impl Connection {
    /// The program's side, from `GET /v1/connections/{id}` and the items of all pages of its timeline, newest first.
    ///
    /// # Errors
    /// When these are not such answers.
    pub fn of_api(view: Value, newest_first: &[Value], families: Vec<u64>) -> Result<Self, ReadError> {
        let View { id, state } = serde_json::from_value(view)?;
        let lines = newest_first.iter().rev().map(Line::deserialize).collect::<Result<Vec<_>, _>>()?;
        let event = |line: Line| Event { kind: line.kind, at_ms: line.at.timestamp_millis(), detail: line.detail };
        Ok(Self { id, families, roots: Vec::new(), state, events: lines.into_iter().map(event).collect() })
    }
}
