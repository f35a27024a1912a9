//! Turning an [`Action`] into something that cannot contradict itself.

use super::{Action, Canned, LONGEST_DELAY_MS, Moment, ScriptError};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, HttpDate, TRANSFER_ENCODING, TryIntoHeaderValue,
};
use actix_web::web::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::time::{Duration, UNIX_EPOCH};

/// A checked action.
#[derive(Debug)]
pub struct Fault {
    pub delay: Option<(Moment, Duration)>,
    pub processed: bool,
    pub dropped: bool,
    /// Never replied to, whatever else stands here.
    pub hang: bool,
    pub status: Option<StatusCode>,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Option<Bytes>,
    pub truncate_at: Option<usize>,
    pub drip: Option<Duration>,
    pub error: Option<String>,
    pub retry_after: Option<RetryAfter>,
}

/// How `Retry-After` is told; both in seconds from the reply on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    Seconds(u64),
    Date(u64),
}

impl RetryAfter {
    /// The header's value in a reply that leaves at `now`, in unix milliseconds.
    pub fn header(self, now: i64) -> HeaderValue {
        match self {
            Self::Seconds(seconds) => HeaderValue::from(seconds),
            Self::Date(seconds) => {
                // A date has no parts of a second: the next whole one is not too early.
                let now = u64::try_from(now).unwrap_or_default().div_ceil(1000);
                let date = UNIX_EPOCH + Duration::from_secs(now.saturating_add(seconds));
                HttpDate::from(date).try_into_value().unwrap_or(HeaderValue::from_static("0"))
            }
        }
    }
}

impl Fault {
    /// The fault of requests that nobody scripted.
    pub const fn none() -> Self {
        Self {
            delay: None,
            processed: true,
            dropped: false,
            hang: false,
            status: None,
            headers: Vec::new(),
            body: None,
            truncate_at: None,
            drip: None,
            error: None,
            retry_after: None,
        }
    }

    /// Refused for now, without effect.
    pub fn too_often(wait: Duration) -> Self {
        let seconds = u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
        Self {
            processed: false,
            status: Some(StatusCode::TOO_MANY_REQUESTS),
            error: Some("too_many_requests".to_owned()),
            retry_after: Some(RetryAfter::Seconds(seconds)),
            ..Self::none()
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
        let bodies =
            [action.body.is_some(), action.body_base64.is_some(), action.reply.is_some(), action.error.is_some()];
        let body = match (action.body, action.body_base64, action.reply) {
            _ if bodies.iter().filter(|given| **given).count() > 1 => return Err(ScriptError::Bodies),
            (Some(text), _, _) => Some(Bytes::from(text)),
            (None, Some(encoded), _) => Some(Bytes::from(STANDARD.decode(encoded).map_err(|_| ScriptError::Base64)?)),
            (None, None, canned) => canned.map(Canned::body),
        };
        let retry_after = match (action.retry_after, action.retry_after_date) {
            (Some(_), Some(_)) => return Err(ScriptError::RetryAfterTwice),
            (Some(seconds), None) => Some(RetryAfter::Seconds(u64::from(seconds))),
            (None, date) => date.map(|seconds| RetryAfter::Date(u64::from(seconds))),
        };
        let replaced = body.is_some() || action.status.is_some() || action.error.is_some();
        let shaped = replaced
            || !action.headers.is_empty()
            || retry_after.is_some()
            || action.content_type.is_some()
            || action.truncate_at.is_some()
            || action.drip_ms.is_some();
        if (action.drop.is_some() || action.hang) && shaped || action.drop.is_some() && action.hang {
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
        let media_type = action.content_type.or_else(|| action.reply.map(|canned| canned.content_type().to_owned()));
        if let Some(media_type) = media_type {
            headers.push((CONTENT_TYPE, media_type.parse().map_err(|_| ScriptError::ContentType)?));
        }
        Ok(Self {
            delay: action.delay_ms.map(|ms| (action.delay.unwrap_or_default(), Duration::from_millis(ms))),
            processed: action.process.unwrap_or(!dropped_before && !replaced && !action.hang),
            dropped: action.drop.is_some(),
            hang: action.hang,
            status: action.status.map(status).transpose()?,
            headers,
            body,
            truncate_at: action.truncate_at,
            drip: action.drip_ms.map(Duration::from_millis),
            error: action.error,
            retry_after,
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
