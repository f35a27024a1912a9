//! Rows 7 and 8: the provider has spoken, and what arrives is nothing or not whole.

use super::hands::soon;
use super::stage::{ALL, Made, Stage};
use crate::world::START;
use mortise_testkit::faults::{End, Flow, Way};
use serde_json::json;

#[tokio::test]
async fn row_07_processed_and_the_reply_is_lost() {
    let mut stage = Stage::serving(60, &ALL).await;
    stage.long_grace();
    let mut worker = stage.worker("worker");
    for loss in ["reset", "closed", "gateway timeout"] {
        let made = stage.one_each(&ALL).await;
        let harmed = stage.story.harmed();
        match loss {
            "reset" => stage.wire.set(Way::Down, Flow::Limit(0, End::Reset)),
            "closed" => stage.script(&ALL, json!({"drop": "after"})),
            _ => stage.script(&ALL, json!({"status": 504, "process": true, "body": ""})),
        }
        stage.make_due(&made).await;
        ambiguous(&stage, &made).await;
        harmed.over();
        stage.wire.heal().await;
        // The wait that a failure asks for is cut short, and so is the attempt, which has its end all the same.
        let end = stage.shorten_leases(&made, 1_500).await;
        stage.make_due(&made).await;
        stage.after_the_attempt(&made, |_| true).await;
        for made in &made {
            // A reply that came, senseless as it may be, is the end of its request.
            let second = &stage.requests(made)[1];
            assert!(loss == "gateway timeout" || second.received_at_ms >= end, "{loss}: {second:?} before {end}");
        }
    }
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}

/// Waits until each timeline says that nobody knows.
async fn ambiguous(stage: &Stage, made: &[Made]) {
    for made in made {
        stage.world.api.wait_for_event(&made.id, "refresh_ambiguous", 1).await;
        let lease = stage.gate.lease(&made.id).await;
        assert_eq!((lease.until, lease.generation), (None, 1), "{lease:?}");
    }
}

/// Half a token is no token: nothing of it is stored, and what was there is served until there is more.
#[tokio::test]
async fn row_08_a_reply_that_ends_in_the_middle_of_a_token() {
    let mut stage = Stage::serving(60, &ALL).await;
    stage.long_grace();
    let mut worker = stage.worker("worker");
    let halves = [
        // Shorter than its header says; and as long as that, but the end of the document is missing.
        json!({"truncate_at": 40}),
        json!({"status": 200, "process": true, "content_type": "application/json",
            "body": "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"sbx_at_half"}),
    ];
    for half in halves {
        let made = stage.one_each(&ALL).await;
        let harmed = stage.story.harmed();
        stage.script(&ALL, half);
        stage.make_due(&made).await;
        ambiguous(&stage, &made).await;
        harmed.over();
        for made in &made {
            let token = stage.story.fetch(&made.id).await.expect(200).json();
            let token = mortise_sandbox::TokenId::of(token["access_token"].as_str().unwrap());
            assert_eq!(token, made.root, "{}: something of the half was stored", made.class);
        }
        assert!(stage.site.spilled("worker").is_empty());
        stage.shorten_leases(&made, 0).await;
        stage.make_due(&made).await;
        stage.after_the_attempt(&made, |_| true).await;
    }
    soon("an empty folder", async || stage.site.spilled("worker").is_empty()).await;
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}
