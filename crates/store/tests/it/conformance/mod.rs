//! One suite for whatever keeps the refresh engine's books: three databases, and memory. What holds on one holds on all, or
//! a simulation over memory would prove nothing about the product.

/// Makes one test a ledger out of each function: `sqlite::name`, `postgres::name`, `maria_db::name`, `memory::name`.
macro_rules! on_every_ledger {
    ($($test:ident,)+) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let kind = crate::conformance::ground::Kind::Database(mortise_testkit::Backend::Sqlite);
                Box::pin(super::$test(kind)).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let kind = crate::conformance::ground::Kind::Database(mortise_testkit::Backend::Postgres);
                Box::pin(super::$test(kind)).await;
            })+
        }
        mod maria_db {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let kind = crate::conformance::ground::Kind::Database(mortise_testkit::Backend::MariaDb);
                Box::pin(super::$test(kind)).await;
            })+
        }
        mod memory {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                Box::pin(super::$test(crate::conformance::ground::Kind::Memory)).await;
            })+
        }
    };
}

mod apps;
mod claims;
mod deadlines;
mod endings;
mod gates;
mod grants;
mod ground;
mod isolation;
mod model;
pub mod races;
mod refresh;
mod smear;
mod timelines;
mod together;
