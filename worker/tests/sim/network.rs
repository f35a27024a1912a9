//! The network between processes and providers: requests and replies take time, get lost, arrive after their sender died.
//!
//! Invariant: a request, once it is under way, goes its way whatever becomes of its sender.

mod carry;
mod wire;

pub use carry::Network;
pub use wire::Wire;

use crate::dice::Dice;
use crate::ledger::Desk;
use crate::life::Life;
use crate::scenario::Bug;
use crate::trace::{Sent, What};
use async_trait::async_trait;
use carry::{Freight, Got};
use mortise_domain::{Clock as _, ConnectionId};
use mortise_oauth::{Outbound, Reply, SendError, Transport};
use mortise_sandbox::{Delivered, TokenId};
use mortise_store::memory::MemoryLedger;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// One process's way to the network.
pub struct ProcessTransport {
    pub network: Arc<Network>,
    pub books: Arc<MemoryLedger>,
    pub life: Arc<Life>,
    pub desk: Arc<Desk>,
    pub dice: Dice,
    pub bug: Option<Bug>,
    /// The share of replies that its process stands still over, for longer than a lease.
    pub dawdles: f64,
    /// Connections that it has open, for its death.
    pub wires: Mutex<Vec<Arc<Wire>>>,
}

#[async_trait]
impl Transport for ProcessTransport {
    async fn send(&self, request: Outbound) -> Result<Reply, SendError> {
        self.life.risk().await;
        let until = Instant::now() + request.deadline;
        if self.dice.chance(self.network.weather.now().no_connection) {
            tokio::time::sleep(self.dice.time(Duration::ZERO, Duration::from_secs(3))).await;
            self.life.go_on().await;
            return Err([SendError::Dns, SendError::Connect, SendError::Tls]
                .into_iter()
                .nth(self.dice.below(3))
                .unwrap());
        }
        tokio::time::sleep(self.dice.time(Duration::ZERO, Duration::from_millis(150))).await;
        self.life.go_on().await;
        // Looked at in the moment of writing, as the real client does.
        if Instant::now() >= until {
            return Err(SendError::Timeout);
        }
        let token = refresh_token(&request);
        let sent = self.sent(&token);
        let (id, attempt) = (sent.token, sent.claim.as_ref().map(|claim| (claim.attempt, claim.deadline)));
        self.network.trace.note(What::Sent(sent));
        let freight = Freight::new(request, self.life.number, attempt);
        let mut got = self.await_reply(&freight, until).await;
        if matches!(got, Err(SendError::Broken)) && self.bug == Some(Bug::TransportRetries) {
            got = self.await_reply(&freight, until).await;
        }
        if got.is_ok() && self.dice.chance(self.dawdles) {
            self.life.freeze_until(Instant::now() + self.dice.seconds(60, 120));
        }
        self.life.risk().await;
        let request = got.as_ref().ok().map(|(request, _)| *request);
        let reply = got.and_then(|(_, delivered)| reply(delivered));
        let (process, word) = (self.life.number, word(&reply));
        let quiet = reply.as_ref().ok().and_then(|reply| reply.retry_after);
        self.network.trace.note(What::Returned { process, token: id, request, word, quiet });
        reply
    }
}

impl ProcessTransport {
    async fn await_reply(&self, freight: &Freight, until: Instant) -> Result<Got, SendError> {
        let wire = self.open();
        let reply = self.network.carry(freight, wire.clone());
        match tokio::time::timeout_at(until, reply).await {
            Ok(Ok(got)) => Ok(got),
            Ok(Err(_)) => Err(SendError::Broken),
            Err(_) => {
                wire.leave();
                Err(SendError::Timeout)
            }
        }
    }

    fn open(&self) -> Arc<Wire> {
        let (wire, mut wires) = (Wire::new(), self.wires.lock().unwrap());
        wires.retain(|wire| Arc::strong_count(wire) > 1);
        wires.push(wire.clone());
        wire
    }

    /// What the judges have to know of a request in the moment in which it leaves.
    fn sent(&self, token: &str) -> Sent {
        let connection = self.network.providers.owner(token);
        let claim = connection.and_then(|id| self.desk.lock().unwrap().get(&id).cloned());
        let row = connection.and_then(|id| self.row(id));
        let held = claim.as_ref().filter(|claim| self.books.held_reason(claim.app).is_some());
        let held_for = held.and_then(|claim| self.network.held_since(claim.app));
        Sent {
            process: self.life.number,
            connection,
            token: TokenId::of(token),
            state: row.as_ref().map(|row| (row.state, row.state_since)),
            held_for,
            now: self.network.trace.clock.now(),
            claim,
        }
    }

    fn row(&self, id: ConnectionId) -> Option<mortise_store::Connection> {
        self.books.rows().into_iter().find(|row| row.id == id)
    }
}

fn refresh_token(request: &Outbound) -> String {
    let mut form = url::form_urlencoded::parse(&request.body);
    form.find(|(name, _)| name == "refresh_token").map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn reply(delivered: Option<Delivered>) -> Result<Reply, SendError> {
    let delivered = delivered.filter(|delivered| delivered.whole).ok_or(SendError::Broken)?;
    let mut reply = Reply::new(delivered.status, delivered.header("content-type"), delivered.body.clone());
    let seconds = delivered.header("retry-after").and_then(|value| value.parse().ok());
    reply.retry_after = seconds.map(Duration::from_secs);
    Ok(reply)
}

/// What a reply is, for the judges.
fn word(reply: &Result<Reply, SendError>) -> &'static str {
    let reply = match reply {
        Ok(reply) => reply,
        Err(error) if error.was_sent() => return "ambiguous",
        Err(_) => return "unsent",
    };
    let body = String::from_utf8_lossy(&reply.body);
    match reply.status {
        200 if body.contains("access_token") => "tokens",
        429 if body.contains("refresh_token") => "tokens",
        400 if body.contains("invalid_grant") => "invalid_grant",
        401 => "invalid_client",
        429 | 503 if reply.retry_after.is_some() => "throttled",
        _ => "senseless",
    }
}
