//! Pairs that wait for SQLite's one writer are stored together: one transaction, one flush, for all of them.
//!
//! Each pair is judged by itself, and nobody is told before the transaction is through. Where it fails, whoever was in it
//! stores his own alone, so that one pair never stands in the way of another. Whoever is next at the writer carries the
//! others' pairs; if he is dropped on the way nothing is stored, and they find out and go alone too.

use super::{CommitOutcome, RefreshResult};
use crate::events::{self, NewEvent};
use crate::sql::Sql;
use crate::transaction::Transaction;
use crate::{Result, Store};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot::{self, error::TryRecvError};

/// The most pairs of one transaction: others want to write too.
const MOST: usize = 64;

/// A pair with its line in the timeline.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) result: RefreshResult,
    pub(super) event: NewEvent,
}

/// A pair, and who waits for it.
#[derive(Debug)]
struct Waiting {
    pair: Arc<Pair>,
    told: oneshot::Sender<CommitOutcome>,
}

/// Pairs that wait for the writer.
#[derive(Debug, Default)]
pub(crate) struct Together(Mutex<Vec<Waiting>>);

impl Together {
    fn add(&self, pair: &Arc<Pair>) -> oneshot::Receiver<CommitOutcome> {
        let (told, answer) = oneshot::channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Waiting { pair: pair.clone(), told });
        answer
    }

    fn take(&self) -> Vec<Waiting> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.len().min(MOST);
        all.drain(..count).collect()
    }
}

impl Store {
    /// Stores a pair with those of others, or alone.
    pub(super) async fn commit_together(&self, pair: Pair) -> Result<CommitOutcome> {
        let pair = Arc::new(pair);
        let mut answer = self.together.add(&pair);
        let outcome = loop {
            let transaction = tokio::select! {
                biased;
                outcome = &mut answer => break outcome.ok(),
                transaction = self.begin() => transaction,
            };
            // Somebody else may have carried it while this one was let in.
            match answer.try_recv() {
                Ok(outcome) => break Some(outcome),
                Err(TryRecvError::Closed) => break None,
                Err(TryRecvError::Empty) => self.carry(transaction).await,
            }
        };
        match outcome {
            Some(outcome) => Ok(outcome),
            None => self.commit_alone(&pair.result, &pair.event).await,
        }
    }

    /// Stores whatever waits. Who is in a transaction that fails hears nothing, which is what sends him off alone.
    async fn carry(&self, transaction: Result<Transaction<'_>>) {
        let company = self.together.take();
        let stored: Result<_> = async {
            let transaction = transaction?;
            let outcomes = self.store_all(&transaction.tx, &company).await;
            transaction.end(outcomes).await
        }
        .await;
        match stored {
            Ok(outcomes) => tell(company, outcomes),
            Err(error) => tracing::debug!(error = ?error, pairs = company.len(), "pairs are stored one by one"),
        }
    }

    /// What becomes of each. A line is in the table before anybody looks for it there.
    async fn store_all(&self, tx: &DatabaseTransaction, company: &[Waiting]) -> Result<Vec<CommitOutcome>> {
        let (mut outcomes, mut lines) = (Vec::with_capacity(company.len()), Vec::new());
        for Waiting { pair, .. } in company {
            let update = self.pair(Sql::new(self.dialect, ""), &pair.result);
            outcomes.push(if tx.execute_raw(update.build()).await?.rows_affected() == 1 {
                lines.push(pair.event.row(pair.result.id));
                CommitOutcome::Committed
            } else {
                events::append_all(tx, &mut lines).await?;
                self.why_not(tx, &pair.result).await?
            });
        }
        events::append_all(tx, &mut lines).await?;
        Ok(outcomes)
    }
}

/// Somebody who has gone need not be told.
fn tell(company: Vec<Waiting>, outcomes: Vec<CommitOutcome>) {
    for (waiting, outcome) in company.into_iter().zip(outcomes) {
        waiting.told.send(outcome).unwrap_or_default();
    }
}
