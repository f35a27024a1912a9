//! The trait's side of it: each call takes the lock, reads the clock at most once, and is over.

use super::MemoryLedger;
use super::books::whole;
use super::claims::Ids;
use crate::leases::many::LARGEST_CLAIM;
use crate::{
    ClaimOne, ClaimRoom, ClaimTerms, Claimed, CommitOutcome, Connection, DueClaims, Ending, Event, Ledger,
    LifetimeLearned, NewEvent, NewGrant, NewRevocation, Overdue, Page, RefreshFailed, RefreshResult, Result,
    StateChange, TokenRow,
};
use async_trait::async_trait;
use mortise_domain::gate::{Gate, GateId, Limits, Outcome, Turn};
use mortise_domain::{
    AppKey, AttemptId, ConnectSessionId, ConnectionId, ConnectorKey, EnvironmentKey, EventId, StateReason, Timestamp,
};
use uuid::Uuid;

impl MemoryLedger {
    fn now(&self) -> Timestamp {
        whole(self.clock.now())
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn ping(&self) -> Result<()> {
        Ok(())
    }

    async fn database_now(&self) -> Result<Timestamp> {
        Ok(self.now())
    }

    async fn connections_claim_due(
        &self,
        terms: &ClaimTerms,
        limit: usize,
        held: &[AppKey],
        attempts: &mut (dyn FnMut() -> AttemptId + Send),
        events: &mut (dyn FnMut() -> EventId + Send),
    ) -> Result<Vec<Claimed>> {
        let room = ClaimRoom::of(limit, held);
        Ok(self.connections_claim(terms, &room, attempts, events).await?.claimed)
    }

    async fn connections_claim(
        &self,
        terms: &ClaimTerms,
        room: &ClaimRoom<'_>,
        attempts: &mut (dyn FnMut() -> AttemptId + Send),
        events: &mut (dyn FnMut() -> EventId + Send),
    ) -> Result<DueClaims> {
        let ids: Vec<Ids> = (0..room.limit.clamp(1, LARGEST_CLAIM)).map(|_| (attempts(), events())).collect();
        self.books().claim(self.now(), terms, room, &ids)
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
        let ids = (attempt, event);
        self.books().claim_one(self.now(), terms, (environment, id), expected_generation, ids)
    }

    async fn connection_claim_probe(
        &self,
        terms: &ClaimTerms,
        app: AppKey,
        attempt: AttemptId,
        event: EventId,
    ) -> Result<Option<Claimed>> {
        self.books().claim_probe(self.now(), terms, app, (attempt, event))
    }

    async fn refresh_commit(&self, result: &RefreshResult, event: NewEvent) -> Result<CommitOutcome> {
        self.books().refresh_commit(result, event)
    }

    async fn refresh_failed(&self, failed: &RefreshFailed, event: NewEvent) -> Result<bool> {
        self.books().refresh_failed(self.now(), failed, &event)
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
        self.books().set_state((environment, id), (family, generation), change, &event)
    }

    async fn connection_lifetime_learned(&self, learned: &LifetimeLearned, event: NewEvent) -> Result<bool> {
        self.books().lifetime_learned(self.now(), learned, &event)
    }

    async fn connection_revoke(&self, ending: &Ending, reason: StateReason, now: Timestamp) -> Result<bool> {
        self.books().revoke(ending, reason, now)
    }

    async fn connection_get(&self, environment: EnvironmentKey, id: ConnectionId) -> Result<Option<Connection>> {
        Ok(self.books().row_in(environment, id).cloned())
    }

    async fn connection_token_row(&self, environment: EnvironmentKey, id: ConnectionId) -> Result<Option<TokenRow>> {
        let now = self.now();
        Ok(self.books().row_in(environment, id).map(|row| token_row(row, now)))
    }

    async fn connection_store_grant(
        &self,
        grant: &NewGrant,
        event: NewEvent,
        session: Option<ConnectSessionId>,
    ) -> Result<()> {
        self.books().store_grant(grant, &event, session)
    }

    async fn event_list(
        &self,
        environment: EnvironmentKey,
        connection: ConnectionId,
        page: Page,
    ) -> Result<(Vec<Event>, Option<Uuid>)> {
        self.books().event_list(environment, connection, page)
    }

    async fn revocation_enqueue(&self, new: NewRevocation, event: NewEvent) -> Result<()> {
        self.books().revocation_enqueue(&new, &event)
    }

    async fn app_hold(&self, key: AppKey, reason: &str, _: Timestamp, next_probe_at: Timestamp) -> Result<bool> {
        Ok(self.books().app_hold(key, reason, next_probe_at))
    }

    async fn app_release(&self, key: AppKey) -> Result<bool> {
        Ok(self.books().app_release(key))
    }

    async fn app_probe_claim(&self, key: AppKey, due: Option<Timestamp>, next: Timestamp) -> Result<bool> {
        Ok(self.books().app_probe_claim(key, due, next))
    }

    async fn apps_held(&self) -> Result<Vec<(AppKey, Option<Timestamp>)>> {
        Ok(self.books().apps_held())
    }

    async fn gates(&self) -> Result<Vec<Gate>> {
        Ok(self.books().gates())
    }

    async fn gate_limit(&self, id: GateId, limits: Limits) -> Result<bool> {
        Ok(self.books().gate_limit(id, limits))
    }

    async fn gates_note(&self, notes: &[(GateId, Outcome)]) -> Result<Vec<(GateId, Turn)>> {
        Ok(self.books().gates_note(self.now(), notes))
    }

    async fn connections_smear(
        &self,
        provider: ConnectorKey,
        held: &[AppKey],
        place: &mut (dyn FnMut(Overdue) -> Timestamp + Send),
    ) -> Result<Option<u64>> {
        Ok(self.books().smear(self.now(), provider, held, place))
    }
}

fn token_row(row: &Connection, now: Timestamp) -> TokenRow {
    TokenRow {
        id: row.id,
        environment: row.environment,
        customer: row.customer,
        app: row.app,
        state: row.state,
        state_reason: row.state_reason,
        access: row.access.clone(),
        family: row.family,
        generation: row.generation,
        expires_at: row.expires_at,
        next_refresh_at: row.next_refresh_at,
        granted_scopes: row.granted_scopes.clone(),
        requested_scopes: row.requested_scopes.clone(),
        refreshed_at: row.refreshed_at,
        failures: row.failures,
        suspicions: row.suspicions,
        used_at: row.used_at,
        now,
    }
}
