//! The worker, killed while the provider still thinks: what comes of it depends on the provider's rules.

use super::{Made, assert_renewable, assert_served, connect, gated, in_flight, slow_down};
use crate::world::api::app_id;
use crate::world::visitor::Visitor;
use crate::world::{PATIENCE, START, World};
use mortise_sandbox::RecoveryClass::{self, F, G, M, N, S, U};
use mortise_sandbox::{ClassSettingsPatch, RequestRecord};
use mortise_testkit::wait;
use serde_json::json;

const CLASSES: [RecoveryClass; 6] = [N, M, G, U, S, F];

/// One connection a class, and one more of S and F, whose request the provider drops unread.
#[tokio::test]
async fn nothing_is_stuck_after_the_lease_of_a_worker_killed_in_flight() {
    let (world, gate, site) = gated(&CLASSES).await;
    let grace = ClassSettingsPatch { grace: Some(600), ..ClassSettingsPatch::default() };
    world.provider.sandbox.configure(G, grace).unwrap();
    let mut made = connect(&world, "acme", &CLASSES).await;
    made.extend(connect(&world, "other", &[S, F]).await);
    slow_down(&world, &CLASSES, 4000);
    for class in [S, F] {
        world.provider.script(class, "refresh_token", 1, json!({"delay_ms": 4000, "drop": "before"}));
    }
    let mut worker = site.worker(&world, "worker");
    gate.make_due(made.iter().map(|made| &made.id)).await;
    in_flight(&world, 8).await;
    worker.kill9();

    let mut leases = Vec::new();
    for made in &made {
        let lease = gate.lease(&made.id).await;
        assert!(lease.attempt, "{lease:?}: the worker gave up before it was killed");
        leases.push(lease.until.expect("a lease"));
        // What lives is served meanwhile.
        assert_served(&world, made).await;
    }
    let mut worker = site.worker(&world, "worker");
    let mut lost = Vec::new();
    for (made, lease_until) in made.iter().zip(leases) {
        wait::until(PATIENCE, async || Ok((!gate.lease(&made.id).await.attempt).then_some(()))).await.unwrap();
        let refreshes = |request: &RequestRecord| {
            request.family == Some(made.family) && request.grant_type.as_deref() == Some("refresh_token")
        };
        let requests: Vec<_> = world.provider.token_requests(made.class).into_iter().filter(refreshes).collect();
        let [first, second] = requests.as_slice() else { panic!("{requests:?}") };
        assert!(second.received_at_ms >= lease_until, "the lease of a dead worker was not waited for");
        let spent = first.outcome == "issued" && [S, F].contains(&made.class);
        let view = world.api.connection(&made.id).await;
        if spent {
            assert_eq!(
                (&view["state"], &view["state_reason"]),
                (&json!("needs_reauth"), &json!("lost_rotation")),
                "{view}"
            );
            lost.push(made);
        } else {
            assert_eq!((view["state"].as_str(), second.outcome), (Some("active"), "issued"), "{view}");
            assert_renewable(&world, made).await;
        }
    }
    // The provider issued a successor that nobody received: once in S, once in F, which tells by asking again.
    assert_eq!(lost.iter().map(|made| made.class).collect::<std::collections::BTreeSet<_>>(), [S, F].into());
    let totals = world.provider.sandbox.totals();
    assert_eq!((lost.len(), totals.overlaps, totals.reuse_events), (2, 0, 2), "{totals:?}");
    for made in lost {
        reconnect(&world, made).await;
    }
    assert_eq!(gate.taken().await, 0);
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    world.end().await;
}

/// The customer consents once more, and the connection is what it was.
async fn reconnect(world: &World, made: &Made) {
    let customer = world.api.connection(&made.id).await["customer"].as_str().unwrap().to_owned();
    let session = world.api.session(&customer, json!({ "connection": made.id })).await;
    Visitor::new().consent(&session.url, &app_id(made.class)).await;
    assert_eq!(world.api.result_of(&session).await, made.id);
    assert_renewable(world, made).await;
}
