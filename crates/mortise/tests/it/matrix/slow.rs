//! Rows 9 and 14: a provider that takes its time, and the arithmetic that makes every lease longer than any request.

use super::hands::{soon, uuid_of};
use super::stage::{ALL, Stage};
use crate::world::START;
use mortise_sandbox::RecoveryClass::{F, S};
use mortise_testkit::faults::{Flow, Way};
use serde_json::json;
use std::time::Duration;

/// What ordinary classes wait for is 30 s, and what S and F wait for is 120 s.
const IN_TIME: Duration = Duration::from_secs(26);
const LATE: Duration = Duration::from_secs(33);

/// Slow and still in time; too slow for whoever may ask a second time, and in time for whoever may not. These seconds are
/// real: the deadlines of the classes are no settings.
#[tokio::test]
async fn row_09_the_provider_needs_half_a_minute_and_more() {
    let mut stage = Stage::serving(120, &ALL).await;
    stage.long_grace();
    let (slow, slower) = (stage.one_each(&ALL).await, stage.one_each(&ALL).await);
    let mut worker = stage.worker("worker");
    for (made, takes) in [(&slow, IN_TIME), (&slower, LATE)] {
        let asked = stage.asked(&slow);
        stage.script(&ALL, json!({"delay_ms": takes.as_millis() as u64}));
        stage.make_due(made).await;
        // The second six are asked for when each of the first has had its script.
        soon("the requests", async || stage.asked(&slow) + stage.asked(&slower) >= asked + 6).await;
    }
    stage.wait_for_generation(&slow, 2).await;
    for made in &slower {
        if [S, F].contains(&made.class) {
            stage.wait_for_generation(std::slice::from_ref(made), 2).await;
            assert_eq!(stage.asked(std::slice::from_ref(made)), 1, "{} was asked for twice", made.class);
        } else {
            stage.world.api.wait_for_event(&made.id, "refresh_ambiguous", 1).await;
            stage.allow_retries().await;
        }
    }
    // What nobody waited for was processed all the same; the next one begins only when it cannot be any more.
    for made in slower.iter().filter(|made| ![S, F].contains(&made.class)) {
        stage.wait_for_generation(std::slice::from_ref(made), 2).await;
        let requests = stage.requests(made);
        assert!(requests[1].received_us > requests[0].closed_us.unwrap(), "two at once: {requests:?}");
    }
    for made in slow.iter().chain(&slower) {
        stage.story.served(&stage.world.provider, made).await;
    }
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end_without_history().await;
}

/// No answer at all, in any time: given up at the deadline, and only then asked again.
#[tokio::test]
async fn row_09_the_provider_never_answers() {
    let mut stage = Stage::serving(3, &ALL).await;
    stage.long_grace();
    let made = stage.one_each(&ALL).await;
    let mut worker = stage.worker("worker");
    stage.script(&ALL, json!({"hang": true}));
    stage.make_due(&made).await;
    for made in &made {
        stage.world.api.wait_for_event(&made.id, "refresh_ambiguous", 1).await;
        soon("the end of the request", async || stage.requests(made)[0].closed_us.is_some()).await;
        let waited = stage.requests(made)[0].closed_us.unwrap() - stage.requests(made)[0].received_us;
        assert!(waited >= 2_900_000, "{} was given up after {waited} µs", made.class);
        let served = stage.story.fetch(&made.id).await.expect(200);
        assert!(served.json()["access_token"].is_string(), "what is there is served");
    }
    let end = stage.shorten_leases(&made, 1_500).await;
    stage.make_due(&made).await;
    stage.wait_for_generation(&made, 2).await;
    for made in &made {
        let requests = stage.requests(made);
        assert_eq!(requests.len(), 2, "{requests:?}");
        assert!(requests[1].received_at_ms >= end, "{}: asked again before the end of the attempt", made.class);
        stage.story.served(&stage.world.provider, made).await;
    }
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end_without_history().await;
}

/// Whatever may be set: the attempt ends after the longest request, and the lease 30 s after the attempt.
#[tokio::test]
async fn row_14_no_setting_makes_a_lease_shorter_than_a_request() {
    let mut stage = Stage::serving(60, &ALL).await;
    for (name, value) in [("MORTISE_REFRESH_DEADLINE", "0"), ("MORTISE_REFRESH_DEADLINE", "601")] {
        let mut worker = stage.launch("refused").env(name, value).start();
        assert_eq!(worker.ended(START).await.code(), Some(1), "{name}={value} starts");
        assert!(worker.stderr().contains("refresh_deadline"), "{}", worker.output());
    }
    for deadline in [1, 29, 120, 600] {
        let made = stage.one_each(&ALL).await;
        stage.wire.set(Way::Up, Flow::Hang);
        let mut worker = stage.launch("worker").env("MORTISE_REFRESH_DEADLINE", deadline.to_string()).start();
        stage.make_due(&made).await;
        for made in &made {
            let uuid = uuid_of(&made.id);
            let row = format!("FROM connections WHERE lease_until IS NOT NULL AND id = '{uuid}'");
            soon("a lease", async || stage.gate.number(&format!("SELECT count(*) {row}")).await == 1).await;
            let over = stage.gate.number(&format!("SELECT lease_until - attempt_deadline {row}")).await;
            assert_eq!(over, 30_000, "{deadline} s: the lease ends {over} ms after the attempt");
            let begun =
                "(SELECT max(at) FROM events WHERE connection_id = connections.id AND kind = 'refresh_started')";
            let attempt = stage.gate.number(&format!("SELECT attempt_deadline - {begun} {row}")).await;
            assert_eq!(attempt, (deadline + 1) * 1_000, "{deadline} s: the attempt takes {attempt} ms");
        }
        worker.kill9();
        stage.wire.cut(mortise_testkit::faults::End::Reset);
        stage.wire.heal().await;
        stage.shorten_leases(&made, 0).await;
        stage.run("UPDATE connections SET attempt_id = NULL, attempt_deadline = NULL, lease_until = NULL, lease_owner = NULL, next_refresh_at = NULL").await;
    }
    stage.end_without_history().await;
}
