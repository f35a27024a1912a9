//! The database, gone at the moment of a commit.

use super::{Made, assert_never_reused, assert_renewable, assert_served, connect, refreshes, register};
use crate::gate::Gate;
use crate::site::{Site, logged};
use crate::world::{PATIENCE, START, World};
use mortise_domain::{Clock as _, SystemClock};
use mortise_sandbox::RecoveryClass::{F, S};
use mortise_testkit::{Backend, DedicatedPostgres, wait};
use sea_orm::Database;

#[tokio::test]
async fn a_database_that_goes_at_a_commit_costs_no_pair() {
    let classes = [S, F];
    let mut postgres = DedicatedPostgres::start().await;
    let mut world = World::prepared(Backend::Sqlite, "dev").await;
    world.set("MORTISE_DATABASE_URL", postgres.url());
    // The shortest lease there is.
    world.set("MORTISE_REFRESH_DEADLINE", "1");
    let key = world.api_key("dev").await;
    world.api.use_key(key);
    world.serve().await;
    register(&world, &classes).await;
    let made = connect(&world, "acme", &classes).await;
    let ids: Vec<_> = made.iter().map(|made| &made.id).collect();
    let site = Site::new();
    let mut worker = site.worker(&world, "worker");

    // Stopped in order, and back while the worker still holds the pairs and tries again.
    let mut gate = Gate::build(Database::connect(postgres.url()).await.unwrap()).await;
    gate.close().await;
    gate.make_due(ids.iter().copied()).await;
    gate.wait_for(2).await;
    postgres.stop();
    gate.fell_with_the_database();
    logged(&mut worker, "the database is away at a commit").await;
    postgres.start_again();
    stored(&world, &gate, &made, 2).await;
    site.drained("worker").await;

    // Gone without a word, for longer than any lease: whoever comes first when it is back, the pairs come before.
    gate.close().await;
    gate.make_due(ids.iter().copied()).await;
    gate.wait_for(2).await;
    let mut leases = Vec::new();
    for id in &ids {
        leases.push(gate.lease(id).await.until.expect("a lease"));
    }
    postgres.kill9();
    gate.fell_with_the_database();
    let over = || leases.iter().all(|until| SystemClock::new().now().timestamp_millis() > *until);
    wait::until(PATIENCE, async || Ok(over().then_some(()))).await.unwrap();
    assert_eq!(site.spilled("worker").len(), 2);
    postgres.start_again();
    stored(&world, &gate, &made, 3).await;
    site.drained("worker").await;
    assert_eq!(refreshes(&world, &classes), [2, 2]);
    for made in &made {
        assert_renewable(&world, made).await;
    }
    assert_eq!(gate.taken().await, 0);
    assert_never_reused(&world);
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    world.end().await;
}

/// Waits until the rows hold this generation, and the API has noticed that the database is back: its idle connections end
/// one by one, each with an answer that says to come again.
async fn stored(world: &World, gate: &Gate, made: &[Made], generation: i64) {
    for made in made {
        wait::until(PATIENCE, async || Ok((gate.lease(&made.id).await.generation == generation).then_some(())))
            .await
            .unwrap();
    }
    let mut answers = 0;
    let steady = wait::until(PATIENCE, async || {
        let status = world.api.get("/connections").await.status;
        assert!([200, 503].contains(&status), "{status}");
        answers = if status == 200 { answers + 1 } else { 0 };
        Ok((answers > 20).then_some(()))
    });
    steady.await.unwrap();
    for made in made {
        assert_served(world, made).await;
    }
}
