//! What a protocol endpoint answers: the reply itself, the error body of RFC 6749, and the body that can break off.

mod body;

pub use body::{Ending, ReplyBody};

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::web::Bytes;
use serde_json::{Value, json};
use std::time::Duration;

/// A reply, before a script gets at it.
pub struct Reply {
    pub status: StatusCode,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Bytes,
}

/// A refusal in the shape of RFC 6749 section 5.2, which RFC 7009 and RFC 7662 use too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthError {
    pub status: StatusCode,
    pub code: &'static str,
    pub description: &'static str,
    challenge: Option<&'static str>,
    /// Whole seconds (RFC 9110 section 10.2.3).
    retry_after: Option<u64>,
}

impl OAuthError {
    /// A 400 with this code.
    pub const fn bad_request(code: &'static str, description: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, description, challenge: None, retry_after: None }
    }

    /// The request is malformed.
    pub const fn invalid_request(description: &'static str) -> Self {
        Self::bad_request("invalid_request", description)
    }

    /// The code or token is not good.
    pub const fn invalid_grant(description: &'static str) -> Self {
        Self::bad_request("invalid_grant", description)
    }

    /// Who the client is was not proven; `basic` if it tried by header.
    pub const fn invalid_client(description: &'static str, basic: bool) -> Self {
        let challenge = if basic { Some("Basic realm=\"sandbox\"") } else { None };
        Self { status: StatusCode::UNAUTHORIZED, code: "invalid_client", description, challenge, retry_after: None }
    }

    /// The access token is not good (RFC 6750 section 3.1).
    pub const fn invalid_token(description: &'static str) -> Self {
        let challenge = Some("Bearer realm=\"sandbox\", error=\"invalid_token\"");
        Self { status: StatusCode::UNAUTHORIZED, code: "invalid_token", description, challenge, retry_after: None }
    }

    /// The body is larger than any honest one.
    pub const fn too_large() -> Self {
        let description = "the request body is too large or was cut off";
        Self {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            code: "invalid_request",
            description,
            challenge: None,
            retry_after: None,
        }
    }

    /// Refused for now, without effect; to be tried again after `wait`.
    pub const fn too_often(description: &'static str, wait: Duration) -> Self {
        let seconds = wait.as_secs() + if wait.subsec_nanos() > 0 { 1 } else { 0 };
        let (status, code) = (StatusCode::TOO_MANY_REQUESTS, "too_many_requests");
        Self { status, code, description, challenge: None, retry_after: Some(seconds) }
    }

    /// The provider itself failed.
    pub const fn server_error(description: &'static str) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "server_error",
            description,
            challenge: None,
            retry_after: None,
        }
    }
}

impl Reply {
    /// JSON that no cache may keep.
    pub fn json(status: StatusCode, value: &Value) -> Self {
        let headers = vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (PRAGMA, HeaderValue::from_static("no-cache")),
        ];
        Self { status, headers, body: Bytes::from(value.to_string()) }
    }

    /// Nothing but a status.
    pub fn empty(status: StatusCode) -> Self {
        let headers = vec![(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
        Self { status, headers, body: Bytes::new() }
    }

    /// An error code that a script chose.
    pub fn scripted_error(code: &str) -> Self {
        let status = if code == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        Self::json(status, &json!({"error": code, "error_description": "a script asked for this"}))
    }
}

impl From<&OAuthError> for Reply {
    fn from(error: &OAuthError) -> Self {
        let body = json!({"error": error.code, "error_description": error.description});
        let mut reply = Self::json(error.status, &body);
        if let Some(challenge) = error.challenge {
            reply.headers.push((WWW_AUTHENTICATE, HeaderValue::from_static(challenge)));
        }
        if let Some(seconds) = error.retry_after {
            reply.headers.push((RETRY_AFTER, HeaderValue::from(seconds)));
        }
        reply
    }
}
