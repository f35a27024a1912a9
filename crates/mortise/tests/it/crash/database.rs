//! The database, gone at the moment of a commit.

use super::server::Returning;
use super::{Made, assert_never_reused, assert_served, connect, refreshes, register};
use crate::gate::Gate;
use crate::site::{Site, logged};
use crate::world::api::Api;
use crate::world::{PATIENCE, START, World};
use mortise_domain::{Clock as _, SystemClock};
use mortise_sandbox::RecoveryClass::{F, G, S};
use mortise_testkit::{Backend, DedicatedPostgres, wait};
use sea_orm::Database;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

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
    let site = Site::new();
    world.set("MORTISE_SPILL_DIR", site.spill("server").to_str().unwrap());
    world.serve().await;
    register(&world, &classes).await;
    register(&world, &[G]).await;
    let made = connect(&world, "acme", &classes).await;
    let forced = connect(&world, "acme", &[G]).await;
    let late = Returning::new(&world, "late", G).await;
    let ids: Vec<_> = made.iter().map(|made| &made.id).collect();
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

    // Gone without a word, for longer than any lease, while the server is at it too: with a refresh, and with a grant.
    renewable_again(&world, &forced[0]).await;
    gate.close().await;
    gate.make_due(ids.iter().copied()).await;
    let gone = Arc::new(AtomicBool::new(false));
    let caller = JoinSet::from_iter([asks_until_it_is_gone(world.api.clone(), forced[0].id.clone(), gone.clone())]);
    let late = late.goes_on();
    gate.wait_for(4).await;
    let mut leases = Vec::new();
    for id in &ids {
        leases.push(gate.lease(id).await.until.expect("a lease"));
    }
    gone.store(true, Ordering::SeqCst);
    postgres.kill9();
    gate.fell_with_the_database();
    let over = || leases.iter().all(|until| SystemClock::new().now().timestamp_millis() > *until);
    wait::until(PATIENCE, async || Ok(over().then_some(()))).await.unwrap();
    assert_eq!((site.spilled("worker").len(), site.spilled("server").len()), (2, 2));
    // Nobody is told of what is not stored.
    assert_eq!(caller.join_all().await, [503]);
    late.browser.await.unwrap();
    postgres.start_again();
    // Whoever comes first now that every lease is over, the pairs on the disks come before.
    stored(&world, &gate, &made, 3).await;
    stored(&world, &gate, &forced, 3).await;
    site.drained("worker").await;
    site.drained("server").await;
    assert_eq!((refreshes(&world, &classes), refreshes(&world, &[G])), (vec![2, 2], vec![2]));
    let late = Made::find(&world, G, world.api.result_of(&late.session).await).await;
    for made in made.iter().chain(&forced).chain([&late]) {
        renewable_again(&world, made).await;
    }
    assert_eq!(gate.taken().await, 0);
    assert_never_reused(&world);
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    world.end().await;
}

/// A caller who is told to come again does so, as long as the database is there: the server may still find a connection that
/// died in the outage before, and then begins nothing for a while.
async fn asks_until_it_is_gone(api: Api, id: String, gone: Arc<AtomicBool>) -> u16 {
    loop {
        let answer = api.refresh(&id).await;
        if answer.status != 503 || gone.load(Ordering::SeqCst) {
            return answer.status;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// The provider accepts the refresh token that is stored, as soon as whoever saw the outage claims again.
async fn renewable_again(world: &World, made: &Made) {
    let renewed =
        wait::until(PATIENCE, async || Ok((world.api.refresh(&made.id).await.status == 200).then_some(()))).await;
    renewed.unwrap_or_else(|error| panic!("{} is not renewed: {error}", made.id));
    assert_served(world, made).await;
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
