//! Problems as they are sent: the document, its headers, and the one log line of a cause inside the service.

use super::{Cause, Item, Problem};
use crate::State;
use crate::telemetry::RequestId;
use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderValue};
use mortise_domain::ConnectionId;
use serde::Serialize;
use std::error::Error;
use utoipa::ToSchema;

/// What a problem needs to know about its request.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The service.
    pub(crate) state: &'a State,
    /// The request.
    pub(crate) id: RequestId,
}

/// An error (RFC 9457). Programs should look at `code`; wording may change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// Address of the code's documentation.
    #[serde(rename = "type")]
    #[schema(format = "uri")]
    kind: String,
    /// A short text that is the same for every problem of the code.
    title: &'static str,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong here, and the way out.
    detail: &'a str,
    /// A stable word for programs.
    #[schema(example = "not_found")]
    code: &'static str,
    /// Names the entry of the service's log.
    #[schema(example = "req_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e")]
    request_id: String,
    /// What is wrong, member by member.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<ProblemItem<'a>>,
    /// The connection that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "con_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e")]
    connection: Option<ConnectionId>,
    /// Why the connection is in its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The connections that fit, where one was asked for.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<String>, required = false)]
    connections: &'a [ConnectionId],
}

/// One thing that is wrong with a request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProblemItem)]
pub(crate) struct ProblemItem<'a> {
    /// JSON pointer of the member, or `/` and the name of the parameter; empty for the whole body.
    pointer: &'a str,
    /// What is wrong and what is allowed.
    detail: &'a str,
    /// A stable word, for manifests.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// `error` or `warning`, for manifests.
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
    /// Line in the body, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    /// Column in the line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
}

impl<'a> From<&'a Item> for ProblemItem<'a> {
    fn from(item: &'a Item) -> Self {
        let Item { pointer, detail, code, severity, line, column } = item;
        Self { pointer, detail, code: *code, severity: *severity, line: *line, column: *column }
    }
}

impl Problem {
    /// The document.
    pub(crate) fn body(&self, context: Context<'_>) -> ProblemBody<'_> {
        let facts = &self.0;
        self.log(context.id);
        ProblemBody {
            kind: context.state.broker.config().url(&format!("/docs/errors#{}", facts.code.as_str())),
            title: facts.code.title(),
            status: facts.code.status().as_u16(),
            detail: &facts.detail,
            code: facts.code.as_str(),
            request_id: context.id.to_string(),
            errors: facts.errors.iter().map(ProblemItem::from).collect(),
            connection: facts.connection,
            reason: facts.reason,
            connections: &facts.connections,
        }
    }

    /// The document as it is sent.
    pub(crate) fn bytes(&self, context: Context<'_>) -> Vec<u8> {
        match serde_json::to_vec(&self.body(context)) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!(request_id = %context.id, %error, "a problem could not be written");
                Vec::new()
            }
        }
    }

    /// Puts the problem's headers onto an answer.
    pub(crate) fn decorate(&self, answer: &mut HttpResponse) {
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = self.0.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        for (name, value) in &self.0.headers {
            match HeaderValue::from_str(value) {
                Ok(value) => drop(headers.insert(name.clone(), value)),
                Err(error) => tracing::error!(%error, header = %name, "a header could not be written"),
            }
        }
    }

    /// The whole answer.
    pub(crate) fn answer(&self, context: Context<'_>) -> HttpResponse {
        let mut answer = HttpResponse::build(self.0.code.status()).body(self.bytes(context));
        self.decorate(&mut answer);
        answer
    }

    fn log(&self, id: RequestId) {
        let Some(cause) = &self.0.cause else { return };
        let error: &dyn Error = match cause {
            Cause::Broker(error) => error,
            Cause::Json(error) => error,
            Cause::Task(error) => error,
        };
        let chain: Vec<_> =
            std::iter::successors(Some(error), |&error| error.source()).map(ToString::to_string).collect();
        tracing::error!(request_id = %id, code = self.0.code.as_str(), error = chain.join(": "), "a request failed");
    }
}
