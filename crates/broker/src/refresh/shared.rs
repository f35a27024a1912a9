//! Refreshes for callers who wait: one serves any number of them, here and in other processes.

use super::flights::{Joined, Landing, landed};
use super::hold::PROBE_INTERVAL;
use super::{Cause, Ended, Engine};
use crate::Result;
use mortise_domain::{ConnectionId, EnvironmentKey};
use mortise_oauth::{Failure, FailureClass};
use mortise_store::{ClaimOne, Claimed};
use std::sync::Arc;
use std::time::Duration;

/// How long a caller waits for a refresh: one ordinary exchange, and the database.
const PATIENCE: Duration = Duration::from_secs(35);

/// When to ask again while a reply would have nowhere to go.
const HOMELESS: Duration = Duration::from_secs(1);

/// What came of a caller's claim.
enum Claim {
    /// The row is this process's; claimed at that monotonic time.
    Ours(Box<Claimed>, Duration),
    /// There is nothing to send.
    Settled(Ended),
}

impl Engine {
    /// How long nothing is to be claimed yet, because the database was away, or because a reply would have nowhere to go.
    pub(super) fn quiet(&self) -> Option<Duration> {
        let homeless = (!self.seams.spill.ready()).then_some(HOMELESS);
        self.outage.left(self.seams.clock.monotonic()).or(homeless)
    }

    /// One refresh of `id` for a caller who waits, shared with everybody who waits for the same, here and in other
    /// processes. `generation` is what the caller saw: if the row has moved past it, somebody was faster.
    pub async fn refresh_now(
        self: &Arc<Self>,
        environment: EnvironmentKey,
        id: ConnectionId,
        generation: i64,
        cause: impl Into<Cause>,
    ) -> Result<Ended> {
        let cause = cause.into();
        let until = self.seams.clock.monotonic() + PATIENCE;
        loop {
            let ended = match self.flights.join(id, generation) {
                Joined::Closed => Ended::Interrupted,
                Joined::Waits(of, landing) => match self.wait(landing, until).await {
                    // Stored already when the caller looked, and about to land: the caller wants the one after it.
                    Ended::Refreshed if of < generation => continue,
                    ended => ended,
                },
                Joined::Flies(flight, landing) => {
                    match self.claim_patiently(environment, id, generation, until).await? {
                        Claim::Ours(claim, claimed_at) => {
                            self.fly(*claim, cause, claimed_at, Some(flight));
                            self.wait(landing, until).await
                        }
                        Claim::Settled(ended) => {
                            flight.land(ended.clone());
                            ended
                        }
                    }
                }
            };
            // Whoever was to fly hung up before it began: the next one takes over.
            if !matches!(ended, Ended::Abandoned) {
                return Ok(ended);
            }
        }
    }

    /// Claims the row, or waits for the process that has it: its commit shows in the row.
    async fn claim_patiently(
        &self,
        environment: EnvironmentKey,
        id: ConnectionId,
        generation: i64,
        until: Duration,
    ) -> Result<Claim> {
        let mut pause = Duration::from_millis(20);
        loop {
            // The disk may have filled since somebody looked last, and a reply that comes has to have somewhere to go.
            if self.seams.spill.prepare().await.is_err() {
                return Ok(Claim::Settled(Ended::Later(HOMELESS)));
            }
            if let Some(quiet) = self.quiet() {
                return Ok(Claim::Settled(Ended::Later(quiet)));
            }
            if self.noted(self.waits_for_a_probe(environment, id).await)? {
                return Ok(Claim::Settled(held()));
            }
            let claimed_at = self.seams.clock.monotonic();
            let (terms, attempt, event) = (self.terms(), self.attempt_id(), self.event_id());
            let claim = self.seams.ledger.connection_claim_one(&terms, environment, id, generation, attempt, event);
            match self.noted(claim.await.map_err(Into::into))? {
                ClaimOne::Claimed(claim) => return Ok(Claim::Ours(claim, claimed_at)),
                ClaimOne::Moved => return Ok(Claim::Settled(Ended::Refreshed)),
                ClaimOne::Gone => return Ok(Claim::Settled(Ended::Unusable)),
                ClaimOne::Busy { leased: false, until, now } | ClaimOne::Gated { until, now } => {
                    return Ok(Claim::Settled(Ended::Later((until - now).to_std().unwrap_or_default())));
                }
                ClaimOne::Busy { leased: true, .. } if self.seams.clock.monotonic() >= until => {
                    return Ok(Claim::Settled(Ended::Interrupted));
                }
                ClaimOne::Busy { leased: true, .. } => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(200));
        }
    }

    /// Whether the connection's app is held: then probes are sent for it, and nothing else, whoever asks.
    async fn waits_for_a_probe(&self, environment: EnvironmentKey, id: ConnectionId) -> Result<bool> {
        let held = self.seams.ledger.apps_held().await?;
        if held.is_empty() {
            return Ok(false);
        }
        let row = self.seams.ledger.connection_token_row(environment, id).await?;
        Ok(row.is_some_and(|row| held.iter().any(|(app, _)| *app == row.app)))
    }

    async fn wait(&self, landing: Landing, until: Duration) -> Ended {
        let left = until.saturating_sub(self.seams.clock.monotonic());
        let ended = tokio::time::timeout(left, landed(landing)).await;
        ended.ok().flatten().unwrap_or(Ended::Interrupted)
    }
}

/// What a caller hears of an app that is held.
fn held() -> Ended {
    Ended::Failed(Arc::new(Failure {
        class: FailureClass::AppMisconfigured,
        status: None,
        error: None,
        retry_after: Some(PROBE_INTERVAL),
        detail: "the app is held until a probe succeeds",
    }))
}
