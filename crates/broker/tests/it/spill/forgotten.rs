//! A database that forgets what it had confirmed, as a failover to a replica that lagged behind does.

use crate::bench::{Bench, tokens};
use mortise_domain::EventKind;
use mortise_oauth::testing::body_params;

const TABLES: [&str; 3] = ["events", "connections", "connect_sessions"];

/// What the replica has.
async fn remember(bench: &Bench) {
    for table in TABLES {
        bench.sql(&format!("CREATE TABLE before_{table} AS SELECT * FROM {table}")).await;
    }
}

/// The replica takes over.
async fn forget(bench: &Bench) {
    let replace = |table| format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM before_{table};");
    let tables: String = TABLES.iter().map(replace).collect();
    bench.sql(&format!("PRAGMA foreign_keys = OFF; {tables} PRAGMA foreign_keys = ON;")).await;
}

#[tokio::test]
async fn a_pair_that_the_database_forgot_is_stored_again_by_the_next_start() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    remember(&bench).await;
    for number in 2..=3 {
        bench.provider.json(200, &tokens(number));
        bench.make_due().await;
        bench.work().await;
    }
    forget(&bench).await;
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-1");
    bench.sibling().await.check().await.unwrap();
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-3");
    let events = bench.events(id).await;
    assert_eq!(events[events.len() - 2..], [EventKind::Recovered, EventKind::Recovered]);
    // The provider is asked with the only token that it still takes.
    bench.provider.json(200, &tokens(4));
    bench.make_due().await;
    bench.work().await;
    assert_eq!(body_params(bench.provider.take_requests().last().unwrap())["refresh_token"], "rt-3");
}

#[tokio::test]
async fn a_first_grant_that_the_database_forgot_is_stored_again_by_the_next_start() {
    let mut bench = Bench::new("F").await;
    remember(&bench).await;
    let id = bench.connect().await;
    forget(&bench).await;
    assert!(bench.token(id, None).await.is_err());
    bench.restart().await;
    bench.broker.check().await.unwrap();
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-1");
}

#[tokio::test]
async fn a_start_changes_nothing_where_the_database_kept_everything() {
    let mut bench = Bench::new("F").await;
    let id = bench.connect().await;
    bench.provider.json(200, &tokens(2));
    bench.make_due().await;
    bench.work().await;
    // A grant that took the place of the one that was refreshed, and is refreshed itself.
    bench.reconnect(Some(id), 5).await;
    bench.provider.json(200, &tokens(6));
    bench.make_due().await;
    bench.work().await;
    let (before, view) = (bench.events(id).await, bench.view(id).await);
    bench.provider.take_requests();
    bench.restart().await;
    for _ in 0..2 {
        bench.broker.check().await.unwrap();
        assert_eq!(bench.events(id).await, before);
        assert_eq!(format!("{:?}", bench.view(id).await), format!("{view:?}"));
    }
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-6");
    assert!(bench.provider.take_requests().is_empty(), "nothing is revoked");
}

#[tokio::test]
async fn what_was_ended_since_stays_ended() {
    let mut bench = Bench::new("F").await;
    let id = bench.connect().await;
    bench.provider.json(200, &tokens(2));
    bench.make_due().await;
    bench.work().await;
    bench.provider.json(200, &serde_json::json!({})).json(200, &serde_json::json!({}));
    bench.broker.delete_connection(&bench.caller, id).await.unwrap();
    bench.restart().await;
    bench.broker.check().await.unwrap();
    assert!(bench.token(id, None).await.is_err());
    assert!(bench.spilled().is_empty());
}
