//! The worker, killed after the provider's reply and before its commit.

use super::{KILLS, assert_never_reused, assert_renewable, assert_served, connect, gated, refreshes};
use crate::world::PATIENCE;
use mortise_sandbox::RecoveryClass::{F, G, S};
use mortise_testkit::wait;

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
        // What the dead worker sent to the database is lost in one half of the kills, and still done in the other: then
        // the new one finds a pair on disk that is stored already.
        let lost = kill % 2 == 1;
        if lost {
            gate.open_but_for(&["worker"]).await
        } else {
            gate.open().await
        }

        worker = site.worker(&world, "worker");
        site.drained("worker").await;
        for made in &made {
            let stored = wait::until(PATIENCE, async || {
                Ok((gate.lease(&made.id).await.generation == kill as i64 + 1).then_some(()))
            });
            stored.await.unwrap_or_else(|error| panic!("{}: {error}\n{}", made.id, worker.output()));
            let events = world.api.events(&made.id).await;
            assert_eq!(
                events.last().map(String::as_str),
                Some(if lost { "recovered" } else { "refreshed" }),
                "{events:?}"
            );
            assert_served(&world, made).await;
        }
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
