//! How many bytes a connection takes.

use crate::world::{World, at, id};
use mortise_domain::ConnectionId;
use mortise_testkit::Backend;
use sea_orm::{ConnectionTrait as _, Statement};

/// A sealed token of 64 characters: version 1, data key id 16, nonce 12, tag 16.
const SEALED: usize = 64 + 45;
const ROWS: i64 = 20_000;

/// Table and indexes, with random ids, each row inserted and then refreshed once so that its update leaves what updates
/// leave.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_takes_less_than_900_bytes() {
    let world = World::new(Backend::Postgres).await;
    let row = world.due().await;
    let copy = "INSERT INTO connections (id, environment_id, customer_id, app_id, connector_version, family, failures,
            state, state_reason, state_since, generation, fence, granted_at, created_at, updated_at, expires_at,
            refreshed_at, next_refresh_at, requested_scopes, access_token, refresh_token)
        SELECT gen_random_uuid(), environment_id, customer_id, app_id, 1, 1, 0, state, state_reason, state_since,
            generation, fence, granted_at, created_at, updated_at, expires_at, refreshed_at, ? + n, requested_scopes, ?, ?
        FROM connections, generate_series(1, ?) AS n WHERE id = ?";
    let token = || vec![0x5a_u8; SEALED].into();
    let base = at(4_000_000_000_000).timestamp_millis();
    let values = [base.into(), token(), token(), ROWS.into(), row.id.as_uuid().into()];
    assert_eq!(world.sql(copy, values).await, u64::try_from(ROWS).unwrap());
    world.sql("DELETE FROM events", []).await;
    world.sql("DELETE FROM connections WHERE id = ?", [row.id.as_uuid().into()]).await;
    world.sql("VACUUM ANALYZE connections", []).await;

    let db = world.store.connection();
    let sql = "SELECT pg_total_relation_size('connections')::bigint, pg_relation_size('connections')::bigint";
    let measured = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    let (all, table): (i64, i64) = (measured.try_get_by_index(0).unwrap(), measured.try_get_by_index(1).unwrap());
    println!("bytes a connection: {} with indexes, {} without", all / ROWS, table / ROWS);
    assert!(all / ROWS < 900, "{} bytes", all / ROWS);
    assert!(table / ROWS > 300, "{} bytes cannot hold two tokens: the measure is wrong", table / ROWS);
    assert_eq!(world.store.connection_get(world.env, id!(ConnectionId)).await.unwrap(), None);
}
