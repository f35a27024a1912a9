//! What providers allow: kept to by the ledger's claims, and fed here with what came of each request.
//!
//! The rules are in `mortise_domain::gate` and the state is the ledger's, so that all processes share it. Here is only
//! what one process adds: how far it trusts each provider, and answers that can be reported together.

use super::Engine;
use super::trust::{Met, Trust};
use crate::loaded::LoadedApp;
use crate::{Error, Result};
use mortise_domain::gate::{GateId, Outcome, Turn};
use mortise_oauth::{Failure, FailureClass};
use mortise_store::Claimed;
use std::sync::{Mutex, PoisonError};

/// Answers that say nothing new are reported together, this many at the most.
const TOGETHER: usize = 64;
/// One process's view of its providers.
#[derive(Debug, Default)]
pub(super) struct Budgets {
    pub(super) trust: Trust,
    notes: Mutex<Vec<(GateId, Outcome)>>,
}

impl Budgets {
    /// Remembers a report; answers all that are to be sent, if now is the time.
    fn add(&self, notes: [(GateId, Outcome); 2], urgent: bool) -> Vec<(GateId, Outcome)> {
        let mut waiting = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(notes);
        if urgent || waiting.len() >= TOGETHER { std::mem::take(&mut *waiting) } else { Vec::new() }
    }

    fn take(&self) -> Vec<(GateId, Outcome)> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Engine {
    /// Reports what came of a request. Trouble is told at once, and so is what may be the end of it.
    pub(super) async fn report(&self, claimed: &Claimed, app: &LoadedApp, failure: Option<&Failure>, probe: bool) {
        let outcome = outcome(claimed, failure);
        if let Some(met) = met(outcome) {
            self.budgets.trust.met(claimed.provider, met, self.seams.clock.monotonic());
        }
        let urgent = outcome != Outcome::Answered || probe || claimed.connection.failures > 0;
        let gates = [GateId::Provider(claimed.provider), GateId::App(claimed.connection.app)];
        let notes = self.budgets.add(gates.map(|id| (id, outcome)), urgent);
        self.tell(&notes, Some(app)).await;
    }

    /// Reports what waited to be reported.
    pub(super) async fn tell_answers(&self) {
        self.tell(&self.budgets.take(), None).await;
    }

    /// A report that gets lost costs a little precision, and nothing else.
    async fn tell(&self, notes: &[(GateId, Outcome)], app: Option<&LoadedApp>) {
        if notes.is_empty() {
            return;
        }
        match self.noted(self.seams.ledger.gates_note(notes).await.map_err(Error::from)) {
            Ok(turns) => {
                for (id, turn) in turns {
                    if let Err(error) = self.act(id, turn, app).await {
                        tracing::error!(error = ?error, "a provider's trouble could not be acted on");
                    }
                }
            }
            Err(error) => tracing::debug!(error = ?error, "answers could not be reported"),
        }
    }

    async fn act(&self, id: GateId, turn: Turn, app: Option<&LoadedApp>) -> Result<()> {
        let key = id.as_uuid();
        match turn {
            Turn::Opened => {
                tracing::error!(provider = %key, "the provider is down: one request in five seconds tries it");
                metrics::counter!("mortise_breaker_opened_total").increment(1);
            }
            Turn::Recovered => {
                tracing::info!(provider = %key, "the provider works again");
                if let GateId::Provider(provider) = id {
                    self.take_apart(provider);
                }
            }
            Turn::Shut { until } => {
                tracing::warn!(provider = %key, %until, "the provider asked for quiet");
                metrics::counter!("mortise_providers_throttled_total").increment(1);
            }
            Turn::Wave => {
                if let Some(app) = app {
                    self.hold(app, super::hold::WAVE).await?;
                }
            }
        }
        Ok(())
    }
}

fn outcome(claimed: &Claimed, failure: Option<&Failure>) -> Outcome {
    let Some(failure) = failure else { return Outcome::Answered };
    known_bad!(BackoffPerRow => if failure.class == FailureClass::Throttled { return Outcome::Answered; });
    match failure.class {
        FailureClass::Throttled => Outcome::Throttled { retry_after: failure.retry_after },
        FailureClass::GrantRejected => Outcome::Rejected(claimed.connection.id),
        FailureClass::AppMisconfigured | FailureClass::Unknown => Outcome::Answered,
        FailureClass::NotSent if failure.is_ours() => Outcome::NotSent,
        FailureClass::NotSent | FailureClass::Ambiguous => Outcome::Down,
    }
}

/// What a request's outcome says about whether its provider is there.
fn met(outcome: Outcome) -> Option<Met> {
    match outcome {
        Outcome::Answered | Outcome::Throttled { .. } | Outcome::Rejected(_) => Some(Met::Answer),
        Outcome::Down => Some(Met::Failure),
        Outcome::NotSent => None,
    }
}
