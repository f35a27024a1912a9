//! Turning an [`Action`] into something that cannot contradict itself.

use super::{Action, LONGEST_DELAY_MS, Moment, ScriptError};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, TRANSFER_ENCODING};
use actix_web::web::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::time::Duration;

/// A checked action.
#[derive(Debug)]
pub struct Fault {
    pub delay: Option<(Moment, Duration)>,
    pub processed: bool,
    pub dropped: bool,
    pub status: Option<StatusCode>,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Option<Bytes>,
    pub truncate_at: Option<usize>,
    pub drip: Option<Duration>,
    pub error: Option<String>,
}

impl Fault {
    /// The fault of requests that nobody scripted.
    pub const fn none() -> Self {
        Self {
            delay: None,
            processed: true,
            dropped: false,
            status: None,
            headers: Vec::new(),
            body: None,
            truncate_at: None,
            drip: None,
            error: None,
        }
    }

    /// How long to wait at this moment.
    pub fn delay_at(&self, moment: Moment) -> Duration {
        self.delay.filter(|(when, _)| *when == moment).map_or(Duration::ZERO, |(_, length)| length)
    }
}

impl TryFrom<Action> for Fault {
    type Error = ScriptError;

    fn try_from(action: Action) -> Result<Self, ScriptError> {
        let bodies = [action.body.is_some(), action.body_base64.is_some(), action.error.is_some()];
        let body = match (action.body, action.body_base64) {
            _ if bodies.iter().filter(|given| **given).count() > 1 => return Err(ScriptError::Bodies),
            (Some(text), _) => Some(Bytes::from(text)),
            (None, Some(encoded)) => Some(Bytes::from(STANDARD.decode(encoded).map_err(|_| ScriptError::Base64)?)),
            (None, None) => None,
        };
        let replaced = body.is_some() || action.status.is_some() || action.error.is_some();
        let shaped = replaced
            || !action.headers.is_empty()
            || action.content_type.is_some()
            || action.truncate_at.is_some()
            || action.drip_ms.is_some();
        if action.drop.is_some() && shaped {
            return Err(ScriptError::DropWithReply);
        }
        let dropped_before = action.drop == Some(Moment::Before);
        if dropped_before && action.process == Some(true) {
            return Err(ScriptError::DropProcessed);
        }
        if [action.delay_ms, action.drip_ms].into_iter().flatten().any(|ms| ms > LONGEST_DELAY_MS) {
            return Err(ScriptError::Delay);
        }
        if action.delay.is_some() && action.delay_ms.is_none() {
            return Err(ScriptError::DelayWithoutLength);
        }
        let mut headers = Vec::new();
        for (name, value) in action.headers {
            headers.push(header(&name, &value).ok_or(ScriptError::Header(name))?);
        }
        if let Some(media_type) = action.content_type {
            headers.push((CONTENT_TYPE, media_type.parse().map_err(|_| ScriptError::ContentType)?));
        }
        Ok(Self {
            delay: action.delay_ms.map(|ms| (action.delay.unwrap_or_default(), Duration::from_millis(ms))),
            processed: action.process.unwrap_or(!dropped_before && !replaced),
            dropped: action.drop.is_some(),
            status: action.status.map(status).transpose()?,
            headers,
            body,
            truncate_at: action.truncate_at,
            drip: action.drip_ms.map(Duration::from_millis),
            error: action.error,
        })
    }
}

fn status(code: u16) -> Result<StatusCode, ScriptError> {
    StatusCode::from_u16(code).ok().filter(|_| (200..600).contains(&code)).ok_or(ScriptError::Status)
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name: HeaderName = name.parse().ok()?;
    let reserved = [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION].contains(&name);
    value.parse().ok().filter(|_| !reserved).map(|value| (name, value))
}
