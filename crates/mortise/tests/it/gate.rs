//! A gate in a test's PostgreSQL, at which commits of token pairs wait while it is closed.
//!
//! Between a provider's reply and its commit lies an instant that no test can hit by waiting. A trigger on the table of
//! connections makes that instant as long as a test likes, and nothing in the program knows of it: its statement waits for
//! a lock, as it would behind any other transaction. Besides: what the rows say that the API does not.

use crate::world::PATIENCE;
use mortise_domain::ConnectionId;
use mortise_testkit::wait;
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend, QueryResult, Statement,
    TransactionTrait as _,
};

/// Commits pass one beside the other, and none while the test holds the lock alone.
const TRIGGERS: &str = "
    CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7461); RETURN NEW; END $$;
    CREATE TRIGGER gate_update BEFORE UPDATE ON connections
        FOR EACH ROW WHEN (NEW.generation <> OLD.generation) EXECUTE FUNCTION gate();
    CREATE TRIGGER gate_insert BEFORE INSERT ON connections FOR EACH ROW EXECUTE FUNCTION gate();";

pub struct Gate {
    side: DatabaseConnection,
    closed: Option<DatabaseTransaction>,
}

/// Who is at a connection, as its row says. Times are unix milliseconds.
#[derive(Debug, PartialEq, Eq)]
pub struct Lease {
    pub until: Option<i64>,
    pub attempt: bool,
    pub generation: i64,
}

impl Gate {
    /// Open, in this database.
    pub async fn build(side: DatabaseConnection) -> Self {
        side.execute_unprepared(TRIGGERS).await.unwrap();
        Self { side, closed: None }
    }

    /// From now on commits wait.
    pub async fn close(&mut self) {
        let alone = self.side.begin().await.unwrap();
        alone.execute_unprepared("SELECT pg_advisory_xact_lock(7461)").await.unwrap();
        self.closed = Some(alone);
    }

    /// Lets through whoever waits.
    pub async fn open(&mut self) {
        self.closed.take().expect("a closed gate").rollback().await.unwrap();
    }

    /// Turns away these processes' statements that wait, as if they had not arrived, and lets the others through.
    pub async fn open_but_for(&mut self, processes: &[&str]) {
        let names: Vec<_> = processes.iter().map(|name| format!("'{name}'")).collect();
        let waiting = format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name IN ({})",
            names.join(", ")
        );
        self.number(&waiting).await;
        wait::until(PATIENCE, async || Ok((self.number(&waiting).await == 0).then_some(()))).await.unwrap();
        self.open().await;
    }

    /// Forgets that it was closed: the database ended, and every lock with it.
    pub fn fell_with_the_database(&mut self) {
        self.closed = None;
    }

    /// Waits until this many commits stand before the gate.
    pub async fn wait_for(&self, commits: i64) {
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = \
                       (SELECT oid FROM pg_database WHERE datname = current_database())";
        let stand = wait::until(PATIENCE, async || Ok((self.number(waiting).await == commits).then_some(()))).await;
        stand.unwrap_or_else(|error| panic!("not {commits} commits at the gate: {error}"));
    }

    /// Whatever is planned for these connections, they are due now.
    pub async fn make_due(&self, connections: impl IntoIterator<Item = &String>) {
        self.plan(connections, 0).await;
    }

    /// Whatever is planned for these connections, nothing is done about them for half an hour: what is brought along is
    /// planned for any moment of its life, the next one included.
    pub async fn put_off(&self, connections: impl IntoIterator<Item = &String>) {
        self.plan(connections, 30 * 60 * 1000).await;
    }

    async fn plan(&self, connections: impl IntoIterator<Item = &String>, in_millis: i64) {
        let uuids: Vec<_> = connections.into_iter().map(|id| format!("'{}'", uuid_of(id))).collect();
        let now = "(extract(epoch from clock_timestamp()) * 1000)::bigint";
        let update =
            format!("UPDATE connections SET next_refresh_at = {now} + {in_millis} WHERE id IN ({})", uuids.join(", "));
        self.side.execute_unprepared(&update).await.unwrap();
    }

    pub async fn lease(&self, connection: &str) -> Lease {
        let uuid = uuid_of(connection);
        let row =
            self.row(&format!("SELECT lease_until, attempt_id, generation FROM connections WHERE id = '{uuid}'")).await;
        let attempt: Option<uuid::Uuid> = row.try_get("", "attempt_id").unwrap();
        let (until, generation) = (row.try_get("", "lease_until").unwrap(), row.try_get("", "generation").unwrap());
        Lease { until, attempt: attempt.is_some(), generation }
    }

    /// How many of all connections somebody is at, or was when he died.
    pub async fn taken(&self) -> i64 {
        self.number("SELECT count(*) FROM connections WHERE lease_until IS NOT NULL OR attempt_id IS NOT NULL").await
    }

    pub async fn number(&self, select: &str) -> i64 {
        self.row(select).await.try_get_by_index(0).unwrap()
    }

    async fn row(&self, select: &str) -> QueryResult {
        let statement = Statement::from_string(DbBackend::Postgres, select);
        self.side.query_one_raw(statement).await.unwrap().expect("a row")
    }
}

fn uuid_of(connection: &str) -> uuid::Uuid {
    connection.parse::<ConnectionId>().unwrap().as_uuid()
}
