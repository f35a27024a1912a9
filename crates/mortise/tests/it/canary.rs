//! One run through everything with secrets that occur nowhere else, then a search for them wherever the program writes:
//! database files, logs, spill folder, metrics, error bodies. Everything is logged that can be.

mod errors;
mod run;

use crate::gate::Gate;
use crate::world::World;
use crate::world::api::app_id;
use crate::world::provider::CLIENT_ID;
use mortise_sandbox::RecoveryClass::F;
use mortise_testkit::{Backend, Canaries, DedicatedPostgres};
use run::Run;
use sea_orm::{ConnectionTrait as _, Database};

#[tokio::test]
async fn no_secret_is_in_clear_on_postgresql() {
    let postgres = DedicatedPostgres::start().await;
    let mut world = World::prepared(Backend::Sqlite, "dev").await;
    world.set("MORTISE_DATABASE_URL", postgres.url());
    let key = world.api_key("dev").await;
    world.api.use_key(key);
    let side = Database::connect(postgres.url()).await.unwrap();
    let gate = Gate::build(side.clone()).await;
    let mut run = Run::through(world, Some(gate)).await;
    side.execute_unprepared("CHECKPOINT").await.unwrap();
    run.stop().await;

    let canaries = run.canaries();
    assert_clean(&run, &canaries);
    let held = &run.spilled;
    assert!(!held.is_empty(), "no spill file was caught");
    for file in held {
        canaries.assert_absent("a spill file", file);
    }
    let data = postgres.folder();
    for part in ["base", "pg_wal"] {
        let search = canaries.assert_absent_in_files(data.join(part));
        assert!(search.bytes > 1_000_000, "{part}: {search:?}");
    }
    // The same search sees what is no secret and stands in rows.
    let sightings = plain(&run).search_files(&data.join("base")).unwrap().sightings;
    assert!(
        sightings.iter().any(|s| s.name == "customer") && sightings.iter().any(|s| s.name == "client id"),
        "{sightings:?}"
    );
    run.end().await;
}

#[tokio::test]
async fn no_secret_is_in_clear_on_sqlite() {
    let world = World::prepared(Backend::Sqlite, "dev").await;
    let mut run = Run::through(world, None).await;
    let folder = run.world.database.folder().to_owned();
    // While the server still has the file open: its write-ahead log is there.
    let search = |canaries: &Canaries| {
        assert!(folder.join("mortise.db-wal").exists(), "no write-ahead log");
        canaries.search_files(&folder).unwrap()
    };
    let canaries = run.canaries();
    let found = search(&canaries);
    assert!(found.sightings.is_empty() && found.files >= 2, "{found:?}");
    let sightings = search(&plain(&run)).sightings;
    assert!(
        sightings.iter().any(|s| s.name == "customer") && sightings.iter().any(|s| s.name == "client id"),
        "{sightings:?}"
    );
    run.stop().await;
    canaries.assert_absent_in_files(&folder);
    assert_clean(&run, &canaries);
    run.end().await;
}

/// What is no secret, and is seen where secrets are searched for.
fn plain(run: &Run) -> Canaries {
    let app = app_id(F);
    let plain = [("customer", run::CUSTOMER), ("client id", CLIENT_ID), ("app", &app), ("connection", &run.connection)];
    Canaries::new(plain)
}

/// Logs, metrics and answers: no secret, and each of them is there to be searched.
fn assert_clean(run: &Run, canaries: &Canaries) {
    let plain = plain(run);
    for (name, log) in &run.logs {
        canaries.assert_absent(name, log);
        assert!(!log.contains("panicked"), "the {name} panicked");
    }
    for process in ["server", "worker"] {
        let (_, log) = run.logs.iter().find(|(name, _)| name == process).unwrap();
        assert!(log.contains("DEBUG") && log.contains("TRACE"), "the {process} kept to itself");
    }
    let logs: String = run.logs.iter().map(|(_, log)| log.as_str()).collect();
    assert!(plain.search("the logs", logs.as_bytes()).iter().any(|sighting| sighting.name == "app"));
    canaries.assert_absent("the metrics page", &run.metrics);
    assert!(run.metrics.contains("mortise_refreshes_total"), "{}", run.metrics);
    assert!(run.errors.len() >= 12, "only {} errors", run.errors.len());
    for (place, body) in &run.errors {
        canaries.assert_absent(place, body);
    }
}
