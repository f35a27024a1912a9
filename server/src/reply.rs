//! What a handler answers when all went well: JSON, or nothing.

use crate::problem::Result;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;

/// A good answer.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
    kind: Option<&'static str>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

pub(crate) const JSON: &str = "application/json";

/// 200 with a document.
pub(crate) fn ok(document: &impl Serialize) -> Result<Reply> {
    json(StatusCode::OK, document)
}

/// 201 with what was made.
pub(crate) fn created(document: &impl Serialize) -> Result<Reply> {
    json(StatusCode::CREATED, document)
}

/// A document under another status.
pub(crate) fn json(status: StatusCode, document: &impl Serialize) -> Result<Reply> {
    Ok(Reply::new(status, JSON, serde_json::to_vec(document)?))
}

/// 204.
pub(crate) fn nothing() -> Result<Reply> {
    Ok(Reply { status: StatusCode::NO_CONTENT, body: Vec::new(), kind: None, headers: Vec::new() })
}

impl Reply {
    /// An answer of any type.
    pub(crate) fn new(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Self {
        Self { status, body, kind: Some(kind), headers: Vec::new() }
    }

    /// The same with one more header field.
    pub(crate) fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// As it is sent.
    pub(crate) fn answer(self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status).body(self.body);
        let headers = answer.headers_mut();
        if let Some(kind) = self.kind {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        answer
    }
}
