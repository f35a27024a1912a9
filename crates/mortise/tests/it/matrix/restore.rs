//! Rows 18 and 22: the database forgets what it had committed. What the disk of the process knows is newer.

use super::stage::{ALL, Stage};
use crate::world::START;

/// What a failover to a replica that lags does: the last commit never was.
#[tokio::test]
async fn row_18_a_failover_loses_the_last_commit() {
    let mut stage = Stage::serving(5, &ALL).await;
    let made = stage.one_each(&ALL).await;
    stage.run("CREATE TABLE kept_connections AS TABLE connections; CREATE TABLE kept_events AS TABLE events").await;
    let mut worker = stage.worker("worker");
    stage.make_due(&made).await;
    stage.wait_for_generation(&made, 2).await;
    worker.kill9();
    stage
        .run(
            "BEGIN; DELETE FROM events; DELETE FROM connections; INSERT INTO connections SELECT * FROM kept_connections; \
             INSERT INTO events SELECT * FROM kept_events; COMMIT",
        )
        .await;
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
