//! Rows 18 and 22: the database forgets what it had committed. What the disk of the process knows is newer.

use super::hands::{LOOKS, looks};
use super::stage::{ALL, Made, Stage};
use crate::world::START;
use crate::world::api::{app_id, assert_problem};
use crate::world::visitor::Visitor;
use mortise_domain::{Clock as _, SystemClock};
use mortise_sandbox::RecoveryClass::{F, S};
use serde_json::json;
use std::time::Duration;

impl Stage {
    /// A backup of what changes.
    async fn back_up(&self) {
        self.run("CREATE TABLE kept_connections AS TABLE connections; CREATE TABLE kept_events AS TABLE events").await;
    }

    /// The database is what it was then.
    async fn restore(&self) {
        self.run(
            "BEGIN; DELETE FROM events; DELETE FROM connections; INSERT INTO connections SELECT * FROM kept_connections; \
             INSERT INTO events SELECT * FROM kept_events; COMMIT",
        )
        .await;
    }
}

/// What a failover to a replica that lags does: the last commit never was.
#[tokio::test]
async fn row_18_a_failover_loses_the_last_commit() {
    let mut stage = Stage::serving(5, &ALL).await;
    let made = stage.one_each(&ALL).await;
    stage.back_up().await;
    let mut worker = stage.worker("worker");
    stage.make_due(&made).await;
    stage.wait_for_generation(&made, 2).await;
    worker.kill9();
    stage.restore().await;
    stage.make_due(&made).await;
    let mut worker = stage.worker("worker");
    stage.wait_for_generation(&made, 2).await;
    assert_eq!(stage.asked(&made), 6, "a token was presented that had been spent");
    for made in &made {
        stage.story.served(&stage.world.provider, made).await;
    }
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end_without_history().await;
}

/// A backup, then a rotation of everything by one of two workers each, and the backup again.
async fn one_rotation_back(stage: &mut Stage) -> [Vec<Made>; 2] {
    stage.long_grace();
    let made = [stage.one_each(&ALL).await, stage.one_each(&ALL).await];
    stage.back_up().await;
    for (name, made) in ["first", "second"].into_iter().zip(&made) {
        let mut worker = stage.worker(name);
        stage.make_due(made).await;
        stage.wait_for_generation(made, 2).await;
        assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    }
    stage.restore().await;
    made
}

/// Everything that may be renewed is due.
async fn all_due(stage: &Stage) {
    stage.run("UPDATE connections SET next_refresh_at = 1 WHERE state = 'active'").await;
}

fn assert_nothing_reused(stage: &Stage) {
    let totals = stage.world.provider.sandbox.totals();
    assert_eq!((totals.reuse_events, totals.overlaps), (0, 0), "a spent token was presented: {totals:?}");
}

/// One worker's disk is lost: nothing proves anything, so that what is good for one use is not sent, and stays off until its
/// customer consents or somebody vouches for it. What the other disk holds is stored.
#[tokio::test]
async fn row_22_a_backup_of_one_rotation_ago_is_restored() {
    let mut stage = Stage::serving(20, &ALL).await;
    let [kept, lost] = one_rotation_back(&mut stage).await;
    let split = |made: Vec<Made>| made.into_iter().partition::<Vec<_>, _>(|made| [S, F].contains(&made.class));
    let ((kept_off, kept_on), (lost_off, lost_on)) = (split(kept), split(lost));
    let folder = stage.site.spill("first");
    let said = stage.world.command(&["restore", "begin", "--spill", folder.to_str().unwrap()]).await;
    assert!(said.contains("switched off 4 connections") && said.contains("switched on 0 connections"), "{said}");

    all_due(&stage).await;
    let mut worker = stage.launch("third").env("MORTISE_LOG", LOOKS).start();
    stage.wait_for_generation(&kept_on, 3).await;
    stage.wait_for_generation(&lost_on, 2).await;
    stage.wait_for_generation(&kept_off, 2).await;
    looks(&worker, 2).await;
    assert_eq!((stage.asked(&kept_off), stage.asked(&lost_off)), (2, 2), "something was sent for what is in doubt");
    assert_nothing_reused(&stage);
    for made in kept_off.iter().chain(&lost_off) {
        let answer = stage.story.fetch(&made.id).await;
        assert_problem(&answer, 423, "held");
        assert_eq!(answer.json()["reason"], "restored_from_backup", "{answer:?}");
        assert_problem(&stage.world.api.refresh(&made.id).await, 423, "held");
    }

    // One customer consents anew; for what the disk had somebody vouches, rightly.
    let lost = &lost_off[0];
    let customer = stage.world.api.connection(&lost.id).await["customer"].as_str().unwrap().to_owned();
    let session = stage.world.api.session(&customer, json!({ "connection": lost.id })).await;
    Visitor::new().consent(&session.url, &app_id(lost.class)).await;
    stage.world.api.refresh(&lost.id).await.expect(200);
    for made in &kept_off {
        let said = stage.world.command(&["restore", "release", "--connection", &made.id]).await;
        assert!(said.contains("switched on 1 connections"), "{said}");
        stage.world.api.refresh(&made.id).await.expect(200);
    }
    assert!(stage.world.command(&["restore", "status"]).await.contains("1 connections are off"));
    for made in kept_on.iter().chain(&lost_on).chain(&kept_off) {
        stage.story.served(&stage.world.provider, made).await;
    }
    assert_nothing_reused(&stage);
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.world.end().await;
}

/// Every disk is there: what was stored since the backup is stored again, and all of it is known to be current.
#[tokio::test]
async fn row_22_a_backup_is_restored_and_every_spill_folder_is_there() {
    let mut stage = Stage::serving(20, &ALL).await;
    let made = one_rotation_back(&mut stage).await.concat();
    let folders = ["first", "second"].map(|name| stage.site.spill(name).to_str().unwrap().to_owned());
    let stopped = SystemClock::new().now().to_rfc3339();
    let begin = ["restore", "begin", "--spill", &folders[0], "--spill", &folders[1], "--stopped-at"];
    // A stop that is said to be later than all that is on the disks proves nothing.
    let later = (SystemClock::new().now() + Duration::from_secs(3600)).to_rfc3339();
    let said = stage.world.command(&[&begin[..], &[&later]].concat()).await;
    assert!(said.contains("switched off 4 connections") && said.contains("switched on 0 connections"), "{said}");
    let said = stage.world.command(&[&begin[..], &[&stopped]].concat()).await;
    assert!(said.contains("switched on 4 connections") && said.contains("0 connections are off"), "{said}");
    all_due(&stage).await;
    let mut worker = stage.worker("third");
    stage.wait_for_generation(&made, 3).await;
    assert_eq!(stage.asked(&made), 24);
    assert_nothing_reused(&stage);
    for made in &made {
        stage.story.served(&stage.world.provider, made).await;
    }
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end_without_history().await;
}
