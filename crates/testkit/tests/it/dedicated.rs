//! A PostgreSQL of a test's own: killed, stopped and started again without losing what was committed.

use mortise_testkit::DedicatedPostgres;
use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement};
use std::net::TcpStream;
use url::Url;

async fn rows(url: &str) -> i64 {
    let connection = Database::connect(url).await.unwrap();
    let statement = Statement::from_string(DbBackend::Postgres, "SELECT COUNT(*) FROM kept");
    connection.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

fn answers(url: &str) -> bool {
    let port = Url::parse(url).unwrap().port().unwrap();
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[tokio::test]
async fn what_was_committed_survives_a_kill_and_a_stop() {
    let mut server = DedicatedPostgres::start().await;
    let url = server.url();
    let connection = Database::connect(&url).await.unwrap();
    connection.execute_unprepared("CREATE TABLE kept (id INTEGER); INSERT INTO kept VALUES (1), (2)").await.unwrap();
    connection.execute_unprepared("SELECT 1 FROM seaql_migrations").await.unwrap();

    server.kill9();
    assert!(!answers(&url), "the killed server answers");
    server.start_again();
    assert_eq!(rows(&url).await, 2);

    server.stop();
    assert!(!answers(&url), "the stopped server answers");
    server.start_again();
    assert_eq!(rows(&url).await, 2);
}
