//! What the refresh engine asks of whatever keeps its books, as a trait, so that the engine does not know a database when
//! it meets one.
//!
//! Invariant: every implementation passes the same conformance suite, each method is one transaction, and a method that
//! answers an error may have done its work all the same (the answer can be lost on the way), which is why all that matters
//! is idempotent. Deliberately absent: everything that only the API and the administration need.

mod store;

use crate::{
    ClaimOne, ClaimRoom, ClaimTerms, Claimed, CommitOutcome, Connection, DueClaims, Ending, Event, LifetimeLearned,
    NewEvent, NewGrant, NewRevocation, Overdue, Page, RefreshFailed, RefreshResult, Result, StateChange, TokenRow,
};
use async_trait::async_trait;
use mortise_domain::gate::{Gate, GateId, Limits, Outcome, Turn};
use mortise_domain::{
    AppKey, AttemptId, ConnectSessionId, ConnectionId, ConnectorKey, EnvironmentKey, EventId, StateReason, Timestamp,
};
use std::fmt::Debug;
use uuid::Uuid;

/// The books of the refresh engine. [`crate::Store`] keeps them in a database; the methods are told there.
#[async_trait]
pub trait Ledger: Send + Sync + Debug {
    /// Whether it answers.
    async fn ping(&self) -> Result<()>;

    /// The time by the clock that leases and due times are compared with.
    async fn database_now(&self) -> Result<Timestamp>;

    /// [`crate::Store::connections_claim_due`]: what is due, most overdue first.
    async fn connections_claim_due(
        &self,
        terms: &ClaimTerms,
        limit: usize,
        held: &[AppKey],
        attempts: &mut (dyn FnMut() -> AttemptId + Send),
        events: &mut (dyn FnMut() -> EventId + Send),
    ) -> Result<Vec<Claimed>>;

    /// [`crate::Store::connections_claim`]: the same with a limit for each provider, and word of closed gates.
    async fn connections_claim(
        &self,
        terms: &ClaimTerms,
        room: &ClaimRoom<'_>,
        attempts: &mut (dyn FnMut() -> AttemptId + Send),
        events: &mut (dyn FnMut() -> EventId + Send),
    ) -> Result<DueClaims>;

    /// [`crate::Store::connection_claim_one`]: one connection, due or not.
    async fn connection_claim_one(
        &self,
        terms: &ClaimTerms,
        environment: EnvironmentKey,
        id: ConnectionId,
        expected_generation: i64,
        attempt: AttemptId,
        event: EventId,
    ) -> Result<ClaimOne>;

    /// [`crate::Store::connection_claim_probe`]: any one connection of a held app.
    async fn connection_claim_probe(
        &self,
        terms: &ClaimTerms,
        app: AppKey,
        attempt: AttemptId,
        event: EventId,
    ) -> Result<Option<Claimed>>;

    /// [`crate::Store::refresh_commit`]: stores a pair; again changes nothing.
    async fn refresh_commit(&self, result: &RefreshResult, event: NewEvent) -> Result<CommitOutcome>;

    /// [`crate::Store::refresh_failed`]: ends a claim without a pair.
    async fn refresh_failed(&self, failed: &RefreshFailed, event: NewEvent) -> Result<bool>;

    /// [`crate::Store::connection_set_state`]: a compare-and-set on family and generation.
    async fn connection_set_state(
        &self,
        environment: EnvironmentKey,
        id: ConnectionId,
        family: i32,
        generation: i64,
        change: StateChange,
        event: NewEvent,
    ) -> Result<bool>;

    /// [`crate::Store::connection_lifetime_learned`]: when the token in store ends, if that was not known.
    async fn connection_lifetime_learned(&self, learned: &LifetimeLearned, event: NewEvent) -> Result<bool>;

    /// [`crate::Store::connection_revoke`]: ends a connection.
    async fn connection_revoke(&self, ending: &Ending, reason: StateReason, now: Timestamp) -> Result<bool>;

    /// [`crate::Store::connection_get`]: one connection, revoked ones too.
    async fn connection_get(&self, environment: EnvironmentKey, id: ConnectionId) -> Result<Option<Connection>>;

    /// [`crate::Store::connection_token_row`]: what a token is served from.
    async fn connection_token_row(&self, environment: EnvironmentKey, id: ConnectionId) -> Result<Option<TokenRow>>;

    /// [`crate::Store::connection_store_grant`]: a new or replaced grant; again changes nothing.
    async fn connection_store_grant(
        &self,
        grant: &NewGrant,
        event: NewEvent,
        session: Option<ConnectSessionId>,
    ) -> Result<()>;

    /// [`crate::Store::event_list`]: a page of a timeline, newest first.
    async fn event_list(
        &self,
        environment: EnvironmentKey,
        connection: ConnectionId,
        page: Page,
    ) -> Result<(Vec<Event>, Option<Uuid>)>;

    /// [`crate::Store::revocation_enqueue`]: tokens that nobody holds and their provider has to be told about.
    async fn revocation_enqueue(&self, new: NewRevocation, event: NewEvent) -> Result<()>;

    /// [`crate::Store::app_hold`]: the app's client is refused.
    async fn app_hold(&self, key: AppKey, reason: &str, now: Timestamp, next_probe_at: Timestamp) -> Result<bool>;

    /// [`crate::Store::app_release`]: the app's client is accepted again.
    async fn app_release(&self, key: AppKey) -> Result<bool>;

    /// [`crate::Store::app_probe_claim`]: one probe an interval, whoever sends it.
    async fn app_probe_claim(&self, key: AppKey, due: Option<Timestamp>, next: Timestamp) -> Result<bool>;

    /// [`crate::Store::apps_held`]: every held app with the time of its next probe.
    async fn apps_held(&self) -> Result<Vec<(AppKey, Option<Timestamp>)>>;

    /// [`crate::Store::account_newer`]: newer grants of a connection's account; none where nobody keeps accounts.
    async fn account_newer(&self, _connection: ConnectionId) -> Result<u64> {
        Ok(0)
    }

    /// [`crate::Store::gates`]: every gate that there is something to say about.
    async fn gates(&self) -> Result<Vec<Gate>>;

    /// [`crate::Store::gate_limit`]: what a gate allows.
    async fn gate_limit(&self, id: GateId, limits: Limits) -> Result<bool>;

    /// [`crate::Store::gates_note`]: what came of requests.
    async fn gates_note(&self, notes: &[(GateId, Outcome)]) -> Result<Vec<(GateId, Turn)>>;

    /// [`crate::Store::connections_smear`]: other times for what is overdue at a provider.
    async fn connections_smear(
        &self,
        provider: ConnectorKey,
        held: &[AppKey],
        place: &mut (dyn FnMut(Overdue) -> Timestamp + Send),
    ) -> Result<Option<u64>>;
}
