//! The plans of claims and of their figures, from the database's own mouth: each reads its index and nothing else.

use super::Overdue;
use super::pick::Besides;
use crate::sql::Sql;
use crate::{Page, Store};
use mortise_domain::{AppKey, ConnectionId, ConnectorKey, CustomerKey};
use mortise_testkit::{Backend, TestDatabase};
use sea_orm::{ConnectionTrait as _, Statement};
use std::time::Duration;
use uuid::Uuid;

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
        format!("INSERT INTO connector_versions SELECT {fixed}, 1, wrapped, '{{}}', '', 0, NULL FROM data_keys"),
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
    // One in a hundred is somebody's, and the grant of one in a hundred ends.
    for (column, value, rest) in [("lease_until", 4_100_000_000_000_i64, 2), ("grant_expires_at", 5_000_000_000, 3)] {
        let update = format!("UPDATE connections SET {column} = {value} WHERE next_refresh_at % 100 = {rest}");
        store.db.execute_unprepared(&update).await.unwrap();
    }
    let analyse = if backend == Backend::MariaDb { "ANALYZE TABLE connections" } else { "ANALYZE connections" };
    store.db.execute_unprepared(analyse).await.unwrap();
}

async fn store(backend: Backend) -> (TestDatabase, Store) {
    let database = TestDatabase::create(backend).await;
    let store = Store::connect(database.url(), 2).await.unwrap();
    let digest = "INSERT INTO data_keys (id, owner, key_encryption_key, wrapped, created_at)
        SELECT id, id, 'k', {}, 0 FROM environments WHERE name = 'dev'";
    let bytes = if backend == Backend::Postgres { "decode(repeat('00', 32), 'hex')" } else { ZEROES };
    store.db.execute_unprepared(&digest.replace("{}", bytes)).await.unwrap();
    filled(&store, backend).await;
    (database, store)
}

const ZEROES: &str = "X'0000000000000000000000000000000000000000000000000000000000000000'";

/// The plan of a statement that finds so many rows.
async fn plan(store: &Store, backend: Backend, sql: Sql, finds: usize) -> String {
    let statement = sql.build();
    assert_eq!(store.db.query_all_raw(statement.clone()).await.unwrap().len(), finds, "{statement}");
    let explain = if backend == Backend::Sqlite { "EXPLAIN QUERY PLAN " } else { "EXPLAIN " };
    let explained = Statement { sql: format!("{explain}{}", statement.sql), ..statement };
    let rows = store.db.query_all_raw(explained).await.unwrap();
    let cell = |row: &sea_orm::QueryResult| match backend {
        Backend::Postgres => row.try_get::<String>("", "QUERY PLAN").unwrap(),
        Backend::Sqlite => row.try_get::<String>("", "detail").unwrap(),
        Backend::MariaDb => {
            let part = |name: &str| row.try_get::<Option<String>>("", name).unwrap().unwrap_or_default();
            format!("{} type={} key={} {}", part("table"), part("type"), part("key"), part("Extra"))
        }
    };
    rows.iter().map(cell).collect::<Vec<_>>().join("\n")
}

/// Everything that a claim may have to leave out at once.
fn besides() -> Besides {
    let other = Uuid::from_u128(99);
    Besides {
        apps: vec![AppKey::from_uuid(other)],
        providers: vec![ConnectorKey::from_uuid(other)],
        retries_of: vec![ConnectorKey::from_uuid(Uuid::from_u128(1))],
        customers: vec![CustomerKey::from_uuid(other)],
        rows: vec![ConnectionId::from_uuid(other)],
    }
}

#[tokio::test]
async fn sqlite_searches_its_indexes() {
    let (_database, store) = store(Backend::Sqlite).await;
    for besides in [Besides::default(), besides()] {
        let due = plan(&store, Backend::Sqlite, store.due(64, &besides), 50).await;
        assert!(due.contains("SEARCH connections USING INDEX connections_due (next_refresh_at<?)"), "{due}");
        assert!(!due.contains("SCAN connections") && !due.contains("TEMP B-TREE FOR ORDER BY"), "{due}");
        let newest = plan(&store, Backend::Sqlite, store.newest(9, 40, &besides), 9).await;
        assert!(newest.contains("SEARCH late USING INDEX connections_due (next_refresh_at<?)"), "{newest}");
        assert!(!newest.contains("SCAN connections") && !newest.contains("SCAN late"), "{newest}");
    }
    let under_way = plan(&store, Backend::Sqlite, store.under_way(), 1).await;
    assert!(under_way.contains("SEARCH connections USING COVERING INDEX connections_leased"), "{under_way}");
    let reauth = plan(&store, Backend::Sqlite, store.reauth_due(4_999_000_000, PAGE), 10).await;
    assert!(reauth.contains("SEARCH connections USING INDEX connections_by_grant_end"), "{reauth}");
}

#[tokio::test]
async fn postgres_scans_its_indexes_by_condition() {
    let (_database, store) = store(Backend::Postgres).await;
    for besides in [Besides::default(), besides()] {
        let due = plan(&store, Backend::Postgres, store.due(64, &besides), 50).await;
        assert!(due.contains("Index Scan using connections_due"), "{due}");
        assert!(due.contains("Index Cond: (next_refresh_at <= "), "{due}");
        assert!(!due.contains("Seq Scan on connections") && !due.contains("Sort"), "{due}");
        let newest = plan(&store, Backend::Postgres, store.newest(9, 40, &besides), 9).await;
        assert!(newest.contains("Index Scan Backward using connections_due on connections late"), "{newest}");
        assert!(newest.contains("Index Cond: (next_refresh_at <= "), "{newest}");
        assert!(!newest.contains("Seq Scan on connections"), "{newest}");
    }
    let under_way = plan(&store, Backend::Postgres, store.under_way(), 1).await;
    assert!(under_way.contains("connections_leased") && !under_way.contains("Seq Scan on connections"), "{under_way}");
    let reauth = plan(&store, Backend::Postgres, store.reauth_due(4_999_000_000, PAGE), 10).await;
    assert!(reauth.contains("connections_by_grant_end") && !reauth.contains("Seq Scan"), "{reauth}");
}

#[tokio::test]
async fn mariadb_reads_ranges_of_its_indexes() {
    let (_database, store) = store(Backend::MariaDb).await;
    for besides in [Besides::default(), besides()] {
        let due = plan(&store, Backend::MariaDb, store.due(64, &besides), 50).await;
        assert!(due.contains("connections type=range key=connections_due"), "{due}");
        assert!(!due.contains("filesort") && !due.contains("temporary"), "{due}");
        let newest = plan(&store, Backend::MariaDb, store.newest(9, 40, &besides), 9).await;
        assert!(newest.contains("late type=range key=connections_due"), "{newest}");
        assert!(newest.contains("connections type=eq_ref key=PRIMARY"), "{newest}");
    }
    let under_way = plan(&store, Backend::MariaDb, store.under_way(), 1).await;
    assert!(under_way.contains("connections type=range key=connections_leased"), "{under_way}");
    let reauth = plan(&store, Backend::MariaDb, store.reauth_due(4_999_000_000, PAGE), 10).await;
    assert!(reauth.contains("connections type=range key=connections_by_grant_end"), "{reauth}");
}

const PAGE: Page = Page { limit: 9, after: None };

/// Five thousand overdue rows, which are ten chunks, over a thousand seconds: flat, and none is left behind or moved twice.
async fn smeared(backend: Backend) {
    let (_database, store) = store(backend).await;
    store.db.execute_unprepared("UPDATE connections SET next_refresh_at = 5, lease_until = NULL").await.unwrap();
    let provider = ConnectorKey::from_uuid(Uuid::from_u128(1));
    let span = Duration::from_secs(1_000);
    let mut place = |row: Overdue| {
        let part = row.index as f64 / row.total as f64;
        row.now + Duration::from_secs(3_600) + span.mul_f64(part)
    };
    assert_eq!(store.connections_smear(provider, &[], &mut place).await.unwrap(), Some(5_000));
    let rows = Sql::new(store.dialect, "SELECT next_refresh_at AS at FROM connections ORDER BY 1").build();
    let rows = store.db.query_all_raw(rows).await.unwrap();
    let times: Vec<i64> = rows.iter().map(|row| row.try_get("", "at").unwrap()).collect();
    let first = times[0];
    assert!(times.iter().zip(0..).all(|(at, n)| (at - first - n * 200).abs() <= 1), "one every 200 ms");
}

#[tokio::test]
async fn sqlite_smears_in_chunks() {
    smeared(Backend::Sqlite).await;
}

#[tokio::test]
async fn postgres_smears_in_chunks() {
    smeared(Backend::Postgres).await;
}

#[tokio::test]
async fn mariadb_smears_in_chunks() {
    smeared(Backend::MariaDb).await;
}
