//! A stop in order, with refreshes in flight.

use super::{assert_never_reused, assert_renewable, assert_served, connect, gated, in_flight, refreshes, slow_down};
use crate::world::START;
use mortise_sandbox::RecoveryClass::{self, F, G, M, N, S, U};
use std::time::Duration;
use tokio::task::JoinSet;

const CLASSES: [RecoveryClass; 6] = [N, M, G, U, S, F];

#[tokio::test]
async fn a_worker_that_is_asked_to_stop_brings_its_refreshes_home() {
    let (world, mut gate, site) = gated(&CLASSES).await;
    let made = connect(&world, "acme", &CLASSES).await;
    let mut worker = site.worker(&world, "worker");

    // While the provider thinks.
    slow_down(&world, &CLASSES, 3000);
    gate.make_due(made.iter().map(|made| &made.id)).await;
    in_flight(&world, CLASSES.len()).await;
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    assert_eq!((gate.taken().await, site.spilled("worker").len()), (0, 0));

    // And at the commit: it does not end before the pairs are stored.
    worker = site.worker(&world, "worker");
    gate.close().await;
    gate.make_due(made.iter().map(|made| &made.id)).await;
    gate.wait_for(6).await;
    worker.signal("TERM");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(worker.exit_status(), None, "it left its pairs behind:\n{}", worker.output());
    gate.open().await;
    assert!(worker.ended(START).await.success(), "{}", worker.output());
    assert_eq!((gate.taken().await, site.spilled("worker").len()), (0, 0));

    assert_eq!(refreshes(&world, &CLASSES), [2; 6]);
    for made in &made {
        let events = world.api.events(&made.id).await;
        let told: Vec<_> = events.iter().filter(|kind| kind.starts_with("refresh")).map(String::as_str).collect();
        assert_eq!(told, ["refresh_started", "refreshed", "refresh_started", "refreshed"]);
        assert_renewable(&world, made).await;
    }
    assert_never_reused(&world);
    world.end().await;
}

#[tokio::test]
async fn a_server_that_is_asked_to_stop_answers_who_waits_for_a_refresh() {
    let (mut world, gate, _site) = gated(&CLASSES).await;
    let made = connect(&world, "acme", &CLASSES).await;
    slow_down(&world, &[M, U, F], 2000);
    slow_down(&world, &[N, G, S], 5000);
    let mut callers = JoinSet::new();
    let hang_up: Vec<_> = made
        .iter()
        .map(|made| {
            let (api, id) = (world.api.clone(), made.id.clone());
            callers.spawn(async move { api.refresh(&id).await.status })
        })
        .collect();
    in_flight(&world, CLASSES.len()).await;
    // The callers of N, G and S do not wait for the answer; their refreshes come home all the same.
    hang_up.into_iter().step_by(2).for_each(|caller| caller.abort());
    let mut server = world.server.take().unwrap();
    assert!(server.sigterm(START).await.success(), "{}", server.output());
    let mut answers = Vec::new();
    while let Some(ended) = callers.join_next().await {
        answers.extend(ended);
    }
    assert_eq!(answers, [200; 3]);
    assert_eq!(gate.taken().await, 0);
    world.serve().await;
    for made in &made {
        assert_eq!(gate.lease(&made.id).await.generation, 2, "{}", made.id);
        assert_served(&world, made).await;
    }
    assert_never_reused(&world);
    world.end().await;
}
