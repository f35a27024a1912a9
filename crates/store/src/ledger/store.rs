//! The books in a database: every method is the store's own of that name.

use super::Ledger;
use crate::{
    ClaimOne, ClaimRoom, ClaimTerms, Claimed, CommitOutcome, Connection, DueClaims, Ending, Event, LifetimeLearned,
    NewEvent, NewGrant, NewRevocation, Overdue, Page, RefreshFailed, RefreshResult, Result, StateChange, Store,
    TokenRow,
};
use async_trait::async_trait;
use mortise_domain::gate::{Gate, GateId, Limits, Outcome, Turn};
use mortise_domain::{
    AppKey, AttemptId, ConnectSessionId, ConnectionId, ConnectorKey, EnvironmentKey, EventId, StateReason, Timestamp,
};
use uuid::Uuid;

#[async_trait]
impl Ledger for Store {
    async fn ping(&self) -> Result<()> {
        Self::ping(self).await
    }

    async fn database_now(&self) -> Result<Timestamp> {
        Self::database_now(self).await
    }

    async fn connections_claim_due(
        &self,
        terms: &ClaimTerms,
        limit: usize,
        held: &[AppKey],
        attempts: &mut (dyn FnMut() -> AttemptId + Send),
        events: &mut (dyn FnMut() -> EventId + Send),
    ) -> Result<Vec<Claimed>> {
        Self::connections_claim_due(self, terms, limit, held, attempts, events).await
    }

    async fn connections_claim(
        &self,
        terms: &ClaimTerms,
        room: &ClaimRoom<'_>,
        attempts: &mut (dyn FnMut() -> AttemptId + Send),
        events: &mut (dyn FnMut() -> EventId + Send),
    ) -> Result<DueClaims> {
        Self::connections_claim(self, terms, room, attempts, events).await
    }

    async fn connection_claim_one(
        &self,
        terms: &ClaimTerms,
        environment: EnvironmentKey,
        id: ConnectionId,
        expected_generation: i64,
        attempt: AttemptId,
        event: EventId,
    ) -> Result<ClaimOne> {
        Self::connection_claim_one(self, terms, environment, id, expected_generation, attempt, event).await
    }

    async fn connection_claim_probe(
        &self,
        terms: &ClaimTerms,
        app: AppKey,
        attempt: AttemptId,
        event: EventId,
    ) -> Result<Option<Claimed>> {
        Self::connection_claim_probe(self, terms, app, attempt, event).await
    }

    async fn refresh_commit(&self, result: &RefreshResult, event: NewEvent) -> Result<CommitOutcome> {
        Self::refresh_commit(self, result, event).await
    }

    async fn refresh_failed(&self, failed: &RefreshFailed, event: NewEvent) -> Result<bool> {
        Self::refresh_failed(self, failed, event).await
    }

    async fn connection_set_state(
        &self,
        environment: EnvironmentKey,
        id: ConnectionId,
        family: i32,
        generation: i64,
        change: StateChange,
        event: NewEvent,
    ) -> Result<bool> {
        Self::connection_set_state(self, environment, id, family, generation, change, event).await
    }

    async fn connection_lifetime_learned(&self, learned: &LifetimeLearned, event: NewEvent) -> Result<bool> {
        Self::connection_lifetime_learned(self, learned, event).await
    }

    async fn connection_revoke(&self, ending: &Ending, reason: StateReason, now: Timestamp) -> Result<bool> {
        Self::connection_revoke(self, ending, reason, now).await
    }

    async fn connection_get(&self, environment: EnvironmentKey, id: ConnectionId) -> Result<Option<Connection>> {
        Self::connection_get(self, environment, id).await
    }

    async fn connection_token_row(&self, environment: EnvironmentKey, id: ConnectionId) -> Result<Option<TokenRow>> {
        Self::connection_token_row(self, environment, id).await
    }

    async fn connection_store_grant(
        &self,
        grant: &NewGrant,
        event: NewEvent,
        session: Option<ConnectSessionId>,
    ) -> Result<()> {
        Self::connection_store_grant(self, grant, event, session).await
    }

    async fn event_list(
        &self,
        environment: EnvironmentKey,
        connection: ConnectionId,
        page: Page,
    ) -> Result<(Vec<Event>, Option<Uuid>)> {
        Self::event_list(self, environment, connection, page).await
    }

    async fn revocation_enqueue(&self, new: NewRevocation, event: NewEvent) -> Result<()> {
        Self::revocation_enqueue(self, new, event).await
    }

    async fn app_hold(&self, key: AppKey, reason: &str, now: Timestamp, next_probe_at: Timestamp) -> Result<bool> {
        Self::app_hold(self, key, reason, now, next_probe_at).await
    }

    async fn app_release(&self, key: AppKey) -> Result<bool> {
        Self::app_release(self, key).await
    }

    async fn app_probe_claim(&self, key: AppKey, due: Option<Timestamp>, next: Timestamp) -> Result<bool> {
        Self::app_probe_claim(self, key, due, next).await
    }

    async fn apps_held(&self) -> Result<Vec<(AppKey, Option<Timestamp>)>> {
        Self::apps_held(self).await
    }

    async fn account_newer(&self, connection: ConnectionId) -> Result<u64> {
        Self::account_newer(self, connection).await
    }

    async fn gates(&self) -> Result<Vec<Gate>> {
        Self::gates(self).await
    }

    async fn gate_limit(&self, id: GateId, limits: Limits) -> Result<bool> {
        Self::gate_limit(self, id, limits).await
    }

    async fn gates_note(&self, notes: &[(GateId, Outcome)]) -> Result<Vec<(GateId, Turn)>> {
        Self::gates_note(self, notes).await
    }

    async fn connections_smear(
        &self,
        provider: ConnectorKey,
        held: &[AppKey],
        place: &mut (dyn FnMut(Overdue) -> Timestamp + Send),
    ) -> Result<Option<u64>> {
        Store::connections_smear(self, provider, held, place).await
    }
}
