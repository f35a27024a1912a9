//! The plan of a claim, from the database's own mouth: it reads what is due by its index and nothing else.

use crate::Store;
use mortise_testkit::{Backend, TestDatabase};
use sea_orm::{ConnectionTrait as _, Statement};

const ROWS: i64 = 5_000;

/// Rows of which one in a hundred is due.
async fn filled(store: &Store, backend: Backend) {
    let count = match backend {
        Backend::Postgres => format!("SELECT n FROM generate_series(1, {ROWS}) AS n"),
        Backend::MariaDb => format!("SELECT seq AS n FROM seq_1_to_{ROWS}"),
        Backend::Sqlite => {
            format!("WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {ROWS}) SELECT n FROM s")
        }
    };
    let id = match backend {
        Backend::Postgres => "gen_random_uuid()",
        Backend::MariaDb => "UNHEX(MD5(n))",
        Backend::Sqlite => "randomblob(16)",
    };
    let due = "CASE WHEN n % 100 = 0 THEN n ELSE 4000000000000 + n END";
    let fixed = match backend {
        Backend::Postgres => "'00000000-0000-0000-0000-000000000001'::uuid",
        Backend::MariaDb | Backend::Sqlite => "X'00000000000000000000000000000001'",
    };
    let dev = "(SELECT MIN(created_at) FROM environments)";
    let env = "(SELECT id FROM environments WHERE name = 'dev')";
    for statement in [
        format!("INSERT INTO connectors SELECT {fixed}, {env}, 'c', 1, {dev}, 0"),
        format!("INSERT INTO connector_versions SELECT {fixed}, 1, wrapped, '{{}}', '', 0 FROM data_keys"),
        format!(
            "INSERT INTO apps (id, environment_id, name, connector_id, connector_version, client_id, scopes, settings,
                state, revision, created_at, updated_at) VALUES ({fixed}, {env}, 'a', {fixed}, 1, '', '', '{{}}',
                'active', 1, 0, 0)"
        ),
        format!(
            "INSERT INTO customers (id, environment_id, external_id, created_at, updated_at)
                VALUES ({fixed}, {env}, 'k', 0, 0)"
        ),
        format!(
            "INSERT INTO connections (id, environment_id, customer_id, app_id, connector_version, family, failures, state,
                state_reason, state_since, generation, fence, granted_at, created_at, updated_at, requested_scopes,
                next_refresh_at)
             SELECT {id}, {env}, {fixed}, {fixed}, 1, 1, 0, 'active', 'consented', 0, 1, 0, 0, 0, 0, '', {due}
             FROM ({count}) AS numbers"
        ),
    ] {
        store.db.execute_unprepared(&statement).await.unwrap();
    }
    let analyse = if backend == Backend::MariaDb { "ANALYZE TABLE connections" } else { "ANALYZE connections" };
    store.db.execute_unprepared(analyse).await.unwrap();
}

async fn plan(backend: Backend) -> String {
    let database = TestDatabase::create(backend).await;
    let store = Store::connect(database.url(), 2).await.unwrap();
    let digest = "INSERT INTO data_keys (id, owner, key_encryption_key, wrapped, created_at)
        SELECT id, id, 'k', {}, 0 FROM environments WHERE name = 'dev'";
    let bytes = if backend == Backend::Postgres { "decode(repeat('00', 32), 'hex')" } else { ZEROES };
    store.db.execute_unprepared(&digest.replace("{}", bytes)).await.unwrap();
    filled(&store, backend).await;

    let due = store.due(64, &[]).build();
    let explain = if backend == Backend::Sqlite { "EXPLAIN QUERY PLAN " } else { "EXPLAIN " };
    let explained = Statement { sql: format!("{explain}{}", due.sql), ..due };
    let rows = store.db.query_all_raw(explained).await.unwrap();
    let cell = |row: &sea_orm::QueryResult| match backend {
        Backend::Postgres => row.try_get::<String>("", "QUERY PLAN").unwrap(),
        Backend::Sqlite => row.try_get::<String>("", "detail").unwrap(),
        Backend::MariaDb => {
            let part = |name: &str| row.try_get::<Option<String>>("", name).unwrap().unwrap_or_default();
            format!("type={} key={} {}", part("type"), part("key"), part("Extra"))
        }
    };
    let plan = rows.iter().map(cell).collect::<Vec<_>>().join("\n");
    let claimed = store.db.query_all_raw(store.due(64, &[]).build()).await.unwrap();
    assert_eq!(claimed.len(), 50, "what the plan is of finds what is due");
    plan
}

const ZEROES: &str = "X'0000000000000000000000000000000000000000000000000000000000000000'";

#[tokio::test]
async fn sqlite_searches_the_due_index() {
    let plan = plan(Backend::Sqlite).await;
    assert!(plan.contains("SEARCH connections USING INDEX connections_due (next_refresh_at<?)"), "{plan}");
    assert!(!plan.contains("SCAN connections") && !plan.contains("TEMP B-TREE"), "{plan}");
}

#[tokio::test]
async fn postgres_scans_the_due_index_by_condition() {
    let plan = plan(Backend::Postgres).await;
    assert!(plan.contains("Index Scan using connections_due"), "{plan}");
    assert!(plan.contains("Index Cond: (next_refresh_at <= "), "{plan}");
    assert!(!plan.contains("Seq Scan") && !plan.contains("Sort"), "{plan}");
}

#[tokio::test]
async fn mariadb_reads_a_range_of_the_due_index() {
    let plan = plan(Backend::MariaDb).await;
    assert!(plan.contains("type=range key=connections_due"), "{plan}");
    assert!(!plan.contains("filesort") && !plan.contains("temporary"), "{plan}");
}
