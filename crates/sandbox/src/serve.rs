//! The way of every protocol request: arrive, take effect, reply; with the script's fault at its place.
//!
//! Invariant: a request takes effect in one step under the lock, together with its log record and the state file, and
//! does so whether or not its client still waits. It is in flight until its reply has left or was broken off.

use crate::arrival::Arrival;
use crate::class::RecoveryClass;
use crate::ledger::{FamilyId, TokenId};
use crate::log::Endpoint;
use crate::reply::{Ending, OAuthError, Reply, ReplyBody};
use crate::script::{Fault, Moment};
use crate::shared::Shared;
use crate::state::{Arrived, Call, State};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// What an endpoint decided.
pub struct Decision {
    pub reply: Reply,
    /// For the log.
    pub outcome: &'static str,
    /// The grant that it concerned.
    pub family: Option<FamilyId>,
    /// The access token and the refresh token that were issued.
    pub issued: (Option<TokenId>, Option<TokenId>),
    /// Whether the state file is out of date.
    pub changed: bool,
}

impl Decision {
    /// A decision that issued nothing.
    pub fn plain(reply: Reply, outcome: &'static str) -> Self {
        Self { reply, outcome, family: None, issued: (None, None), changed: false }
    }
}

impl From<OAuthError> for Decision {
    fn from(error: OAuthError) -> Self {
        Self::plain(Reply::from(&error), error.code)
    }
}

/// Serves one request; `process` decides about it with the state locked.
pub async fn serve<P>(
    shared: &Arc<Shared>,
    class: RecoveryClass,
    endpoint: Endpoint,
    call: Call,
    process: P,
) -> HttpResponse<ReplyBody>
where
    P: FnOnce(&mut State, &Shared) -> Decision + Send + 'static,
{
    let Arrived { id, fault, latency } = shared.lock().arrive(class, endpoint, &call, shared.now());
    let exchanged = call.token.filter(|_| call.exchanges);
    let arrival = Arrival::new(Arc::clone(shared), id, exchanged);
    if fault.is_none() && latency.is_zero() {
        let reply = take_effect(shared, id, process);
        return send(reply, &Fault::none(), arrival);
    }
    let fault = fault.unwrap_or_else(|| Arc::new(Fault::none()));
    let work = {
        let (shared, fault) = (Arc::clone(shared), Arc::clone(&fault));
        async move {
            if !pause(&shared, latency + fault.delay_at(Moment::Before)).await {
                return (None, arrival);
            }
            let processed = fault.processed.then(|| take_effect(&shared, id, process));
            if !pause(&shared, fault.delay_at(Moment::After)).await {
                return (None, arrival);
            }
            let reply = match &fault.error {
                Some(code) => Reply::scripted_error(code),
                None => processed.unwrap_or_else(|| Reply::empty(StatusCode::OK)),
            };
            (Some(reply), arrival)
        }
    };
    // As a task of its own, so that a client that leaves does not stop it.
    match shared.tasks.spawn(work).await {
        Ok((Some(reply), arrival)) => send(reply, &fault, arrival),
        Ok((None, arrival)) => vanish(arrival),
        Err(_) => vanish(Arrival::new(Arc::clone(shared), id, None)),
    }
}

/// Waits; `false` if the sandbox stopped meanwhile.
async fn pause(shared: &Shared, length: Duration) -> bool {
    if length.is_zero() {
        return true;
    }
    tokio::select! {
        () = tokio::time::sleep(length) => true,
        () = shared.stopping.cancelled() => false,
    }
}

fn take_effect(shared: &Shared, id: u64, process: impl FnOnce(&mut State, &Shared) -> Decision) -> Reply {
    let mut state = shared.lock();
    let mut decision = process(&mut state, shared);
    if decision.changed && shared.save(&state).is_err() {
        let error = OAuthError::server_error("the sandbox cannot write its state file");
        decision.reply = Reply::from(&error);
        decision.outcome = error.code;
    }
    let now = shared.now();
    if let Some(record) = state.log.get_mut(id) {
        record.processed_at_ms = Some(now);
        record.outcome = decision.outcome;
        record.family = decision.family.or(record.family);
        (record.new_access_token, record.new_refresh_token) = decision.issued;
    }
    decision.reply
}

fn send(mut reply: Reply, fault: &Fault, arrival: Arrival) -> HttpResponse<ReplyBody> {
    if fault.dropped {
        return vanish(arrival);
    }
    reply.status = fault.status.unwrap_or(reply.status);
    if let Some(body) = &fault.body {
        reply.body = body.clone();
    }
    // These have no body, whatever the script says (RFC 9110 section 6.4.1).
    if [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT, StatusCode::NOT_MODIFIED].contains(&reply.status) {
        reply.body.clear();
    }
    if let Some(record) = arrival.shared.lock().log.get_mut(arrival.id) {
        record.status = Some(reply.status.as_u16());
    }
    let announced = reply.body.len();
    let ending = match fault.truncate_at.filter(|at| *at < announced) {
        Some(at) => {
            reply.body.truncate(at);
            Ending::Cut
        }
        None => Ending::Whole,
    };
    let body = ReplyBody::new(reply.body, announced, fault.drip, ending, arrival);
    let mut response = HttpResponse::with_body(reply.status, body);
    for (name, value) in reply.headers.into_iter().chain(fault.headers.iter().cloned()) {
        response.headers_mut().insert(name, value);
    }
    response
}

fn vanish(arrival: Arrival) -> HttpResponse<ReplyBody> {
    let body = ReplyBody::new(Default::default(), 1, None, Ending::Vanish, arrival);
    HttpResponse::with_body(StatusCode::OK, body)
}
