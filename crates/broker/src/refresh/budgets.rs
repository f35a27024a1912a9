//! What providers allow: told to the ledger, kept to by its claims, and fed with what came of each request.
//!
//! The rules are in `mortise_domain::gate` and the state is the ledger's, so that all processes share it. Here is only
//! what one process adds: how much it has under way at each provider, and answers that can be reported together.

use super::Engine;
use crate::loaded::LoadedApp;
use crate::{Error, Result};
use mortise_domain::gate::{GateId, Limits, Outcome, Rate, Turn};
use mortise_domain::{AppKey, ConnectorKey, Timestamp, smear};
use mortise_oauth::{Failure, FailureClass};
use mortise_store::{Claimed, Overdue};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Answers that say nothing new are reported together, this many at the most.
const TOGETHER: usize = 64;
/// How fast a backlog is worked off where the provider's rate is not known.
const USUAL_RATE: u64 = 50;

/// One process's view of its providers.
#[derive(Debug, Default)]
pub(super) struct Budgets {
    under_way: Arc<Mutex<BTreeMap<ConnectorKey, usize>>>,
    notes: Mutex<Vec<(GateId, Outcome)>>,
    told: Mutex<BTreeMap<GateId, Limits>>,
}

/// A request's place at its provider, given up when it ends, however it does.
#[derive(Debug)]
pub(super) struct UnderWay {
    provider: ConnectorKey,
    all: Arc<Mutex<BTreeMap<ConnectorKey, usize>>>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.provider) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.provider);
            }
        }
    }
}

impl Budgets {
    pub(super) fn enter(&self, provider: ConnectorKey) -> UnderWay {
        *self.under_way.lock().unwrap_or_else(PoisonError::into_inner).entry(provider).or_default() += 1;
        UnderWay { provider, all: self.under_way.clone() }
    }

    /// How much this process has under way, by provider.
    pub(super) fn busy(&self) -> Vec<(ConnectorKey, usize)> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|(key, count)| (*key, *count))
            .collect()
    }

    /// Remembers a report; answers all that are to be sent, if now is the time.
    fn add(&self, notes: [(GateId, Outcome); 2], urgent: bool) -> Vec<(GateId, Outcome)> {
        let mut waiting = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(notes);
        if urgent || waiting.len() >= TOGETHER { std::mem::take(&mut *waiting) } else { Vec::new() }
    }

    fn take(&self) -> Vec<(GateId, Outcome)> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the ledger has not heard of these limits from this process.
    fn is_news(&self, id: GateId, limits: Limits) -> bool {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(id, limits) != Some(limits)
    }
}

impl Engine {
    /// Lets the ledger know what a provider allows, before anything is claimed there.
    pub(crate) async fn tell_limits(&self, app: &LoadedApp) -> Result<()> {
        let (id, limits) = (GateId::Provider(app.app.connector), app.manifest.auth.limits().gate);
        if self.budgets.is_news(id, limits) {
            self.seams.ledger.gate_limit(id, limits).await?;
        }
        Ok(())
    }

    /// Reports what came of a request. Trouble is told at once, and so is what may be the end of it.
    pub(super) async fn report(&self, claimed: &Claimed, app: &LoadedApp, failure: Option<&Failure>, probe: bool) {
        let outcome = outcome(claimed, failure);
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
                if let Some(app) = app {
                    self.spread(app.app.key, app.manifest.auth.limits().gate.rate).await?;
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

    /// Takes a herd apart: what became overdue while nobody could ask is spread over the life that its tokens have left.
    pub(super) async fn spread(&self, app: AppKey, rate: Option<Rate>) -> Result<u64> {
        let entropy = self.seams.entropy.clone();
        let mut place = move |overdue: Overdue| placed(&overdue, rate, entropy.fraction());
        let spread = self.seams.ledger.connections_smear(app, &mut place).await?;
        if spread > 0 {
            tracing::info!(%app, spread, "overdue refreshes were spread");
        }
        Ok(spread)
    }
}

/// Each of many gets its own part of the time, so that they come evenly and not as chance has it.
fn placed(overdue: &Overdue, rate: Option<Rate>, fraction: f64) -> Timestamp {
    let drain = match rate {
        Some(rate) => {
            Duration::from_secs(rate.seconds.into()).mul_f64(overdue.total as f64 / f64::from(rate.requests.max(1)))
        }
        None => Duration::from_secs(overdue.total / USUAL_RATE),
    };
    let ends = [overdue.expires_at, overdue.refresh_idle_at, overdue.grant_expires_at];
    let remaining =
        ends.into_iter().flatten().min().map_or(drain, |end| (end - overdue.now).to_std().unwrap_or_default());
    smear(overdue.now, remaining, drain, (overdue.index as f64 + fraction) / overdue.total.max(1) as f64)
}

fn outcome(claimed: &Claimed, failure: Option<&Failure>) -> Outcome {
    let Some(failure) = failure else { return Outcome::Answered };
    match failure.class {
        FailureClass::Throttled => Outcome::Throttled { retry_after: failure.retry_after },
        FailureClass::GrantRejected => Outcome::Rejected(claimed.connection.id),
        FailureClass::AppMisconfigured | FailureClass::Unknown => Outcome::Answered,
        FailureClass::NotSent if failure.is_ours() => Outcome::NotSent,
        FailureClass::NotSent | FailureClass::Ambiguous => Outcome::Down,
    }
}
