//! `Idempotency-Key`: a creating request that is sent twice is carried out once, and its first answer is given again.
//!
//! Invariants: the key belongs to the API key, the method, the path and the very bytes of the body; whatever may go better
//! the next time (the service's or the provider's trouble) is forgotten, so that the key can be used again.

use crate::problem::{Code, Context, Problem, Result};
use crate::reply::{JSON, Reply};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use mortise_broker::{Begun, Caller, IdempotentRequest};
use std::sync::Arc;
use std::time::Duration;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const LONGEST_KEY: usize = 255;

/// A request with a key, and whose it is.
pub(crate) struct Key {
    caller: Arc<Caller>,
    request: IdempotentRequest,
}

/// The key of a request, if it brought one.
pub(crate) fn key(request: &HttpRequest, caller: &Arc<Caller>, body: &[u8]) -> Result<Option<Key>> {
    let mut values = request.headers().get_all(HEADER);
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.as_bytes(),
        (Some(_), Some(_)) => return Err(Problem::invalid("/Idempotency-Key", "send the header once")),
    };
    let printable = value.iter().all(|byte| (0x20..0x7f).contains(byte));
    let text = std::str::from_utf8(value).ok().filter(|text| printable && (1..=LONGEST_KEY).contains(&text.len()));
    let text = text.ok_or_else(|| {
        Problem::invalid("/Idempotency-Key", "use 1 to 255 printable ASCII characters, such as a random UUID")
    })?;
    let route = format!("{} {} {}", caller.key, request.method(), request.path());
    Ok(Some(Key { caller: caller.clone(), request: IdempotentRequest::new(&route, text, body) }))
}

/// Carries a request out, or repeats what came of it.
pub(crate) async fn once(
    context: Context<'_>,
    key: &Key,
    handled: impl Future<Output = Result<Reply>>,
) -> Result<HttpResponse> {
    let broker = &context.state.broker;
    match broker.begin_idempotent(&key.caller, &key.request).await? {
        Begun::New => {}
        Begun::InFlight => {
            let problem = Problem::new(Code::IdempotencyInFlight, Code::IdempotencyInFlight.meaning());
            return Err(problem.with_retry_after(Duration::from_secs(1)));
        }
        Begun::Mismatch => {
            return Err(Problem::new(Code::IdempotencyMismatch, Code::IdempotencyMismatch.way_out()));
        }
        Begun::Replay { status, body } => return replay(status, body.to_vec()),
    }
    match handled.await {
        Ok(reply) => {
            keep(context, key, reply.status, &reply.body).await;
            Ok(reply.answer())
        }
        Err(problem) => {
            let status = problem.code().status();
            if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
                if let Err(error) = broker.forget_idempotent(&key.caller, &key.request).await {
                    tracing::warn!(request_id = %context.id, %error, "an Idempotency-Key could not be let go");
                }
            } else {
                keep(context, key, status, &problem.bytes(context)).await;
            }
            Err(problem)
        }
    }
}

/// What was done was done: if its answer cannot be kept, the caller gets it all the same.
async fn keep(context: Context<'_>, key: &Key, status: StatusCode, body: &[u8]) {
    let kept = context.state.broker.finish_idempotent(&key.caller, &key.request, status.as_u16(), body).await;
    if let Err(error) = kept {
        tracing::error!(request_id = %context.id, %error, "an answer could not be kept for its Idempotency-Key");
    }
}

fn replay(status: u16, body: Vec<u8>) -> Result<HttpResponse> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let kind = if status.is_success() { JSON } else { "application/problem+json" };
    let mut answer = HttpResponse::build(status).body(body);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(answer)
}
