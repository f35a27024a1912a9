//! The four builds whose fault is in the store, on a real database: the simulation keeps its books in memory.
//!
//! Each is asked the one question that it answers wrong, and the right build the same.

use super::code::House;
use mortise_broker::KnownBad;
use mortise_domain::{
    AttemptId, Clock as _, ConnectionId, ConnectionState, EnvironmentKey, EventId, EventKind, LeaseOwner, OsEntropy,
    Sealed, StateReason, SystemClock,
};
use mortise_store::{
    ClaimOne, ClaimTerms, Claimed, CommitOutcome, Doubt, NewEvent, RefreshFailed, RefreshResult, StateChange, Store,
};
use serde_json::json;
use std::time::Duration;

/// One connection in a database of its own.
struct Row {
    store: Store,
    environment: EnvironmentKey,
    id: ConnectionId,
    _house: House,
}

impl Row {
    async fn new() -> Self {
        let house = House::new("https://acme.example").await;
        let store = Store::connect(house.database.url(), 2).await.unwrap();
        let environment = store.environment_by_name(&"dev".parse().unwrap()).await.unwrap().unwrap().key;
        let id = house.import().await;
        Self { store, environment, id, _house: house }
    }

    /// A claim that is over at once, as if its process had stood still.
    async fn claim(&self) -> ClaimOne {
        let clock = SystemClock::new();
        let owner = LeaseOwner::generate(&clock, &OsEntropy);
        let terms = ClaimTerms { owner, lease: Duration::from_millis(2), attempt: Duration::from_millis(1) };
        let generation = 1;
        loop {
            let (attempt, event) = (AttemptId::generate(&clock, &OsEntropy), EventId::generate(&clock, &OsEntropy));
            let store = &self.store;
            let claim = store.connection_claim_one(&terms, self.environment, self.id, generation, attempt, event).await;
            match claim.unwrap() {
                ClaimOne::Busy { .. } => tokio::time::sleep(Duration::from_millis(5)).await,
                settled => return settled,
            }
        }
    }

    async fn claimed(&self) -> Claimed {
        match self.claim().await {
            ClaimOne::Claimed(claimed) => *claimed,
            other => panic!("not claimed: {other:?}"),
        }
    }

    async fn commit(&self, claimed: &Claimed) -> CommitOutcome {
        let (sealed, row) = (|| Sealed::from_bytes(b"sealed".to_vec()), &claimed.connection);
        let result = RefreshResult {
            environment: self.environment,
            id: self.id,
            attempt: claimed.attempt,
            family: row.family,
            parent_generation: row.generation,
            access: sealed(),
            refresh: Some(sealed()),
            refreshed_at: claimed.now,
            expires_at: None,
            next_refresh_at: None,
            granted_scopes: None,
            grant_expires_at: None,
            refresh_idle_at: None,
            previous_refresh: None,
        };
        self.store.refresh_commit(&result, line(EventKind::Refreshed)).await.unwrap()
    }

    async fn fail(&self, claimed: &Claimed) -> bool {
        let failed = RefreshFailed {
            environment: self.environment,
            id: self.id,
            fence: claimed.fence,
            next_refresh_at: claimed.now,
            failures: 1,
            last_error: "timeout".to_owned(),
            doubt: Doubt::None,
            suspicions: 0,
            suspected_at: None,
        };
        self.store.refresh_failed(&failed, line(EventKind::RefreshFailed)).await.unwrap()
    }

    async fn quarantine(&self) {
        let (to, reason) = (ConnectionState::Quarantined, StateReason::CiphertextRejected);
        let change = StateChange { to, reason, at: SystemClock::new().now() };
        let (environment, event) = (self.environment, line(EventKind::Quarantined));
        assert!(self.store.connection_set_state(environment, self.id, 1, 1, change, event).await.unwrap());
    }
}

fn line(kind: EventKind) -> NewEvent {
    let clock = SystemClock::new();
    NewEvent { id: EventId::generate(&clock, &OsEntropy), kind, at: clock.now(), detail: json!({}) }
}

/// Whether the store says what is wrong.
async fn is_wrong(build: KnownBad) -> bool {
    let row = Row::new().await;
    match build {
        KnownBad::ReleaseWithoutOwner => {
            let (earlier, _later) = (row.claimed().await, row.claimed().await);
            row.fail(&earlier).await
        }
        KnownBad::CasOnLease => {
            let (earlier, _later) = (row.claimed().await, row.claimed().await);
            row.commit(&earlier).await == CommitOutcome::GenerationMoved
        }
        KnownBad::UnconditionalOverwrite => {
            let (earlier, later) = (row.claimed().await, row.claimed().await);
            assert_eq!(row.commit(&later).await, CommitOutcome::Committed);
            row.commit(&earlier).await == CommitOutcome::Committed
        }
        KnownBad::QuarantinedIsRefreshed => {
            row.quarantine().await;
            matches!(row.claim().await, ClaimOne::Claimed(_))
        }
        other => panic!("{other:?} is not the store's"),
    }
}

#[test]
fn the_store_is_wrong_on_a_real_database_too() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for build in [
        KnownBad::ReleaseWithoutOwner,
        KnownBad::CasOnLease,
        KnownBad::UnconditionalOverwrite,
        KnownBad::QuarantinedIsRefreshed,
    ] {
        assert!(!runtime.block_on(is_wrong(build)), "{build:?}: the right build");
        let _built = build.build();
        assert!(runtime.block_on(is_wrong(build)), "{build:?}");
    }
}
