//! Every kind of database: made, copied, kept apart and dropped.

use mortise_testkit::{Backend, TestDatabase};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};

async fn count(connection: &DatabaseConnection, table: &str) -> i64 {
    let statement = Statement::from_string(connection.get_database_backend(), format!("SELECT COUNT(*) FROM {table}"));
    connection.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn two_copies_are_apart(backend: Backend) {
    let (first, second) = tokio::join!(TestDatabase::create(backend), TestDatabase::create(backend));
    assert_ne!(first.url(), second.url());
    let (left, right) = (first.connect().await, second.connect().await);
    let migrations = count(&left, "seaql_migrations").await;
    assert!(migrations > 0, "no migration was applied");
    assert_eq!(count(&right, "seaql_migrations").await, migrations);

    left.execute_unprepared("DELETE FROM seaql_migrations").await.unwrap();
    assert_eq!(count(&left, "seaql_migrations").await, 0);
    assert_eq!(count(&right, "seaql_migrations").await, migrations, "the copies share rows");

    let url = first.url().to_owned();
    drop(first);
    if backend != Backend::Sqlite {
        assert!(sea_orm::Database::connect(url).await.is_err(), "the dropped database still answers");
    }
}

#[tokio::test]
async fn sqlite_copies_are_apart() {
    two_copies_are_apart(Backend::Sqlite).await;
}

#[tokio::test]
async fn postgres_copies_are_apart() {
    two_copies_are_apart(Backend::Postgres).await;
}

#[tokio::test]
async fn mariadb_copies_are_apart() {
    two_copies_are_apart(Backend::MariaDb).await;
}

#[tokio::test]
async fn an_empty_database_has_no_table() {
    for backend in Backend::ALL {
        let database = TestDatabase::create_empty(backend).await;
        let connection = database.connect().await;
        assert!(connection.execute_unprepared("SELECT 1 FROM seaql_migrations").await.is_err(), "{backend}");
        connection.execute_unprepared("CREATE TABLE seaql_migrations (id INTEGER)").await.unwrap();
    }
}
