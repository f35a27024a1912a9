//! Row 42: during a rolling upgrade two builds work on one database.
//!
//! There is no older build to run here. What an older one does to the database is played in its own words, with the columns
//! that the schema had before the newest steps; and two processes whose settings differ in everything that claims depend on
//! race for the same rows.

use super::hands::uuid_of;
use super::stage::{ALL, Stage};
use crate::world::START;
use mortise_sandbox::ClassSettingsPatch;

const ROUNDS: i64 = 4;
/// The database's clock in unix milliseconds.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

#[tokio::test]
async fn row_42_two_builds_race_for_the_same_rows() {
    let mut stage = Stage::serving(20, &ALL).await;
    let mut made = Vec::new();
    for class in ALL {
        made.extend(stage.import(class, 4).await);
        let patch = ClassSettingsPatch { latency_ms: Some(200), ..ClassSettingsPatch::default() };
        stage.world.provider.sandbox.configure(class, patch).unwrap();
    }
    let builds = [("5", "3", "2"), ("120", "200", "16"), ("20", "64", "4"), ("600", "1", "1")];
    let mut workers: Vec<_> = builds
        .iter()
        .map(|(deadline, concurrency, connections)| {
            let launch = stage.launch(&format!("build-{deadline}")).env("MORTISE_REFRESH_DEADLINE", *deadline);
            let launch = launch.env("MORTISE_REFRESH_CONCURRENCY", *concurrency);
            launch.env("MORTISE_DATABASE_CONNECTIONS", *connections).start()
        })
        .collect();
    for worker in &mut workers {
        crate::site::logged(worker, "working").await;
    }
    for round in 1..=ROUNDS {
        stage.make_due(&made).await;
        stage.wait_for_generation(&made, round + 1).await;
        assert_eq!(stage.asked(&made), made.len() * round as usize, "somebody was asked for twice");
    }
    for worker in &mut workers {
        assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    }
    stage.end().await;
}

/// An older build claims, fails, commits and adds a connection, in the words of the schema's twelfth step. This build waits
/// for what that one is at, and goes on with what it stored.
#[tokio::test]
async fn row_42_an_older_builds_statements_on_the_newest_schema() {
    let mut stage = Stage::serving(20, &ALL).await;
    let made = stage.one_each(&ALL).await;
    stage.make_due(&made).await;
    // The claim of an older build, which sends nothing more and is gone.
    for made in &made {
        let uuid = uuid_of(&made.id);
        stage
            .run(&format!(
                "UPDATE connections SET lease_owner = gen_random_uuid(), lease_until = {NOW} + 4000, \
                 attempt_deadline = {NOW} + 3000, attempt_id = gen_random_uuid(), fence = fence + 1 WHERE id = '{uuid}'; \
                 INSERT INTO events (connection_id, id, kind, at, detail) VALUES \
                 ('{uuid}', gen_random_uuid(), 'refresh_started', {NOW}, '{{}}')"
            ))
            .await;
    }
    let mut over: Vec<i64> = Vec::new();
    for made in &made {
        over.push(stage.gate.lease(&made.id).await.until.unwrap());
    }
    let mut worker = stage.worker("newer");
    stage.wait_for_generation(&made, 2).await;
    for (made, over) in made.iter().zip(over) {
        let requests = stage.requests(made);
        assert_eq!(requests.len(), 1, "{requests:?}");
        assert!(requests[0].received_at_ms >= over, "{}: the older build's claim was not waited for", made.class);
    }
    // It writes a failure, as it does: columns that it does not know stay what they were.
    let failed = format!(
        "UPDATE connections SET lease_owner = NULL, lease_until = NULL, attempt_id = NULL, attempt_deadline = NULL, \
         fence = fence + 1, failures = failures + 1, last_error = 'timeout', next_refresh_at = {NOW}, updated_at = {NOW}"
    );
    stage.run(&failed).await;
    stage.wait_for_generation(&made, 3).await;
    // And what it makes is served and renewed like everything else.
    let columns = "environment_id, customer_id, app_id, connector_version, family, state, state_reason, state_since, \
                   generation, granted_at, created_at, updated_at, requested_scopes";
    let uuid = uuid_of(&made[0].id);
    stage
        .run(&format!(
            "INSERT INTO connections (id, {columns}) SELECT gen_random_uuid(), {columns} FROM connections WHERE id = '{uuid}'"
        ))
        .await;
    let listed = stage.world.api.get("/connections?limit=100").await.expect(200).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 7, "{listed}");
    for made in &made {
        stage.story.served(&stage.world.provider, made).await;
    }
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end_without_history().await;
}
