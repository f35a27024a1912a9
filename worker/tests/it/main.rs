//! The runner over a real database.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop loudly"
)]

use mortise_broker::{Broker, BrokerConfig};
use mortise_domain::{Clock, OsEntropy, SystemClock};
use mortise_oauth::EgressPolicy;
use mortise_oauth::testing::ScriptedTransport;
use mortise_store::Store;
use mortise_testkit::{Backend, TestDatabase, wait};
use mortise_vault::{create_key_file, load_key_file};
use mortise_worker::{JOBS, Job, Runner, Ticked};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

struct Bench {
    runner: Arc<Runner>,
    _folder: tempfile::TempDir,
    database: TestDatabase,
}

async fn bench() -> Bench {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.json");
    create_key_file(&keys, &OsEntropy).unwrap();
    let config = BrokerConfig {
        public_url: "https://broker.example".parse().unwrap(),
        egress: EgressPolicy::default(),
        spill_dir: folder.path().join("spill"),
        refresh_concurrency: 4,
        refresh_deadline: Duration::from_secs(5),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let store = Store::connect(database.url(), 4).await.unwrap();
    let transport = Arc::new(ScriptedTransport::new());
    let keyring = load_key_file(&keys).unwrap();
    let broker = Arc::new(Broker::new(store, keyring, transport, clock.clone(), Arc::new(OsEntropy), config));
    broker.check().await.unwrap();
    Bench { runner: Runner::new(broker, clock), _folder: folder, database }
}

#[test]
fn every_job_is_scheduled_once() {
    let all = [
        Job::RefreshDue,
        Job::ProbeHeldApps,
        Job::RevokeDue,
        Job::PollDevices,
        Job::ReplaySpill,
        Job::WriteUses,
        Job::WarnOfEnds,
        Job::Measure,
        Job::Sweep,
        Job::ApplyHolds,
        Job::MoveConnections,
    ];
    let scheduled: HashSet<_> = JOBS.iter().map(|(job, _)| *job).collect();
    assert_eq!(scheduled, all.into_iter().collect());
    assert_eq!(JOBS.len(), all.len());
}

#[tokio::test]
async fn every_job_runs_and_finds_nothing_to_do_in_an_empty_house() {
    let bench = bench().await;
    for (job, _) in JOBS {
        let ticked = bench.runner.tick(*job).await;
        assert!(matches!(ticked, Ticked::Ran(Ok(0))), "{job:?}: {ticked:?}");
    }
}

#[tokio::test]
async fn a_job_does_not_overlap_itself() {
    let bench = bench().await;
    // Whoever holds the only pen of an SQLite database keeps the job at work.
    let pen = bench.database.connect().await.begin().await.unwrap();
    pen.execute_unprepared("UPDATE environments SET name = name").await.unwrap();
    let ticks = (0..20).map(|_| bench.runner.tick(Job::Sweep));
    let put_down = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        pen.rollback().await.unwrap();
    };
    let (ticked, ()) = tokio::join!(futures_util::future::join_all(ticks), put_down);
    assert!(matches!(ticked[0], Ticked::Ran(Ok(0))), "{ticked:?}");
    assert!(ticked[1..].iter().all(|ticked| matches!(ticked, Ticked::Busy)), "{ticked:?}");
}

/// The ticker pokes by itself: what a dead process left in the spill folder is taken up without anybody asking.
#[tokio::test]
async fn the_ticker_pokes_and_a_stop_ends_it() {
    let bench = bench().await;
    let ticker = bench.runner.start().await.unwrap();
    let runner = bench.runner.clone();
    let poked =
        wait::until(Duration::from_secs(60), async || Ok((runner.completed(Job::RefreshDue) > 1).then_some(())));
    poked.await.unwrap();
    bench.runner.stop(ticker).await.unwrap();
    assert!(matches!(bench.runner.tick(Job::RefreshDue).await, Ticked::Stopping));
}
