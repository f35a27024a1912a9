//! Rows 10 and 11: a worker stands still while the world goes on, and wakes up.

use super::hands::soon;
use super::stage::{ALL, Stage};
use crate::world::START;
use mortise_testkit::faults::{Flow, Way, freeze, thaw};

/// It had its claim and had not sent: awake again, it sends nothing, because its time is over.
#[tokio::test]
async fn row_10_a_worker_wakes_up_after_another_took_over() {
    let mut stage = Stage::serving(60, &ALL).await;
    let made = stage.one_each(&ALL).await;
    let (mut wire, url) = stage.database_wire().await;
    let held = stage.hold_claims().await;
    stage.make_due(&made).await;
    let sleeper = stage.launch("sleeper").env("MORTISE_DATABASE_URL", url);
    let mut sleeper = sleeper.env("MORTISE_REFRESH_DEADLINE", "3").start();
    stage.gate.wait_for(1).await;
    wire.set(Way::Down, Flow::Hang);
    held.rollback().await.unwrap();
    for made in &made {
        soon("the intent", async || stage.gate.lease(&made.id).await.attempt).await;
    }
    freeze(&mut sleeper).await;
    // The news of its claim waits in its sockets.
    wire.heal().await;
    let attempts =
        "SELECT count(*) FROM connections WHERE attempt_deadline > (extract(epoch FROM clock_timestamp()) * 1000)";
    soon("the end of the attempts", async || stage.gate.number(attempts).await == 0).await;
    stage.end_leases(&made).await;
    let mut other = stage.worker("other");
    stage.wait_for_generation(&made, 2).await;
    assert!(other.sigterm(START).await.success(), "{}", other.output());

    thaw(&mut sleeper).await;
    // It works: what is due now is its own.
    let more = stage.one_each(&ALL).await;
    stage.make_due(&more).await;
    stage.wait_for_generation(&more, 2).await;
    assert!(sleeper.sigterm(START).await.success(), "{}", sleeper.output());
    assert_eq!((stage.asked(&made), stage.asked(&more)), (6, 6), "a claim that was over was sent");
    for made in &made {
        assert_eq!(stage.gate.lease(&made.id).await.generation, 2);
        stage.story.served(&stage.world.provider, made).await;
    }
    stage.end().await;
}

/// Its reply came while it stood still and its lease ran out; nobody else has tried: the reply is as good as any.
#[tokio::test]
async fn row_11_a_reply_waits_for_a_worker_that_stands_still() {
    let mut stage = Stage::serving(120, &ALL).await;
    let made = stage.one_each(&ALL).await;
    let mut worker = stage.stands_with_replies("worker", &made).await;
    stage.end_leases(&made).await;
    thaw(&mut worker).await;
    stage.wait_for_generation(&made, 2).await;
    assert_eq!(stage.asked(&made), 6);
    for made in &made {
        stage.story.served(&stage.world.provider, made).await;
    }
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}
