//! A hand on the row's database and an eye on the provider: what is due, who holds what until when, who was asked.

use super::stage::{Made, Stage};
use crate::world::PATIENCE;
use mortise_domain::ConnectionId;
use mortise_sandbox::RequestRecord;
use mortise_testkit::{Process, wait};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, TransactionTrait as _};

/// PostgreSQL's clock in unix milliseconds.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

impl Stage {
    /// Whatever is planned, these are due now.
    pub async fn make_due(&self, made: &[Made]) {
        self.gate.make_due(made.iter().map(|made| &made.id)).await;
    }

    /// How often refresh tokens of these connections were presented.
    pub fn asked(&self, made: &[Made]) -> usize {
        made.iter().map(|made| self.requests(made).len()).sum()
    }

    /// The refresh requests of a connection, in the order of arrival.
    pub fn requests(&self, made: &Made) -> Vec<RequestRecord> {
        let mut requests = self.world.provider.token_requests(made.class);
        requests.retain(|request| {
            request.family == Some(made.family) && request.grant_type.as_deref() == Some("refresh_token")
        });
        requests
    }

    /// Waits until the provider has so many refreshes of these connections in its log.
    pub async fn wait_for_requests(&self, made: &[Made], count: usize) {
        let there = wait::until(PATIENCE, async || Ok((self.asked(made) >= count).then_some(()))).await;
        there.unwrap_or_else(|error| panic!("{error}: {} of {count} requests", self.asked(made)));
    }

    /// Waits until this generation of every connection is stored.
    pub async fn wait_for_generation(&self, made: &[Made], generation: i64) {
        for made in made {
            let stored = wait::until(PATIENCE, async || {
                Ok((self.gate.lease(&made.id).await.generation >= generation).then_some(()))
            });
            if let Err(error) = stored.await {
                let (view, events) = (self.world.api.connection(&made.id).await, self.world.api.events(&made.id).await);
                panic!("{} {}: {error}: {events:?} {view}", made.class, made.id);
            }
            assert_eq!(self.gate.lease(&made.id).await.generation, generation, "{} {}", made.class, made.id);
        }
    }

    /// From now on claims wait before their commit; ends with the value.
    pub async fn hold_claims(&self) -> DatabaseTransaction {
        let alone = self.side.begin().await.unwrap();
        alone.execute_unprepared("SELECT pg_advisory_xact_lock(7462)").await.unwrap();
        alone
    }

    /// What is left of these leases and attempts is over in so many milliseconds, as if the test had waited for it; their
    /// holders are dead or have given up. Answers when, by the database's clock.
    pub async fn shorten_leases(&self, made: &[Made], millis: i64) -> i64 {
        let ids: Vec<_> = made.iter().map(|made| format!("'{}'", uuid_of(&made.id))).collect();
        let end = self.gate.number(&format!("SELECT {NOW} + {millis}")).await;
        let update = format!(
            "UPDATE connections SET lease_until = least(lease_until, {end}), \
             attempt_deadline = least(attempt_deadline, {end}) WHERE id IN ({})",
            ids.join(", ")
        );
        self.run(&update).await;
        self.allow_retries().await;
        end
    }

    /// Providers that were in trouble have been asked for long without any since: retries need not wait for each other.
    pub async fn allow_retries(&self) {
        self.run("UPDATE gates SET retry_credit = 10000").await;
    }

    /// Only the lease ends, as if somebody had been away for longer than it; the attempt's own end stays.
    pub async fn end_leases(&self, made: &[Made]) {
        for made in made {
            let update = format!("UPDATE connections SET lease_until = {NOW} WHERE id = '{}'", uuid_of(&made.id));
            self.run(&update).await;
        }
    }

    /// Ends a process's sessions in PostgreSQL, with whatever they had not committed.
    pub async fn terminate(&self, name: &str) {
        let all = format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name = '{name}'"
        );
        soon("the end of its sessions", async || self.gate.number(&all).await == 0).await;
    }

    /// A statement of the test's own.
    pub async fn run(&self, statements: &str) {
        self.side.execute_unprepared(statements).await.unwrap();
    }
}

pub fn uuid_of(connection: &str) -> uuid::Uuid {
    connection.parse::<ConnectionId>().unwrap().as_uuid()
}

/// Waits for something that a test looks for by itself.
pub async fn soon(what: &str, mut probe: impl AsyncFnMut() -> bool) {
    let there = wait::until(PATIENCE, async || Ok(probe().await.then_some(()))).await;
    there.unwrap_or_else(|error| panic!("{what}: {error}"));
}

/// A log in which [`looks`] are seen.
pub const LOOKS: &str = "info,mortise_worker=trace";

/// Waits until a worker has looked for what is due so many times more: what it was to send by then, it has sent.
pub async fn looks(worker: &Process, more: usize) {
    let count = || worker.stderr().matches("refresh_due").count();
    let before = count();
    // One may have begun before.
    soon("looks for what is due", async || count() > before + more).await;
}
