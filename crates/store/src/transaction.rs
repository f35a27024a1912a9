//! Transactions: short, retried when the database chose them as a victim, and immediate on SQLite.
//!
//! A SQLite transaction that reads first and writes later fails at once when another writer got in between, whatever the
//! timeout. So each of them takes the write lock when it begins, and inside this process they queue before that.

use crate::dialect::Dialect;
use crate::{Result, Store, StoreError};
use sea_orm::{
    ConnectionTrait as _, DatabaseTransaction, ExecResult, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait as _,
};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::MutexGuard;

/// How often a transaction is tried before its error is told.
const TRIES: u32 = 5;

/// An open transaction, with the right to write where only one may.
pub(crate) struct Transaction<'a> {
    pub(crate) tx: DatabaseTransaction,
    _writer: Option<MutexGuard<'a, ()>>,
}

/// Runs a block of statements as one transaction: `transact!(store, tx, { …; Ok(value) })`. The block is run again, from
/// its beginning, after a deadlock or a serialization failure; any other error rolls back. A macro and not a function,
/// because a closure that borrows and is async makes futures that cannot be sent between threads.
macro_rules! transact {
    ($store:expr, $tx:ident, $body:block) => {{
        let mut tries = 0;
        loop {
            let transaction = $store.begin().await?;
            let outcome: $crate::Result<_> = async {
                let $tx = &transaction.tx;
                $body
            }
            .await;
            let outcome = transaction.end(outcome).await;
            match outcome {
                Err(error) if $crate::transaction::again(&error, &mut tries).await => {}
                other => break other,
            }
        }
    }};
}
pub(crate) use transact;

impl Store {
    pub(crate) async fn begin(&self) -> Result<Transaction<'_>> {
        let _writer = self.writer().await;
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(Transaction { tx: self.db.begin_with_options(options).await?, _writer })
    }

    /// The right to write; a formality but on SQLite.
    pub(crate) async fn writer(&self) -> Option<MutexGuard<'_, ()>> {
        match self.dialect {
            Dialect::Sqlite => Some(self.writer.lock().await),
            Dialect::Postgres | Dialect::MySql => None,
        }
    }

    /// One writing statement that needs no transaction around it.
    pub(crate) async fn write(&self, statement: Statement) -> Result<ExecResult> {
        let mut tries = 0;
        loop {
            let writer = self.writer().await;
            let outcome = self.db.execute_raw(statement.clone()).await.map_err(StoreError::from);
            drop(writer);
            match outcome {
                Err(error) if again(&error, &mut tries).await => {}
                other => break other,
            }
        }
    }
}

impl Transaction<'_> {
    /// Commits what went well and rolls back what did not.
    pub(crate) async fn end<T>(self, outcome: Result<T>) -> Result<T> {
        match outcome {
            Ok(value) => {
                self.tx.commit().await?;
                Ok(value)
            }
            Err(error) => {
                // The first error says what went wrong; a rollback that fails closes its connection and is rolled back.
                if let Err(second) = self.tx.rollback().await {
                    tracing::debug!(error = %second, "a rollback failed");
                }
                Err(error)
            }
        }
    }
}

/// Whether to try again, after a pause that grows and differs from that of others.
pub(crate) async fn again(error: &StoreError, tries: &mut u32) -> bool {
    *tries += 1;
    if *tries >= TRIES || !error.is_transient() {
        return false;
    }
    tracing::debug!(error = ?error, tries, "a transaction is tried again");
    tokio::time::sleep(pause(*tries)).await;
    true
}

/// 1 to 64 ms. Victims of one deadlock must not meet again, so each pause takes the next step of a sequence that spreads
/// evenly (multiples of the golden ratio); nothing about it needs to be unpredictable.
fn pause(tries: u32) -> Duration {
    static STEPS: AtomicU64 = AtomicU64::new(0);
    let turn = STEPS.fetch_add(1, Ordering::Relaxed).wrapping_add(u64::from(std::process::id()));
    let spread = turn.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let ceiling = 4_000_u64 << tries.min(4);
    Duration::from_micros(ceiling / 4 + spread % (ceiling * 3 / 4))
}
