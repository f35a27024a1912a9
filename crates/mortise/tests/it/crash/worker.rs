//! The worker, killed after the provider's reply and before its commit.

use super::{KILLS, assert_never_reused, assert_renewable, assert_served, connect, gated, refreshes};
use mortise_sandbox::RecoveryClass::{F, G, S};

#[tokio::test]
async fn a_worker_killed_twenty_times_between_reply_and_commit_loses_no_pair() {
    let classes = [S, F, G];
    let (world, mut gate, site) = gated(&classes).await;
    let made = connect(&world, "acme", &classes).await;
    let mut worker = site.worker(&world, "worker");
    for kill in 1..=KILLS {
        gate.close().await;
        gate.make_due(made.iter().map(|made| &made.id)).await;
        gate.wait_for(3).await;
        // Three replies have come, in each of three classes; no row knows of them.
        assert_eq!(refreshes(&world, &classes), [kill; 3]);
        assert_eq!(site.spilled("worker").len(), 3);
        worker.kill9();
        gate.open().await;

        worker = site.worker(&world, "worker");
        for made in &made {
            world.api.wait_for_event(&made.id, "recovered", kill).await;
            assert_served(&world, made).await;
        }
        site.drained("worker").await;
        // Nobody asked the provider again, and nothing is left to wait for.
        assert_eq!(refreshes(&world, &classes), [kill; 3]);
        assert_eq!(gate.taken().await, 0);
    }
    for made in &made {
        assert_renewable(&world, made).await;
        let events = world.api.events(&made.id).await;
        assert!(
            !events.iter().any(|kind| ["refresh_ambiguous", "refresh_failed", "needs_reauth"].contains(&kind.as_str()))
        );
    }
    assert_never_reused(&world);
    assert!(worker.sigterm(crate::world::START).await.success(), "{}", worker.output());
    world.end().await;
}
