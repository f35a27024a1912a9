//! Rows 24 to 30, 39 and 40: the provider is in trouble, or has habits of its own. Nobody's grant is given up for it.

use super::hands::{LOOKS, looks, soon};
use super::stage::{Made, Stage};
use crate::world::api::{app_id, assert_problem};
use crate::world::{CLIENT_SECRET, START};
use mortise_sandbox::RecoveryClass::{self, F, G, N, S};
use mortise_sandbox::{ClassSettingsPatch, Mode, StandingMode};
use mortise_testkit::Process;
use serde_json::{Value, json};

fn mode(stage: &Stage, class: RecoveryClass, mode: Mode) {
    let refreshes = Some("refresh_token".to_owned());
    let mode = StandingMode { class: Some(class), endpoint: Default::default(), grant_type: refreshes, mode };
    stage.world.provider.sandbox.mode(mode).unwrap();
}

fn watched(stage: &Stage) -> Process {
    stage.launch("worker").env("MORTISE_LOG", LOOKS).start()
}

async fn app(stage: &Stage, class: RecoveryClass) -> Value {
    stage.world.api.get(&format!("/apps/{}", app_id(class))).await.expect(200).json()
}

async fn all_alive(stage: &Stage, made: &[Made]) {
    for made in made {
        let view = stage.world.api.connection(&made.id).await;
        assert_eq!(view["state"], "active", "{view}");
        stage.story.fetch(&made.id).await.expect(200);
    }
}

/// Waits until so many connections have been renewed.
async fn renewed(stage: &Stage, count: i64) {
    let renewed = "SELECT count(*) FROM connections WHERE generation > 1";
    soon("renewed connections", async || stage.gate.number(renewed).await >= count).await;
}

/// The provider ended a token early, and callers say so, all at once and again and again.
#[tokio::test]
async fn row_24_a_token_fails_before_its_end() {
    let mut stage = Stage::serving(60, &[F]).await;
    let made = stage.import(F, 1).await.remove(0);
    // A report of a brand-new token means an older one.
    stage.run("UPDATE connections SET refreshed_at = refreshed_at - 600000").await;
    let path = format!("/connections/{}/refresh", made.id);
    let report = json!({"reason": "unauthorized"});
    for _ in 0..3 {
        let all = futures_util::future::join_all((0..8).map(|_| stage.world.api.post(&path, &report)));
        for answer in all.await {
            answer.expect(200);
        }
    }
    assert_eq!(stage.asked(std::slice::from_ref(&made)), 1, "one refresh for all reports");
    stage.story.served(&stage.world.provider, &made).await;
    stage.end().await;
}

/// Away: a few notice, then one asks every five seconds for all.
#[tokio::test]
async fn row_25_the_provider_is_away() {
    let mut stage = Stage::serving(60, &[N]).await;
    let made = stage.import(N, 40).await;
    mode(&stage, N, Mode::Status(503));
    stage.make_due(&made).await;
    let mut worker = watched(&stage);
    stage.wait_for_requests(&made, 5).await;
    looks(&worker, 2).await;
    let noticed = stage.asked(&made);
    let begun = super::story::now();
    looks(&worker, 6).await;
    let probes = i64::try_from(stage.asked(&made) - noticed).unwrap();
    let seconds = (super::story::now() - begun) / 1000;
    assert!((1..=seconds / 5 + 2).contains(&probes), "{probes} requests in {seconds} s to a provider that is away");
    all_alive(&stage, &made).await;
    mode(&stage, N, Mode::Off);
    renewed(&stage, 1).await;
    all_alive(&stage, &made).await;
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    // The others come over the life that their tokens have left, which is longer than a test.
    stage.story.judge(&stage.world.provider).await;
    stage.world.end().await;
}

/// A bad deployment refuses every grant: that many at once are not believed.
#[tokio::test]
async fn row_26_every_grant_is_refused() {
    let mut stage = Stage::serving(60, &[F]).await;
    let made = stage.import(F, 12).await;
    mode(&stage, F, Mode::InvalidGrant);
    stage.make_due(&made).await;
    let mut worker = watched(&stage);
    soon("a held app", async || app(&stage, F).await["state"] == "held").await;
    assert_eq!(app(&stage, F).await["held_reason"], "invalid_grant_wave");
    looks(&worker, 3).await;
    all_alive(&stage, &made).await;
    mode(&stage, F, Mode::Off);
    soon("a released app", async || app(&stage, F).await["state"] == "active").await;
    stage.make_due(&made).await;
    renewed(&stage, 12).await;
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}

/// A page where tokens should be, with status 200.
#[tokio::test]
async fn row_27_a_login_page_instead_of_tokens() {
    let mut stage = Stage::serving(60, &[G, F]).await;
    let made = stage.one_each(&[G, F]).await;
    mode(&stage, G, Mode::Html);
    mode(&stage, F, Mode::Html);
    stage.make_due(&made).await;
    let mut worker = stage.worker("worker");
    for made in &made {
        stage.world.api.wait_for_event(&made.id, "refresh_ambiguous", 1).await;
    }
    all_alive(&stage, &made).await;
    mode(&stage, G, Mode::Off);
    mode(&stage, F, Mode::Off);
    stage.make_due(&made).await;
    stage.wait_for_generation(&made, 2).await;
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}

/// One is told to wait, and all wait: those who are due, and those whom a caller wants.
#[tokio::test]
async fn row_28_the_provider_asks_for_ten_minutes() {
    let mut stage = Stage::serving(60, &[N]).await;
    let (first, others) = (stage.import(N, 1).await, stage.import(N, 10).await);
    stage.script(&[N], json!({"status": 429, "retry_after": 600}));
    stage.make_due(&first).await;
    let mut worker = watched(&stage);
    stage.world.api.wait_for_event(&first[0].id, "refresh_failed", 1).await;
    stage.make_due(&others).await;
    looks(&worker, 3).await;
    let forced = stage.world.api.refresh(&others[0].id).await;
    let wait: u64 = forced.header("retry-after").parse().unwrap();
    assert!(forced.status == 503 && (60..=600).contains(&wait), "{forced:?}");
    assert_eq!((stage.asked(&first), stage.asked(&others)), (1, 0), "a provider that asked for silence was asked");
    all_alive(&stage, &others).await;
    // Ten minutes later.
    stage.run("UPDATE gates SET closed_until = 1").await;
    stage.make_due(&first).await;
    stage.wait_for_generation(&first, 2).await;
    stage.wait_for_generation(&others, 2).await;
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}

/// A reply that asks for quiet brings a new refresh token all the same: it is kept, and the next request presents it.
#[tokio::test]
async fn row_29_a_throttled_reply_rotates() {
    let mut stage = Stage::serving(60, &[S, F]).await;
    let made = stage.one_each(&[S, F]).await;
    stage.script(&[S, F], json!({"status": 429, "retry_after": 600, "process": true}));
    stage.make_due(&made).await;
    let mut worker = watched(&stage);
    stage.wait_for_generation(&made, 2).await;
    looks(&worker, 2).await;
    assert_eq!(stage.asked(&made), 2, "a provider that asked for silence was asked");
    all_alive(&stage, &made).await;
    // Ten minutes later.
    stage.run("UPDATE gates SET closed_until = 1").await;
    stage.make_due(&made).await;
    stage.wait_for_generation(&made, 3).await;
    for made in &made {
        stage.story.served(&stage.world.provider, made).await;
    }
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}

/// The app's client is refused: its connections keep their grants, and one probe at a time finds out when that is over.
#[tokio::test]
async fn row_30_the_apps_client_is_refused() {
    let mut stage = Stage::serving(60, &[F]).await;
    let made = stage.import(F, 12).await;
    stage.world.provider.register_client("canary-another-secret");
    stage.make_due(&made).await;
    let mut worker = watched(&stage);
    soon("a held app", async || app(&stage, F).await["state"] == "held").await;
    looks(&worker, 2).await;
    let (noticed, begun) = (stage.asked(&made), super::story::now());
    looks(&worker, 6).await;
    let (probes, seconds) = (stage.asked(&made) - noticed, (super::story::now() - begun) / 1000);
    assert!(probes <= usize::try_from(seconds / 5 + 2).unwrap(), "{probes} requests in {seconds} s for a held app");
    assert_problem(&stage.world.api.refresh(&made[0].id).await, 503, "app_held");
    all_alive(&stage, &made).await;
    stage.world.provider.register_client(CLIENT_SECRET);
    soon("a released app", async || app(&stage, F).await["state"] == "active").await;
    stage.make_due(&made).await;
    renewed(&stage, 12).await;
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}

/// The provider answers with the token that it gave before.
#[tokio::test]
async fn row_39_the_same_token_again() {
    let mut stage = Stage::serving(60, &[N]).await;
    let made = stage.import(N, 1).await;
    let patch = ClassSettingsPatch { same_access_token: Some(true), ..ClassSettingsPatch::default() };
    stage.world.provider.sandbox.configure(N, patch).unwrap();
    stage.make_due(&made).await;
    let mut worker = watched(&stage);
    stage.wait_for_requests(&made, 1).await;
    looks(&worker, 5).await;
    assert_eq!(stage.asked(&made), 1, "it is asked again and again");
    all_alive(&stage, &made).await;
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}

/// Tokens of ten seconds are renewed when somebody asks for one, and at no other time.
#[tokio::test]
async fn row_40_tokens_that_live_for_ten_seconds() {
    let mut stage = Stage::serving(60, &[N]).await;
    let made = stage.import(N, 1).await;
    stage.world.provider.lifetime(N, 10);
    stage.make_due(&made).await;
    let mut worker = watched(&stage);
    stage.wait_for_generation(&made, 2).await;
    let ended = async || stage.world.provider.grant(N).alive_access_tokens.len() == 1;
    // The first one lives for an hour.
    soon("the end of the short token", ended).await;
    looks(&worker, 2).await;
    assert_eq!(stage.asked(&made), 1, "nobody asked for it");
    for _ in 0..10 {
        stage.story.served(&stage.world.provider, &made[0]).await;
    }
    assert_eq!(stage.asked(&made), 2, "one for ten fetches");
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}
