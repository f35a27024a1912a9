//! Up, down, up again: the schema is the same, and what it seeds is what the product expects.

use crate::world::World;
use mortise_domain::EnvironmentSettings;
use mortise_migrations::Migrator;
use mortise_store::Store;
use mortise_testkit::{Backend, TestDatabase};
use sea_orm::{ConnectionTrait as _, Statement};
use sea_orm_migration::MigratorTrait as _;

const POSTGRES: &str = "
    SELECT 'column ' || table_name || '.' || column_name || ' ' || ordinal_position || ' ' || data_type || ' '
        || coalesce(character_maximum_length, 0) || ' ' || is_nullable || ' ' || coalesce(column_default, '')
        FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    ORDER BY 1";
const MARIADB: &str = "
    SELECT CONCAT_WS(' ', 'column', table_name, column_name, ordinal_position, column_type, is_nullable,
        column_default, collation_name) FROM information_schema.columns WHERE table_schema = DATABASE()
    UNION ALL SELECT CONCAT_WS(' ', 'index', table_name, index_name, seq_in_index, column_name, non_unique)
        FROM information_schema.statistics WHERE table_schema = DATABASE()
    UNION ALL SELECT CONCAT_WS(' ', 'reference', table_name, constraint_name, column_name, referenced_table_name,
        referenced_column_name) FROM information_schema.key_column_usage WHERE table_schema = DATABASE()
    ORDER BY 1";
const SQLITE: &str = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master ORDER BY 1";

async fn schema(store: &Store, backend: Backend) -> Vec<String> {
    let sql = match backend {
        Backend::Postgres => POSTGRES,
        Backend::MariaDb => MARIADB,
        Backend::Sqlite => SQLITE,
    };
    let db = store.connection();
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect()
}

async fn up_down_up(backend: Backend) {
    let database = TestDatabase::create_empty(backend).await;
    let store = Store::connect(database.url(), 2).await.unwrap();
    Migrator::up(store.connection(), None).await.unwrap();
    let first = schema(&store, backend).await;
    assert!(first.iter().any(|line| line.contains("connections_due")), "{first:#?}");

    Migrator::down(store.connection(), None).await.unwrap();
    let left = schema(&store, backend).await;
    assert!(left.iter().all(|line| line.contains("seaql_migrations")), "{left:#?}");

    Migrator::up(store.connection(), None).await.unwrap();
    assert_eq!(schema(&store, backend).await, first);
    assert_eq!(store.environment_list().await.unwrap().len(), 2);
}

async fn every_step_goes_back_alone(backend: Backend) {
    let database = TestDatabase::create_empty(backend).await;
    let store = Store::connect(database.url(), 2).await.unwrap();
    let mut before = Vec::new();
    for _ in Migrator::migrations() {
        before.push(schema(&store, backend).await);
        Migrator::up(store.connection(), Some(1)).await.unwrap();
    }
    while let Some(expected) = before.pop() {
        Migrator::down(store.connection(), Some(1)).await.unwrap();
        let mut left = schema(&store, backend).await;
        if before.is_empty() {
            // The list of applied steps itself is made by the first and never goes.
            left.retain(|line| !line.contains("seaql_migrations"));
        }
        assert_eq!(left, expected);
    }
}

async fn the_first_environments_have_the_settings_of_new_ones(backend: Backend) {
    let world = World::new(backend).await;
    let rows = world.store.environment_list().await.unwrap();
    let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["dev", "prod"]);
    for row in rows {
        assert_eq!(row.settings, EnvironmentSettings::initial(row.name.as_str()));
        let age = world.store.database_now().await.unwrap() - row.created_at;
        assert!((0..86_400_000).contains(&age.num_milliseconds()), "{age}");
    }
}

on_every_database! { up_down_up, every_step_goes_back_alone, the_first_environments_have_the_settings_of_new_ones, }
