//! Rows 1 to 6: kill -9 at every point of an attempt.

use super::hands::soon;
use super::stage::{ALL, Stage};
use crate::world::START;
use mortise_sandbox::RecoveryClass::{F, G, N, S};
use mortise_testkit::faults::{End, Flow, Way};
use mortise_testkit::{Http, ports};
use serde_json::json;

/// Killed at its claim: what was not committed has not happened, and the next one sends the only request.
#[tokio::test]
async fn row_01_killed_after_the_lease_and_before_the_intent() {
    let classes = [N, G, F];
    let mut stage = Stage::serving(60, &classes).await;
    let made = stage.one_each(&classes).await;
    let held = stage.hold_claims().await;
    stage.make_due(&made).await;
    let mut worker = stage.worker("first");
    stage.gate.wait_for(1).await;
    worker.kill9();
    // Lease and intent are one transaction: with its connection it is gone as a whole.
    stage.terminate("first").await;
    held.rollback().await.unwrap();
    for made in &made {
        let lease = stage.gate.lease(&made.id).await;
        assert_eq!((lease.until, lease.attempt), (None, false), "{lease:?}");
    }
    assert_eq!(stage.asked(&made), 0);
    let mut worker = stage.worker("second");
    stage.wait_for_generation(&made, 2).await;
    assert_eq!(stage.asked(&made), 3);
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}

/// Killed between the intent and the first byte: nobody can know that nothing was sent, so the next one waits for the end of
/// the attempt.
#[tokio::test]
async fn row_02_killed_after_the_intent_and_before_the_first_byte() {
    let mut stage = Stage::serving(60, &ALL).await;
    let made = stage.one_each(&ALL).await;
    let (wire, url) = stage.database_wire().await;
    let held = stage.hold_claims().await;
    stage.make_due(&made).await;
    let mut worker = stage.launch("first").env("MORTISE_DATABASE_URL", url).start();
    stage.gate.wait_for(1).await;
    // The database commits, and the worker never hears of it.
    wire.set(Way::Down, Flow::Hang);
    held.rollback().await.unwrap();
    for made in &made {
        soon("the intent", async || stage.gate.lease(&made.id).await.attempt).await;
    }
    worker.kill9();
    assert_eq!(stage.asked(&made), 0);

    let end = stage.shorten_leases(&made, 2_500).await;
    let mut worker = stage.worker("second");
    stage.wait_for_generation(&made, 2).await;
    for made in &made {
        let requests = stage.requests(made);
        assert_eq!(requests.len(), 1, "{requests:?}");
        assert!(requests[0].received_at_ms >= end, "the attempt of a dead worker was not waited for");
        stage.story.served(&stage.world.provider, made).await;
    }
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}

#[tokio::test]
async fn row_03_killed_after_the_request_and_before_the_reply() {
    let mut stage = Stage::serving(60, &ALL).await;
    stage.long_grace();
    let mut made = stage.one_each(&ALL).await;
    // Of S and F also one whose request is never processed.
    let unread = stage.one_each(&[S, F]).await;
    let harmed = stage.story.harmed();
    stage.hold_replies();
    let mut worker = stage.worker("first");
    stage.make_due(&made).await;
    stage.processed(&made).await;
    stage.script(&[S, F], json!({"drop": "before"}));
    stage.make_due(&unread).await;
    stage.wait_for_requests(&unread, 2).await;
    worker.kill9();
    harmed.over();
    stage.wire.heal().await;

    made.extend(unread.clone());
    let end = stage.shorten_leases(&made, 1_000).await;
    let mut worker = stage.worker("second");
    stage.after_the_attempt(&made, |made| !unread.iter().any(|unread| unread.id == made.id)).await;
    assert!(
        made.iter().all(|made| stage.requests(made)[1].received_at_ms >= end),
        "the attempt's end was not waited for"
    );
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}

/// The reply is in the process and on no disk: lost as in row 3, and nowhere else. Each loss is counted, once.
#[tokio::test]
async fn row_04_killed_after_the_reply_and_before_the_spill() {
    let mut stage = Stage::serving(60, &ALL).await;
    stage.long_grace();
    let made = stage.one_each(&ALL).await;
    let harmed = stage.story.harmed();
    let mut worker = stage.stands_with_replies("first", &made).await;
    worker.kill9();
    harmed.over();
    assert_eq!(stage.site.spilled("first").len(), 0);

    stage.shorten_leases(&made, 0).await;
    let metrics = format!("127.0.0.1:{}", ports::free().unwrap());
    let mut worker = stage.launch("first").env("MORTISE_METRICS_LISTEN", &metrics).start();
    stage.after_the_attempt(&made, |_| true).await;
    let counted = Http::new().get(&format!("http://{metrics}/metrics")).await.expect(200).body;
    let losses: Vec<_> = counted.lines().filter(|line| line.starts_with("mortise_rotations_lost_total")).collect();
    assert_eq!(losses.len(), 2, "{losses:?}");
    for provider in ["sandbox-s", "sandbox-f"] {
        let told = |line: &&&str| line.contains(provider) && line.contains("unanswered") && line.ends_with(" 1");
        assert_eq!(losses.iter().filter(told).count(), 1, "{provider}: {losses:?}");
    }
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}

/// From the spill on nothing is lost, in no class, and nobody is asked again.
#[tokio::test]
async fn row_05_killed_after_the_spill_and_before_the_commit() {
    let mut stage = Stage::serving(60, &ALL).await;
    let made = stage.one_each(&ALL).await;
    let mut worker = stage.worker("worker");
    stage.gate.close().await;
    stage.make_due(&made).await;
    stage.gate.wait_for(6).await;
    assert_eq!(stage.site.spilled("worker").len(), 6);
    worker.kill9();
    stage.gate.open_but_for(&["worker"]).await;
    for made in &made {
        assert_eq!(stage.gate.lease(&made.id).await.generation, 1);
    }
    let mut worker = stage.worker("worker");
    stage.wait_for_generation(&made, 2).await;
    stage.site.drained("worker").await;
    assert_eq!(stage.asked(&made), 6);
    for made in &made {
        stage.story.served(&stage.world.provider, made).await;
    }
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}

/// The database has committed, and the process dies before it hears so.
#[tokio::test]
async fn row_06_killed_after_the_commit_and_before_it_knows() {
    let mut stage = Stage::serving(60, &ALL).await;
    let made = stage.one_each(&ALL).await;
    let (wire, url) = stage.database_wire().await;
    let mut worker = stage.launch("worker").env("MORTISE_DATABASE_URL", &url).start();
    stage.gate.close().await;
    stage.make_due(&made).await;
    stage.gate.wait_for(6).await;
    wire.set(Way::Down, Flow::Hang);
    stage.gate.open().await;
    stage.wait_for_generation(&made, 2).await;
    worker.kill9();
    assert_eq!(stage.site.spilled("worker").len(), 6);

    wire.set(Way::Down, Flow::Pass);
    wire.cut(End::Reset);
    let mut worker = stage.launch("worker").env("MORTISE_DATABASE_URL", url).start();
    stage.site.drained("worker").await;
    assert_eq!(stage.gate.taken().await, 0);
    assert_eq!(stage.asked(&made), 6, "what is stored was asked for again");
    for made in &made {
        assert_eq!(stage.gate.lease(&made.id).await.generation, 2);
        let events = stage.world.api.events(&made.id).await;
        assert_eq!(events, ["imported", "refresh_started", "refreshed"], "one commit, told once");
        stage.story.served(&stage.world.provider, made).await;
    }
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}
