//! Row 20: the server's connections to the database are all taken, or all gone at once.

use super::hands::soon;
use super::stage::{Made, Stage};
use super::story::Story;
use crate::world::START;
use crate::world::api::Api;
use mortise_domain::{Clock as _, SystemClock};
use mortise_sandbox::RecoveryClass::F;
use mortise_testkit::Process;
use mortise_testkit::faults::{End, FaultProxy};
use std::time::Duration;
use tokio::task::JoinSet;

/// What a fetch of a live token may take on a machine that is busy with tests.
const SOON: Duration = Duration::from_secs(2);
/// Commits that stand at the gate.
const STUCK: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = \
                     (SELECT oid FROM pg_database WHERE datname = current_database())";

/// A server with few connections, which all lead over a wire.
async fn few(stage: &mut Stage) -> (FaultProxy, Process, Api) {
    let (wire, url) = stage.database_wire().await;
    stage.world.set("MORTISE_DATABASE_URL", &url);
    stage.world.set("MORTISE_DATABASE_CONNECTIONS", "4");
    let (server, api) = stage.server("server").await;
    (wire, server, api)
}

async fn fetched_in_time(stage: &Stage, story: &Story, live: &Made) {
    let clock = SystemClock::new();
    for _ in 0..20 {
        let begun = clock.monotonic();
        story.served(&stage.world.provider, live).await;
        let took = clock.monotonic() - begun;
        assert!(took < SOON, "a fetch of a live token waited {took:?} for a connection");
    }
}

/// More refreshes wait for their commit than there are connections.
#[tokio::test]
async fn row_20_the_pool_is_exhausted() {
    let mut stage = Stage::serving(20, &[F]).await;
    let (live, busy) = (stage.import(F, 1).await.remove(0), stage.import(F, 8).await);
    let (_wire, mut server, api) = few(&mut stage).await;
    let story = stage.story.through(api.clone());
    stage.gate.close().await;
    let mut callers = JoinSet::new();
    for made in &busy {
        let (api, id) = (api.clone(), made.id.clone());
        callers.spawn(async move { api.refresh(&id).await.status });
    }
    stage.wait_for_requests(&busy, 4).await;
    soon("commits at the gate", async || stage.gate.number(STUCK).await >= 1).await;
    fetched_in_time(&stage, &story, &live).await;
    stage.gate.open().await;
    assert!(callers.join_all().await.iter().all(|status| *status == 200));
    assert!(server.sigterm(START).await.success(), "{}", server.output());
    stage.end().await;
}

/// Not one of the connections is left.
#[tokio::test]
async fn row_20_the_pooler_restarts() {
    let mut stage = Stage::serving(20, &[F]).await;
    let live = stage.import(F, 1).await.remove(0);
    let (wire, mut server, api) = few(&mut stage).await;
    let story = stage.story.through(api);
    for _ in 0..5 {
        fetched_in_time(&stage, &story, &live).await;
        wire.cut(End::Reset);
    }
    fetched_in_time(&stage, &story, &live).await;
    assert!(server.sigterm(START).await.success(), "{}", server.output());
    stage.end_without_history().await;
}
