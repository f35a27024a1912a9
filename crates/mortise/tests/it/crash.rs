//! What becomes of token pairs when a process ends at the worst moment.

mod database;
mod in_flight;
mod late;
mod server;
mod spill;
mod stop;
mod worker;

use crate::gate::Gate;
use crate::site::Site;
use crate::world::api::app_id;
use crate::world::{PATIENCE, World};
use mortise_sandbox::{FamilyId, RecoveryClass};
use mortise_testkit::{Backend, Process, wait};
use serde_json::json;

/// How often the worst moment is met.
const KILLS: usize = 20;

/// A connection with where it was made.
struct Made {
    class: RecoveryClass,
    id: String,
    family: FamilyId,
}

impl Made {
    /// The provider knows the grant by the token that the API serves.
    async fn find(world: &World, class: RecoveryClass, id: String) -> Self {
        let token = world.api.access_token(&id).await;
        let family = world.provider.sandbox.check(&token).family;
        Self { class, id, family: family.expect("a token of the sandbox") }
    }
}

/// A server over PostgreSQL with a gate, no worker, and the classes' providers, whose tokens outlive every test.
async fn gated(classes: &[RecoveryClass]) -> (World, Gate, Site) {
    let world = World::serving(Backend::Postgres).await;
    register(&world, classes).await;
    let gate = Gate::build(world.database.connect().await).await;
    (world, gate, Site::new())
}

async fn register(world: &World, classes: &[RecoveryClass]) {
    for class in classes {
        world.api.register_final(&world.provider, *class).await;
        world.provider.lifetime(*class, 3600);
    }
}

/// A customer of this name connects at each class's provider.
async fn connect(world: &World, customer: &str, classes: &[RecoveryClass]) -> Vec<Made> {
    let mut made = Vec::new();
    for class in classes {
        let id = world.api.connect(customer, *class).await;
        made.push(Made::find(world, *class, id).await);
    }
    made
}

/// What the API hands out is the newest token that the provider issued, and the provider accepts it.
async fn assert_served(world: &World, made: &Made) {
    let token = world.api.access_token(&made.id).await;
    let check = world.provider.sandbox.check(&token);
    assert!(check.alive && check.newest, "{} serves a token of {check:?}", app_id(made.class));
    world.provider.userinfo(made.class, &token).await;
}

/// The provider accepts the refresh token that is stored, and the API serves what it gives for it.
async fn assert_renewable(world: &World, made: &Made) {
    let view = world.api.refresh(&made.id).await.expect(200).json();
    assert_eq!(view["state"], "active", "{view}");
    assert_served(world, made).await;
}

/// No refresh token was ever presented twice, nor by two at once.
fn assert_never_reused(world: &World) {
    let totals = world.provider.sandbox.totals();
    assert_eq!((totals.reuse_events, totals.overlaps, totals.in_flight), (0, 0, 0), "{totals:?}");
}

/// How often each class's provider was asked to refresh.
fn refreshes(world: &World, classes: &[RecoveryClass]) -> Vec<usize> {
    classes.iter().map(|class| world.provider.count(*class, "refresh_token")).collect()
}

/// Makes the next refresh of every class take so long, from its arrival to its effect.
fn slow_down(world: &World, classes: &[RecoveryClass], millis: u64) {
    for class in classes {
        world.provider.script(*class, "refresh_token", 1, json!({ "delay_ms": millis }));
    }
}

/// Waits until so many refreshes wait for the provider.
async fn in_flight(world: &World, requests: usize) {
    let sandbox = &world.provider.sandbox;
    let there = wait::until(PATIENCE, async || Ok((sandbox.totals().in_flight == requests).then_some(()))).await;
    there.unwrap_or_else(|error| panic!("not {requests} in flight: {error}: {:?}", sandbox.totals()));
}

/// Waits until the pair of a dead process has been stored so many times, as this one's log should say.
async fn recovered(world: &World, made: &Made, times: usize, worker: &Process) {
    let count = async || world.api.events(&made.id).await.iter().filter(|kind| *kind == "recovered").count();
    let there = wait::until(PATIENCE, async || Ok((count().await == times).then_some(()))).await;
    if let Err(error) = there {
        let events = world.api.events(&made.id).await;
        panic!("{} is not recovered {times} times: {error}; {events:?}\n{}", made.id, worker.output());
    }
}
