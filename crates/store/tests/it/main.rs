//! One suite, three databases: what the store promises holds on each of them or the store is wrong.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

/// Makes one test a database out of each function: `sqlite::name`, `postgres::name`, `maria_db::name`.
macro_rules! on_every_database {
    ($($test:ident,)+) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                Box::pin(super::$test(mortise_testkit::Backend::Sqlite)).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                Box::pin(super::$test(mortise_testkit::Backend::Postgres)).await;
            })+
        }
        mod maria_db {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                Box::pin(super::$test(mortise_testkit::Backend::MariaDb)).await;
            })+
        }
    };
}

mod apps;
mod attempts;
mod book;
mod conformance;
mod connections;
mod connectors;
mod customers;
mod device_polls;
mod gates;
mod grants;
mod holds;
mod idempotency;
mod isolation;
mod keys;
mod migrations;
mod moves;
mod paging;
mod poison;
mod queue;
mod races;
mod reauth;
mod revocations;
mod size;
mod world;
