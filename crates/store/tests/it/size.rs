//! How many bytes a connection takes on PostgreSQL.

use crate::world::{World, at};
use mortise_testkit::Backend;
use sea_orm::{ConnectionTrait as _, Statement};

/// A sealed token of 64 characters: version 1, data key id 16, nonce 12, tag 16.
const SEALED: usize = 64 + 45;
const ROWS: i64 = 20_000;

fn tokens() -> [sea_orm::Value; 2] {
    [vec![0x5a_u8; SEALED].into(), vec![0xa5_u8; SEALED].into()]
}

/// Table and indexes, with random ids and a customer for each connection.
async fn fill(world: &World) {
    let customers = "INSERT INTO customers (id, environment_id, external_id, created_at, updated_at)
        SELECT gen_random_uuid(), environment_id, 'c' || n, 0, 0 FROM customers, generate_series(1, ?) AS n";
    world.sql(customers, [ROWS.into()]).await;
    let connections = "INSERT INTO connections (id, environment_id, customer_id, app_id, connector_version, family,
            failures, state, state_reason, state_since, generation, fence, granted_at, created_at, updated_at, expires_at,
            refreshed_at, next_refresh_at, requested_scopes, access_token, refresh_token)
        SELECT gen_random_uuid(), environment_id, id, ?, 1, 1, 0, 'active', 'consented', 1, 1, 0, 1, 1, 1, 1, 1,
            ? + (random() * 3600000)::bigint, 'read write offline_access', ?, ? FROM customers";
    let [access, refresh] = tokens();
    let base = at(4_000_000_000_000).timestamp_millis();
    let values = [world.app.key.as_uuid().into(), base.into(), access, refresh];
    assert_eq!(world.sql(connections, values).await, u64::try_from(ROWS).unwrap() + 1);
}

/// Bytes a connection, with indexes and without.
async fn measure(world: &World) -> (i64, i64) {
    let db = world.store.connection();
    let sql = "SELECT pg_total_relation_size('connections')::bigint, pg_relation_size('connections')::bigint";
    let sizes = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    let bytes = |index| sizes.try_get_by_index::<i64>(index).unwrap() / ROWS;
    (bytes(0), bytes(1))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_takes_less_than_900_bytes() {
    let world = World::new(Backend::Postgres).await;
    fill(&world).await;
    world.sql("VACUUM ANALYZE connections", []).await;
    let (fresh, table) = measure(&world).await;
    assert!(table > 2 * i64::try_from(SEALED).unwrap(), "{table} bytes cannot hold two tokens: the measure is wrong");

    // Every row refreshed twice; vacuumed after every fifth of them, which is when PostgreSQL does it by itself.
    for round in 0..10_i64 {
        let refreshed = "UPDATE connections SET access_token = ?, refresh_token = ?, generation = generation + 1,
            fence = fence + 2, next_refresh_at = next_refresh_at + 3000000 WHERE get_byte(uuid_send(id), 0) % 5 = ?";
        let [access, refresh] = tokens();
        assert!(world.sql(refreshed, [access, refresh, (round % 5).into()]).await > 3_000);
        world.sql("VACUUM connections", []).await;
    }
    let (used, _) = measure(&world).await;
    println!("bytes a connection: {fresh} fresh ({table} without indexes), {used} after two rounds of refreshes");
    assert!(used < 900, "{used} bytes");
}
