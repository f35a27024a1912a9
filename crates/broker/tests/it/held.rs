//! What lets a held app go, and what a held app saves.

use crate::bench::{Bench, broker};
use async_trait::async_trait;
use mortise_domain::{AppState, ConnectionState, EventKind, StateReason};
use mortise_oauth::{Outbound, Reply, SendError, Transport};
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use serde_json::{Value, json};
use std::sync::Arc;

const HELD: &str = "UPDATE apps SET state = 'held', held_since = 1, next_probe_at = 1, held_reason = ";

async fn app_state(bench: &Bench) -> AppState {
    bench.broker.app(&bench.caller, &"acme".parse().unwrap()).await.unwrap().state
}

/// One probe by a process that has just started; what it hears is in the script.
async fn probe(bench: &Bench) {
    let worker = bench.sibling().await;
    assert_eq!(worker.probe_held_apps().await.unwrap(), 1);
    worker.drain().await;
}

/// The only connection's grant is gone, and the provider says so: to a client that it knows.
#[tokio::test]
async fn a_refused_grant_proves_that_the_client_is_accepted() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    bench.provider.json(401, &json!({"error": "invalid_client"}));
    bench.make_due().await;
    bench.work().await;
    assert_eq!(app_state(&bench).await, AppState::Held);

    for (answer, status, expected) in [
        (json!({"error": "invalid_client"}), 401, AppState::Held),
        (json!({"error": "server_error"}), 500, AppState::Held),
        (json!({"error": "invalid_grant"}), 400, AppState::Active),
    ] {
        bench.sql("UPDATE apps SET next_probe_at = 1").await;
        bench.make_due().await;
        bench.provider.json(status, &answer);
        probe(&bench).await;
        assert_eq!(app_state(&bench).await, expected, "{answer}");
    }
    assert_eq!(
        bench.view(id).await.state,
        ConnectionState::Active,
        "what one probe hears of the grant is not believed"
    );
}

/// Where grants are refused by the dozen one refusal more proves nothing; tokens do.
#[tokio::test]
async fn a_wave_is_over_when_there_are_tokens_again() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    for (answer, status, expected) in
        [(json!({"error": "invalid_grant"}), 400, AppState::Held), (crate::bench::tokens(2), 200, AppState::Active)]
    {
        bench.sql(&format!("{HELD}'invalid_grant_wave'")).await;
        bench.make_due().await;
        bench.provider.json(status, &answer);
        probe(&bench).await;
        assert_eq!(app_state(&bench).await, expected, "{answer}");
    }
    assert_eq!(bench.view(id).await.state, ConnectionState::Active);
}

/// A provider that refuses the grant just as somebody else finds out that it refuses them all.
struct Wave(DatabaseConnection);

#[async_trait]
impl Transport for Wave {
    async fn send(&self, _: Outbound) -> Result<Reply, SendError> {
        self.0.execute_unprepared(&format!("{HELD}'invalid_grant_wave'")).await.unwrap();
        Ok(Reply::new(400, Some("application/json"), json!({"error": "invalid_grant"}).to_string()))
    }
}

#[tokio::test]
async fn a_grant_is_not_given_up_once_its_app_is_held() {
    for (held, expected) in [(true, StateReason::Consented), (false, StateReason::RefreshTokenRejected)] {
        let bench = Bench::new("F").await;
        let id = bench.connect().await;
        bench.provider.json(400, &json!({"error": "invalid_grant"}));
        let provider: Arc<dyn Transport> =
            if held { Arc::new(Wave(bench.database.connect().await)) } else { bench.provider.clone() };
        // Nothing can be served, and this is the second refusal after half a minute.
        bench.stand(-10, 1, 31).await;
        let worker = broker(&bench.database, bench.folder.path(), provider).await;
        assert_eq!(worker.refresh_due().await.unwrap().begun, 1);
        worker.drain().await;
        let view = bench.view(id).await;
        assert_eq!(view.state_reason, expected, "{view:?}");
        let last = if held { EventKind::RefreshSuspected } else { EventKind::NeedsReauth };
        assert_eq!(bench.events(id).await.last(), Some(&last));
    }
}

/// A provider that answers in a way of its own is asked less and less, and nobody is bothered for it.
#[tokio::test]
async fn what_nobody_understands_is_suspected_in_the_end_and_never_believed() {
    let bench = Bench::new("N").await;
    let id = bench.connect().await;
    let teapot: Value = json!({"error": "im_a_teapot"});
    for (failures, least, most, kind) in
        [(0, 0, 6, EventKind::RefreshFailed), (8, 21_000, 24_000, EventKind::RefreshSuspected)]
    {
        // Its token ended a day ago.
        bench.stand(-86_400, 0, 0).await;
        bench.sql(&format!("UPDATE connections SET failures = {failures}")).await;
        bench.provider.json(418, &teapot);
        bench.work().await;
        let view = bench.view(id).await;
        assert_eq!((view.state, view.failures), (ConnectionState::Active, failures + 1));
        assert_eq!(bench.events(id).await.last(), Some(&kind));
        let now = mortise_domain::Clock::now(&mortise_domain::SystemClock::new());
        let wait = (view.next_refresh_at.unwrap() - now).num_seconds();
        assert!((least..=most).contains(&wait), "{failures}: {wait} s");
        assert_eq!(view.last_error.as_deref(), Some("im_a_teapot"), "it is named");
    }
}
