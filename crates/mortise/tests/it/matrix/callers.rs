//! Rows 13 and 15: many who ask at once.

use super::hands::soon;
use super::stage::{Made, Stage};
use crate::world::START;
use mortise_sandbox::RecoveryClass::F;
use mortise_testkit::Answer;
use serde_json::json;
use std::collections::BTreeSet;
use tokio::task::JoinSet;

/// One connection whose token has ended, at a provider that thinks for a while.
async fn ended(stage: &mut Stage) -> Made {
    stage.world.provider.lifetime(F, 1);
    let made = stage.import(F, 1).await.remove(0);
    stage.world.provider.lifetime(F, 3600);
    let over = async || stage.world.provider.grant(F).alive_access_tokens.is_empty();
    soon("the end of the token", over).await;
    made
}

#[tokio::test]
async fn row_13_a_thousand_fetches_of_an_ended_token_on_two_replicas() {
    let mut stage = Stage::serving(20, &[F]).await;
    let made = ended(&mut stage).await;
    stage.script(&[F], json!({"delay_ms": 2_000}));
    let (mut process, second) = stage.server("second").await;
    let (one, two) = (stage.story.clone(), stage.story.through(second));
    let mut callers: JoinSet<Answer> = JoinSet::new();
    for caller in 0..1000 {
        let (story, id) = (if caller % 2 == 0 { one.clone() } else { two.clone() }, made.id.clone());
        callers.spawn(async move { story.fetch(&id).await });
    }
    let answers = callers.join_all().await;
    assert_eq!(stage.asked(std::slice::from_ref(&made)), 1);
    let served: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    let tokens: BTreeSet<_> = served.iter().map(|answer| answer.json()["access_token"].to_string()).collect();
    assert_eq!(tokens.len(), 1, "all are given the same");
    for answer in &answers {
        let waits = answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| (1..=60).contains(&seconds));
        assert!(answer.status == 200 || (answer.status == 503 && waits), "{answer:?}");
    }
    assert!(served.len() >= 500, "only {} of 1000 were served", served.len());
    stage.story.served(&stage.world.provider, &made).await;
    assert!(process.sigterm(START).await.success(), "{}", process.output());
    stage.end().await;
}

/// The worker, a caller who forces it and a caller who needs it meet at the same row.
#[tokio::test]
async fn row_15_scheduled_forced_and_fetched_at_once() {
    let mut stage = Stage::serving(20, &[F]).await;
    let made = ended(&mut stage).await;
    stage.script(&[F], json!({"delay_ms": 1_000}));
    let held = stage.hold_claims().await;
    stage.make_due(std::slice::from_ref(&made)).await;
    let mut worker = stage.worker("worker");
    stage.gate.wait_for(1).await;
    let mut callers: JoinSet<Answer> = JoinSet::new();
    for caller in 0..4 {
        let (story, api, id) = (stage.story.clone(), stage.world.api.clone(), made.id.clone());
        callers.spawn(async move { if caller % 2 == 0 { story.fetch(&id).await } else { api.refresh(&id).await } });
    }
    // The server's own claim waits for the worker's.
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    soon("two claims of one row", async || stage.gate.number(waiting).await >= 2).await;
    held.rollback().await.unwrap();
    for answer in callers.join_all().await {
        answer.expect(200);
    }
    assert_eq!(stage.asked(std::slice::from_ref(&made)), 1);
    stage.wait_for_generation(std::slice::from_ref(&made), 2).await;
    stage.story.served(&stage.world.provider, &made).await;
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}
