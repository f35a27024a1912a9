//! The way of every protocol request: arrive, take effect, reply; with a fault at its place.
//!
//! Invariant: a request takes effect in one step under the lock, together with its log record and the state file. It is
//! in flight until its reply has left or was lost. Deliberately absent: who waits, and on which clock: the HTTP server
//! sleeps, a simulation turns its own clock.

use crate::arrival::Arrival;
use crate::inbound::Inbound;
use crate::ledger::{FamilyId, TokenId};
use crate::reply::{Ending, OAuthError, Reply};
use crate::script::{Fault, Moment};
use crate::shared::Shared;
use crate::state::Noted;
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
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
    /// Whether a refresh token was presented that was no longer good.
    pub reuse: bool,
    /// Whether the state file is out of date.
    pub changed: bool,
}

impl Decision {
    /// A decision that issued nothing.
    pub fn plain(reply: Reply, outcome: &'static str) -> Self {
        Self { reply, outcome, family: None, issued: (None, None), reuse: false, changed: false }
    }
}

impl From<OAuthError> for Decision {
    fn from(error: OAuthError) -> Self {
        Self::plain(Reply::from(&error), error.code)
    }
}

/// A request that has arrived and had no effect yet.
pub struct Flight {
    inbound: Inbound,
    fault: Arc<Fault>,
    latency: Duration,
    arrival: Arrival,
}

/// A request that had its effect, or never will; the reply is still here.
pub struct Outbound {
    reply: Reply,
    fault: Arc<Fault>,
    arrival: Arrival,
}

/// A reply as it is to be sent.
pub struct Shaped {
    pub reply: Reply,
    /// The length that the head announces.
    pub announced: usize,
    pub drip: Option<Duration>,
    pub ending: Ending,
    pub arrival: Arrival,
}

impl Flight {
    /// Writes the request down and finds out what is to be done to it.
    pub fn begin(shared: &Arc<Shared>, inbound: Inbound) -> Self {
        let call = inbound.call();
        let noted = shared.lock().arrive(inbound.class, inbound.endpoint, &call, shared.stamp());
        let Noted { id, fault, latency } = noted;
        let exchanged = call.token.filter(|_| call.exchanges);
        let arrival = Arrival::new(Arc::clone(shared), id, exchanged);
        Self { inbound, fault: fault.unwrap_or_else(|| Arc::new(Fault::none())), latency, arrival }
    }

    /// In the log.
    pub const fn id(&self) -> u64 {
        self.arrival.id
    }

    /// How long it waits before it takes effect.
    pub fn wait(&self) -> Duration {
        self.latency + self.fault.delay_at(Moment::Before)
    }

    /// Its client closed the connection.
    pub fn client_left(&self) {
        self.arrival.shared.note_departure(self.arrival.id);
    }

    /// Whether nobody needs to wait for anything.
    pub fn is_prompt(&self) -> bool {
        self.wait().is_zero() && self.fault.delay_at(Moment::After).is_zero() && !self.fault.hang
    }

    /// Lets it take effect, unless a fault keeps it from that.
    pub fn process(self) -> Outbound {
        let Self { inbound, fault, arrival, .. } = self;
        let decided = fault.processed.then(|| take_effect(&arrival.shared, arrival.id, inbound));
        let reply = match &fault.error {
            Some(code) => Reply::scripted_error(code),
            None => decided.unwrap_or_else(|| Reply::empty(StatusCode::OK)),
        };
        Outbound { reply, fault, arrival }
    }
}

impl Outbound {
    /// How long it waits before the reply leaves. `None`: for ever.
    pub fn wait(&self) -> Option<Duration> {
        (!self.fault.hang).then(|| self.fault.delay_at(Moment::After))
    }

    /// How long the reply takes to leave from then on.
    pub fn length(&self) -> Duration {
        let body = self.fault.body.as_ref().unwrap_or(&self.reply.body);
        let bytes = u32::try_from(self.fault.truncate_at.unwrap_or(body.len()).min(body.len())).unwrap_or(u32::MAX);
        self.fault.drip.map_or(Duration::ZERO, |gap| gap.saturating_mul(bytes.saturating_sub(1)))
    }

    /// In the log.
    pub const fn id(&self) -> u64 {
        self.arrival.id
    }

    /// Its client closed the connection.
    pub fn client_left(&self) {
        self.arrival.shared.note_departure(self.arrival.id);
    }

    /// The reply after the fault's changes.
    pub fn shape(self) -> Shaped {
        let Self { mut reply, fault, arrival } = self;
        if fault.dropped || fault.hang {
            return Shaped::vanished(arrival);
        }
        reply.status = fault.status.unwrap_or(reply.status);
        if let Some(body) = &fault.body {
            reply.body = body.clone();
        }
        // These have no body, whatever the script says (RFC 9110 section 6.4.1).
        if [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT, StatusCode::NOT_MODIFIED].contains(&reply.status) {
            reply.body.clear();
        }
        reply.headers.extend(fault.headers.iter().cloned());
        if let Some(retry_after) = fault.retry_after {
            reply.headers.push((RETRY_AFTER, retry_after.header(arrival.shared.now())));
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
        Shaped { reply, announced, drip: fault.drip, ending, arrival }
    }
}

impl Shaped {
    /// Not one byte of reply.
    pub fn vanished(arrival: Arrival) -> Self {
        let reply = Reply { status: StatusCode::OK, headers: Vec::new(), body: Default::default() };
        Self { reply, announced: 1, drip: None, ending: Ending::Vanish, arrival }
    }
}

fn take_effect(shared: &Shared, id: u64, inbound: Inbound) -> Reply {
    let mut state = shared.lock();
    let mut decision = inbound.decide(&mut state, shared);
    if decision.changed && shared.save(&state).is_err() {
        let error = OAuthError::server_error("the sandbox cannot write its state file");
        decision.reply = Reply::from(&error);
        decision.outcome = error.code;
    }
    let now = shared.stamp();
    state.settle(now, Some(id));
    if let Some(record) = state.log.get_mut(id) {
        record.processed_at_ms = Some(now.ms);
        record.processed_us = Some(now.us);
        record.outcome = decision.outcome;
        record.family = decision.family.or(record.family);
        record.reuse = decision.reuse;
        (record.new_access_token, record.new_refresh_token) = decision.issued;
    }
    decision.reply
}
