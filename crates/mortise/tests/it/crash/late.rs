//! A pair that is found on disk when its connection is no more: it belongs to nobody, and the provider hears of it.

use super::{assert_served, connect, gated, recovered};
use crate::site::logged;
use crate::world::{PATIENCE, START};
use mortise_sandbox::RecoveryClass::{F, G, S};
use mortise_testkit::wait;

#[tokio::test]
async fn a_pair_whose_connection_ended_while_its_worker_was_dead_is_revoked() {
    let classes = [S, F, G];
    let (world, mut gate, site) = gated(&classes).await;
    let gone = connect(&world, "gone", &classes).await;
    let ended = connect(&world, "ended", &classes).await;
    let stays = connect(&world, "stays", &classes).await;
    let all = || [&gone, &ended, &stays].into_iter().flatten();
    let mut worker = site.worker(&world, "worker");
    gate.close().await;
    gate.make_due(all().map(|made| &made.id)).await;
    gate.wait_for(9).await;
    worker.kill9();
    gate.open_but_for(&["worker"]).await;
    for made in &ended {
        world.api.delete(&format!("/connections/{}", made.id)).await.expect(204);
    }
    // Of this one not even the key is left that could open its pairs.
    world.api.delete("/customers/gone").await.expect(204);

    // A leftover of a foreign kind is no reason not to start either.
    std::fs::write(site.spill("worker").join("0.json"), "{\"kind\":\"refresh\"}").unwrap();
    let mut worker = site.worker(&world, "worker");
    logged(&mut worker, "a spill file does not read").await;
    for made in &stays {
        recovered(&world, made, 1, &worker).await;
        assert_served(&world, made).await;
    }
    let grants = || world.provider.sandbox.oracle(&Default::default(), 0).grants;
    let ended_upstream = |made: &super::Made| grants().iter().any(|g| g.family == made.family && g.ended.is_some());
    for made in &ended {
        let revoked = wait::until(PATIENCE, async || Ok(ended_upstream(made).then_some(()))).await;
        revoked.unwrap_or_else(|error| panic!("{}: {error}:\n{}", made.id, worker.output()));
    }
    // Nothing is tried for ever.
    wait::until(PATIENCE, async || Ok((site.spilled("worker").len() == 1).then_some(()))).await.unwrap();
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    world.end().await;
}
