//! One process's way to the books: calls take time, fail, fail after they did their work, or find nobody.
//!
//! Invariant: what is written down for the judges is what the books did, whether the process learns of it or not.

mod noting;

use crate::dice::Dice;
use crate::life::Life;
use crate::provider::Providers;
use crate::scenario::Bug;
use crate::seals::Strongbox;
use crate::trace::{Claim, Trace, Way, What};
use crate::weather::Weather;
use async_trait::async_trait;
use mortise_domain::gate::{Gate, GateId, Limits, Outcome, Turn};
use mortise_domain::{
    AppKey, AttemptId, ConnectSessionId, ConnectionId, ConnectionState, ConnectorKey, EnvironmentKey, EventId,
    StateReason, Timestamp,
};
use mortise_store::memory::{MemoryLedger, unavailable};
use mortise_store::{
    ClaimOne, ClaimRoom, ClaimTerms, Claimed, CommitOutcome, Connection, Doubt, DueClaims, Ending, Event, Ledger,
    LifetimeLearned, NewEvent, NewGrant, NewRevocation, Overdue, Page, RefreshFailed, RefreshResult, Result,
    StateChange, TokenRow,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

/// What a process has claimed last, by connection.
pub type Desk = Mutex<BTreeMap<ConnectionId, Claim>>;

/// The books as one process sees them.
pub struct ProcessLedger {
    pub books: Arc<MemoryLedger>,
    pub machine: usize,
    pub life: Arc<Life>,
    pub weather: Arc<Weather>,
    pub dice: Dice,
    pub trace: Arc<Trace>,
    pub boxed: Arc<Strongbox>,
    pub providers: Arc<Providers>,
    pub desk: Arc<Desk>,
    /// After how long a request is over, counted from its claim.
    pub attempt: Duration,
    pub bug: Option<Bug>,
}

impl std::fmt::Debug for ProcessLedger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProcessLedger").field("process", &self.life.number).finish_non_exhaustive()
    }
}

impl ProcessLedger {
    /// One call: there, the work, and back.
    async fn call<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.life.risk().await;
        self.travel().await;
        let sky = self.weather.now();
        if sky.database_down || sky.cut_off.contains(&self.machine) {
            tokio::time::sleep(self.dice.time(Duration::ZERO, Duration::from_secs(4))).await;
            self.life.go_on().await;
            return Err(unavailable());
        }
        if self.dice.chance(sky.fails_before) {
            return Err(unavailable());
        }
        let done = work.await;
        if self.dice.chance(sky.fails_after) {
            self.life.go_on().await;
            return Err(unavailable());
        }
        self.travel().await;
        self.life.risk().await;
        done
    }

    async fn travel(&self) {
        let slow = self.dice.chance(self.weather.now().database_slow);
        let most = Duration::from_millis(if slow { 4_000 } else { 8 });
        tokio::time::sleep(self.dice.time(Duration::ZERO, most)).await;
        self.life.go_on().await;
    }

    /// The terms, as the engine asks for them or as a broken one would.
    fn terms(&self, terms: &ClaimTerms) -> ClaimTerms {
        match self.bug {
            Some(Bug::LeaseIsShort) => {
                ClaimTerms { lease: Duration::from_secs(3), attempt: Duration::from_secs(2), owner: terms.owner }
            }
            _ => *terms,
        }
    }

    fn held<'a>(&self, held: &'a [AppKey]) -> &'a [AppKey] {
        if self.bug == Some(Bug::HeldIsClaimed) { &[] } else { held }
    }

    /// What a broken ledger forgets before it lets somebody claim this row.
    fn unlock(&self, id: ConnectionId) {
        if self.bug == Some(Bug::ClaimsAreShared)
            && let Some(row) = self.books.rows().into_iter().find(|row| row.id == id)
        {
            self.books.insert(Connection { lease_until: None, attempt_deadline: None, ..row });
        }
    }

    async fn commit(&self, result: &RefreshResult, event: NewEvent) -> Result<CommitOutcome> {
        let outcome = match self.bug {
            Some(Bug::CommitForgets) if self.dice.chance(0.1) => CommitOutcome::Committed,
            Some(Bug::CommitOverwrites) => self.overwrite(result, event).await?,
            _ => self.books.refresh_commit(result, event).await?,
        };
        self.note_commit(result, outcome);
        Ok(outcome)
    }

    /// As if the row were still what it was at the claim.
    async fn overwrite(&self, result: &RefreshResult, event: NewEvent) -> Result<CommitOutcome> {
        let row = self.books.connection_get(result.environment, result.id).await?;
        let Some(row) = row else { return Ok(CommitOutcome::Gone) };
        let forced = RefreshResult { family: row.family, parent_generation: row.generation, ..result.clone() };
        self.books.refresh_commit(&forced, event).await
    }

    async fn fail(&self, failed: &RefreshFailed, event: NewEvent) -> Result<bool> {
        let ours = match self.bug {
            Some(Bug::RetryInsideDeadline) => {
                let doubt = match failed.doubt {
                    Doubt::UnderWay | Doubt::UnderWayUntil(_) => Doubt::Processed,
                    known => known,
                };
                self.books.refresh_failed(&RefreshFailed { doubt, ..failed.clone() }, event).await?
            }
            _ => self.books.refresh_failed(failed, event).await?,
        };
        if ours {
            self.note_failure(failed);
        }
        if ours && failed.suspicions > 0 && self.bug == Some(Bug::DeadAtFirstRefusal) {
            self.kill(failed).await?;
        }
        Ok(ours)
    }

    /// What an engine without patience would do.
    async fn kill(&self, failed: &RefreshFailed) -> Result<()> {
        let Some(row) = self.books.connection_get(failed.environment, failed.id).await? else { return Ok(()) };
        let at = self.books.database_now().await?;
        let (to, reason) = (ConnectionState::NeedsReauth, StateReason::RefreshTokenRejected);
        let event = NewEvent {
            id: EventId::from_uuid(Uuid::from_u128(
                u128::from(row.fence.unsigned_abs()) << 64 | row.id.as_uuid().as_u128() >> 64,
            )),
            kind: mortise_domain::EventKind::NeedsReauth,
            at,
            detail: serde_json::json!({}),
        };
        let change = StateChange { to, reason, at };
        self.judge(&row, change, event).await.map(drop)
    }

    async fn judge(&self, row: &Connection, change: StateChange, event: NewEvent) -> Result<bool> {
        if self.bug == Some(Bug::QuarantineForgotten) && change.to == ConnectionState::Quarantined {
            return Ok(true);
        }
        let judgement = self.judgement(row, &change);
        let (environment, family, generation) = (row.environment, row.family, row.generation);
        let changed = self.books.connection_set_state(environment, row.id, family, generation, change, event).await?;
        self.trace.note(What::Judged(crate::trace::Judgement { changed, ..judgement }));
        Ok(changed)
    }
}

#[async_trait]
impl Ledger for ProcessLedger {
    async fn ping(&self) -> Result<()> {
        self.call(self.books.ping()).await
    }

    async fn database_now(&self) -> Result<Timestamp> {
        self.call(self.books.database_now()).await
    }

    async fn connections_claim_due(
        &self,
        terms: &ClaimTerms,
        limit: usize,
        held: &[AppKey],
        attempts: &mut (dyn FnMut() -> AttemptId + Send),
        events: &mut (dyn FnMut() -> EventId + Send),
    ) -> Result<Vec<Claimed>> {
        self.call(async {
            let terms = self.terms(terms);
            let claimed = self.books.connections_claim_due(&terms, limit, self.held(held), attempts, events).await?;
            claimed.iter().for_each(|claim| self.note_claim(claim, Way::Due));
            Ok(claimed)
        })
        .await
    }

    async fn connections_claim(
        &self,
        terms: &ClaimTerms,
        room: &ClaimRoom<'_>,
        attempts: &mut (dyn FnMut() -> AttemptId + Send),
        events: &mut (dyn FnMut() -> EventId + Send),
    ) -> Result<DueClaims> {
        self.call(async {
            let terms = self.terms(terms);
            let room = ClaimRoom { held: self.held(room.held), ..*room };
            let due = self.books.connections_claim(&terms, &room, attempts, events).await?;
            due.claimed.iter().for_each(|claim| self.note_claim(claim, Way::Due));
            Ok(due)
        })
        .await
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
        self.call(async {
            let terms = self.terms(terms);
            self.unlock(id);
            let claim =
                self.books.connection_claim_one(&terms, environment, id, expected_generation, attempt, event).await?;
            if let ClaimOne::Claimed(claim) = &claim {
                self.note_claim(claim, Way::Caller);
            }
            Ok(claim)
        })
        .await
    }

    async fn connection_claim_probe(
        &self,
        terms: &ClaimTerms,
        app: AppKey,
        attempt: AttemptId,
        event: EventId,
    ) -> Result<Option<Claimed>> {
        self.call(async {
            let claim = self.books.connection_claim_probe(&self.terms(terms), app, attempt, event).await?;
            claim.iter().for_each(|claim| self.note_claim(claim, Way::Probe));
            Ok(claim)
        })
        .await
    }

    async fn refresh_commit(&self, result: &RefreshResult, event: NewEvent) -> Result<CommitOutcome> {
        self.note_offer(result);
        self.call(self.commit(result, event)).await
    }

    async fn refresh_failed(&self, failed: &RefreshFailed, event: NewEvent) -> Result<bool> {
        self.call(self.fail(failed, event)).await
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
        self.call(async {
            match self.books.connection_get(environment, id).await? {
                Some(row) if (row.family, row.generation) == (family, generation) => {
                    self.judge(&row, change, event).await
                }
                Some(_) | None => Ok(false),
            }
        })
        .await
    }

    async fn connection_lifetime_learned(&self, learned: &LifetimeLearned, event: NewEvent) -> Result<bool> {
        self.call(self.books.connection_lifetime_learned(learned, event)).await
    }

    async fn connection_revoke(&self, ending: &Ending, reason: StateReason, now: Timestamp) -> Result<bool> {
        self.call(self.books.connection_revoke(ending, reason, now)).await
    }

    async fn connection_get(&self, environment: EnvironmentKey, id: ConnectionId) -> Result<Option<Connection>> {
        self.call(self.books.connection_get(environment, id)).await
    }

    async fn connection_token_row(&self, environment: EnvironmentKey, id: ConnectionId) -> Result<Option<TokenRow>> {
        self.call(self.books.connection_token_row(environment, id)).await
    }

    async fn connection_store_grant(
        &self,
        grant: &NewGrant,
        event: NewEvent,
        session: Option<ConnectSessionId>,
    ) -> Result<()> {
        self.call(self.books.connection_store_grant(grant, event, session)).await
    }

    async fn event_list(
        &self,
        environment: EnvironmentKey,
        connection: ConnectionId,
        page: Page,
    ) -> Result<(Vec<Event>, Option<Uuid>)> {
        self.call(self.books.event_list(environment, connection, page)).await
    }

    async fn revocation_enqueue(&self, new: NewRevocation, event: NewEvent) -> Result<()> {
        self.call(self.books.revocation_enqueue(new, event)).await
    }

    async fn app_hold(&self, key: AppKey, reason: &str, now: Timestamp, next_probe_at: Timestamp) -> Result<bool> {
        self.call(async {
            let changed = self.books.app_hold(key, reason, now, next_probe_at).await?;
            self.note_hold(key, changed, true);
            Ok(changed)
        })
        .await
    }

    async fn app_release(&self, key: AppKey) -> Result<bool> {
        self.call(async {
            let changed = self.books.app_release(key).await?;
            self.note_hold(key, changed, false);
            Ok(changed)
        })
        .await
    }

    async fn app_probe_claim(&self, key: AppKey, due: Option<Timestamp>, next: Timestamp) -> Result<bool> {
        self.call(self.books.app_probe_claim(key, due, next)).await
    }

    async fn apps_held(&self) -> Result<Vec<(AppKey, Option<Timestamp>)>> {
        self.call(self.books.apps_held()).await
    }

    async fn gates(&self) -> Result<Vec<Gate>> {
        self.call(self.books.gates()).await
    }

    async fn gate_limit(&self, id: GateId, limits: Limits) -> Result<bool> {
        self.call(self.books.gate_limit(id, limits)).await
    }

    async fn gates_note(&self, notes: &[(GateId, Outcome)]) -> Result<Vec<(GateId, Turn)>> {
        let told = self
            .call(async {
                let turns = self.books.gates_note(notes).await?;
                turns.iter().for_each(|(gate, turn)| self.trace.note(What::Turned { gate: *gate, turn: *turn }));
                Ok(turns)
            })
            .await;
        if told.is_err() {
            self.trace.note(What::Unreported { process: self.life.number });
        }
        told
    }

    async fn connections_smear(
        &self,
        provider: ConnectorKey,
        held: &[AppKey],
        place: &mut (dyn FnMut(Overdue) -> Timestamp + Send),
    ) -> Result<Option<u64>> {
        self.call(self.books.connections_smear(provider, held, place)).await
    }
}
