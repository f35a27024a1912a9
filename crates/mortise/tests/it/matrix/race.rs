//! Row 12: many processes want the same rows at the same moment.

use super::stage::{ALL, Stage};
use crate::world::START;
use mortise_domain::{AttemptId, EventId, LeaseOwner, OsEntropy, SystemClock};
use mortise_sandbox::ClassSettingsPatch;
use mortise_sandbox::RecoveryClass::F;
use mortise_store::{ClaimTerms, Store};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::task::JoinSet;

const PROCESSES: usize = 16;
const ROUNDS: i64 = 6;

/// Every worker looks at each full second, so all of them look at once, at rows that became due in between.
#[tokio::test]
async fn row_12_sixteen_processes_race_for_due_rows() {
    let mut stage = Stage::serving(20, &ALL).await;
    let mut made = Vec::new();
    for class in ALL {
        made.extend(stage.import(class, 4).await);
        // Long enough for a second request, if there were one, to meet the first.
        let patch = ClassSettingsPatch { latency_ms: Some(300), ..ClassSettingsPatch::default() };
        stage.world.provider.sandbox.configure(class, patch).unwrap();
    }
    stage.world.set("MORTISE_DATABASE_CONNECTIONS", "2");
    let mut workers: Vec<_> = (0..PROCESSES).map(|at| stage.worker(&format!("worker-{at}"))).collect();
    for worker in &mut workers {
        crate::site::logged(worker, "working").await;
    }
    for round in 1..=ROUNDS {
        stage.make_due(&made).await;
        stage.wait_for_generation(&made, round + 1).await;
        assert_eq!(stage.asked(&made), made.len() * round as usize, "somebody was asked twice");
    }
    for worker in &mut workers {
        worker.signal("TERM");
    }
    for worker in &mut workers {
        assert!(worker.ended(START).await.success(), "{}", worker.output());
    }
    stage.end().await;
}

/// How often sixteen race.
const RACES: usize = 10_000;

/// The claims alone, of sixteen stores with connections of their own: ten thousand due rows, each of which every store would
/// take, are taken once each. Small claims, so that there are many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_12_sixteen_stores_race_ten_thousand_times() {
    let mut stage = Stage::serving(20, &[F]).await;
    let first = super::hands::uuid_of(&stage.import(F, 1).await[0].id);
    let columns = "environment_id, customer_id, app_id, connector_version, family, state, state_reason, state_since, \
                   generation, granted_at, created_at, updated_at, expires_at, requested_scopes, access_token, refresh_token";
    stage
        .run(&format!(
            "INSERT INTO connections (id, next_refresh_at, {columns}) SELECT gen_random_uuid(), 1, {columns} \
             FROM connections, generate_series(1, {RACES}) WHERE id = '{first}'; ANALYZE connections"
        ))
        .await;
    let mut stores = JoinSet::new();
    for _ in 0..PROCESSES {
        let store = Store::connect(stage.world.database.url(), 1).await.unwrap();
        stores.spawn(async move {
            let owner = LeaseOwner::generate(&SystemClock::new(), &OsEntropy);
            let terms = ClaimTerms { owner, lease: Duration::from_secs(600), attempt: Duration::from_secs(500) };
            let attempt = || AttemptId::generate(&SystemClock::new(), &OsEntropy);
            let event = || EventId::generate(&SystemClock::new(), &OsEntropy);
            let mut taken = Vec::new();
            loop {
                let claimed = store.connections_claim_due(&terms, 10, &[], attempt, event).await.unwrap();
                if claimed.is_empty() {
                    return taken;
                }
                taken.extend(claimed.into_iter().map(|claim| (claim.connection.id, claim.fence)));
            }
        });
    }
    let taken: Vec<_> = stores.join_all().await.into_iter().flatten().collect();
    let rows: BTreeSet<_> = taken.iter().map(|(id, _)| *id).collect();
    assert_eq!((taken.len(), rows.len()), (RACES, RACES), "a row was taken twice, or by nobody");
    assert!(taken.iter().all(|(_, fence)| *fence == 1));
    let begun = stage.gate.number("SELECT count(*) FROM events WHERE kind = 'refresh_started'").await;
    assert_eq!(begun, RACES as i64, "intents");
    stage.world.end().await;
}
