//! Row 41: two sites on one database, one of them far away and cut off for a while.
//!
//! With one database the site that is cut off can look up nothing: it hands out nothing, sends nothing, and its callers are
//! told to ask again. What it had begun is stored when it is back.

use super::hands::{LOOKS, looks, soon};
use super::stage::{ALL, Stage};
use crate::world::START;
use mortise_testkit::faults::{End, Flow, Way};
use std::time::Duration;
use tokio::task::JoinSet;

/// To the database and back, for the far site.
const FAR: Duration = Duration::from_millis(100);

#[tokio::test]
async fn row_41_two_regions_and_a_partition() {
    let mut stage = Stage::serving(120, &ALL).await;
    let (begun, later) = (stage.one_each(&ALL).await, stage.one_each(&ALL).await);
    let (mut wire, url) = stage.database_wire().await;
    wire.set(Way::Up, Flow::Delay(FAR));
    wire.set(Way::Down, Flow::Delay(FAR));
    let near_url = stage.world.database.url().to_owned();
    stage.world.set("MORTISE_DATABASE_URL", &url);
    let (mut far_server, far) = stage.server("far-server").await;
    let mut far_worker = stage.launch("far").env("MORTISE_LOG", LOOKS).start();
    stage.world.set("MORTISE_DATABASE_URL", &near_url);
    for made in &begun {
        stage.story.through(far.clone()).served(&stage.world.provider, made).await;
    }

    // The far site has six requests out when it is cut off.
    stage.hold_replies();
    stage.make_due(&begun).await;
    stage.processed(&begun).await;
    wire.refuse().await;
    wire.cut(End::Reset);
    soon("the end of every connection", async || wire.open() == 0).await;
    stage.terminate("far").await;
    stage.wire.heal().await;
    // The near site leaves alone what somebody is at, and does all the rest.
    let mut near = stage.launch("near").env("MORTISE_LOG", LOOKS).start();
    stage.make_due(&begun).await;
    stage.make_due(&later).await;
    stage.wait_for_generation(&later, 2).await;
    let mut callers = JoinSet::new();
    for made in begun.iter().chain(&later) {
        let (far, path) = (far.clone(), format!("/connections/{}/token", made.id));
        callers.spawn(async move { far.get(&path).await });
    }
    for answer in callers.join_all().await {
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
    }
    for made in begun.iter().chain(&later) {
        assert!(stage.story.fetch(&made.id).await.expect(200).json()["access_token"].is_string());
    }
    looks(&near, 3).await;
    assert_eq!((stage.asked(&begun), stage.asked(&later)), (6, 6), "somebody was asked for twice");

    // It is back: what it was told is stored, and it does its part again, alone.
    assert!(near.sigterm(START).await.success(), "{}", near.output());
    wire.accept().await;
    stage.wait_for_generation(&begun, 2).await;
    stage.make_due(&begun).await;
    stage.wait_for_generation(&begun, 3).await;
    assert_eq!((stage.asked(&begun), stage.asked(&later)), (12, 6));
    let through = stage.story.through(far.clone());
    for made in begun.iter().chain(&later) {
        soon("an answer", async || far.get(&format!("/connections/{}/token", made.id)).await.status == 200).await;
        through.served(&stage.world.provider, made).await;
    }
    for process in [&mut far_worker, &mut far_server] {
        assert!(process.sigterm(START).await.success(), "{}", process.output());
    }
    stage.end().await;
}
