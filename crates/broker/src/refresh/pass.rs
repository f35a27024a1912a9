//! Who sends refreshes: the worker's pass over what is due, the probe of held apps, and callers who cannot wait for either.

use super::failed::PROBE_INTERVAL;
use super::flights::{Flight, Joined, Landing, landed};
use super::{Ended, Reason};
use crate::{Broker, Result};
use mortise_domain::{AppKey, AttemptId, ConnectionId, EnvironmentKey, EventId};
use mortise_store::{ClaimOne, ClaimTerms, Claimed};
use std::sync::Arc;
use std::time::Duration;

/// How long a caller waits for a refresh: one ordinary exchange, and the database.
const PATIENCE: Duration = Duration::from_secs(35);

/// What came of a caller's claim.
enum Claim {
    /// The row is this process's; claimed at that monotonic time.
    Ours(Box<Claimed>, Duration),
    /// There is nothing to send.
    Settled(Ended),
}

/// What a pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RefreshPass {
    /// Refreshes begun.
    pub begun: usize,
    /// Whether more was due than there was room for.
    pub more: bool,
}

impl Broker {
    /// Begins as many due refreshes as there is room for. They run on after the pass; [`Broker::drain`] waits for them.
    pub async fn refresh_due(self: &Arc<Self>) -> Result<RefreshPass> {
        let room = self.config.refresh_concurrency.saturating_sub(self.flights.count());
        // A claim costs the database the same for one row as for many: small gaps are left to grow.
        if room * 4 < self.config.refresh_concurrency || self.is_draining() {
            return Ok(RefreshPass { begun: 0, more: true });
        }
        let (claimed, claimed_at) = self.noted(self.claim_due(room).await)?;
        let begun = claimed.len();
        for claim in claimed {
            self.begin(claim, Reason::Due, claimed_at);
        }
        Ok(RefreshPass { begun, more: begun == room })
    }

    /// Claims at most so many, at the monotonic time that it answers too.
    async fn claim_due(&self, room: usize) -> Result<(Vec<Claimed>, Duration)> {
        self.replay_what_was_left().await?;
        let held: Vec<AppKey> = self.store.apps_held().await?.into_iter().map(|(app, _)| app).collect();
        let claimed_at = self.clock.monotonic();
        if self.quiet().is_some() {
            return Ok((Vec::new(), claimed_at));
        }
        let (attempt, event) = (|| self.attempt_id(), || self.event_id());
        Ok((self.store.connections_claim_due(&self.terms(), room, &held, attempt, event).await?, claimed_at))
    }

    /// Returns when a refresh has landed since, or after a second.
    pub async fn wait_for_room(&self) {
        // Time running out is an answer like any other: the caller looks again.
        tokio::time::timeout(Duration::from_secs(1), self.flights.next_landing()).await.unwrap_or_default();
    }

    /// Tries one connection of every held app whose probe is due; a success releases the app.
    pub async fn probe_held_apps(self: &Arc<Self>) -> Result<usize> {
        let mut probed = 0;
        let held = if self.quiet().is_some() { Vec::new() } else { self.store.apps_held().await? };
        for (app, due) in held {
            let now = self.clock.now();
            if due.is_some_and(|due| due > now) || !self.store.app_probe_claim(app, due, now + PROBE_INTERVAL).await? {
                continue;
            }
            let claimed_at = self.clock.monotonic();
            let (attempt, event) = (self.attempt_id(), self.event_id());
            let claim = self.store.connection_claim_probe(&self.terms(), app, attempt, event).await?;
            let Some(claim) = claim else { continue };
            probed += 1;
            let Some(landing) = self.begin(claim, Reason::Probe, claimed_at) else { continue };
            match landed(landing).await {
                Some(Ended::Failed(failure)) if failure.class != mortise_oauth::FailureClass::GrantRejected => {}
                Some(Ended::Later(_) | Ended::Interrupted | Ended::Abandoned) | None => {}
                // Any answer about the grant itself means that the client was accepted.
                Some(Ended::Refreshed | Ended::Moved | Ended::Unusable | Ended::Failed(_)) => {
                    self.store.app_release(app).await?;
                    tracing::info!(%app, "the provider accepts the app's client again");
                }
            }
        }
        Ok(probed)
    }

    fn terms(&self) -> ClaimTerms {
        ClaimTerms { owner: self.owner, lease: self.config.lease(), attempt: self.config.attempt() }
    }

    fn attempt_id(&self) -> AttemptId {
        AttemptId::generate(&*self.clock, &*self.entropy)
    }

    fn event_id(&self) -> EventId {
        EventId::generate(&*self.clock, &*self.entropy)
    }

    /// Runs a claim on a tracked task, so that a caller who hangs up does not cut it off. The claim is ours whoever else
    /// stands in the list of flights (a caller about to find out that it came too late), so it always runs.
    fn begin(self: &Arc<Self>, claim: Claimed, reason: Reason, claimed_at: Duration) -> Option<Landing> {
        let (flight, landing) = match self.flights.join(claim.connection.id) {
            Joined::Flies(flight, landing) => (Some(flight), Some(landing)),
            Joined::Waits(_) | Joined::Closed => (None, None),
        };
        self.fly(claim, reason, claimed_at, flight);
        landing
    }

    fn fly(self: &Arc<Self>, claim: Claimed, reason: Reason, claimed_at: Duration, flight: Option<Flight>) {
        let broker = self.clone();
        let run = async move {
            let ended = broker.run(claim, reason, claimed_at).await;
            if let Some(flight) = flight {
                flight.land(ended);
            }
        };
        self.tasks.spawn_on(run, &self.runtime);
    }

    /// One refresh of `id` for a caller who waits, shared with everybody who waits for the same, here and in other
    /// processes. `generation` is what the caller saw: if the row has moved past it, somebody was faster.
    pub(crate) async fn refresh_now(
        self: &Arc<Self>,
        environment: EnvironmentKey,
        id: ConnectionId,
        generation: i64,
        reason: Reason,
    ) -> Result<Ended> {
        let until = self.clock.monotonic() + PATIENCE;
        loop {
            let ended = match self.flights.join(id) {
                Joined::Closed => Ended::Interrupted,
                Joined::Waits(landing) => self.wait(landing, until).await,
                Joined::Flies(flight, landing) => {
                    match self.claim_patiently(environment, id, generation, until).await? {
                        Claim::Ours(claim, claimed_at) => {
                            self.fly(*claim, reason, claimed_at, Some(flight));
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
            if let Some(quiet) = self.quiet() {
                return Ok(Claim::Settled(Ended::Later(quiet)));
            }
            let claimed_at = self.clock.monotonic();
            let (terms, attempt, event) = (self.terms(), self.attempt_id(), self.event_id());
            let claim = self.store.connection_claim_one(&terms, environment, id, generation, attempt, event);
            match self.noted(claim.await.map_err(Into::into))? {
                ClaimOne::Claimed(claim) => return Ok(Claim::Ours(claim, claimed_at)),
                ClaimOne::Moved => return Ok(Claim::Settled(Ended::Refreshed)),
                ClaimOne::Gone => return Ok(Claim::Settled(Ended::Unusable)),
                ClaimOne::Busy { leased: false, until, now } => {
                    return Ok(Claim::Settled(Ended::Later((until - now).to_std().unwrap_or_default())));
                }
                ClaimOne::Busy { leased: true, .. } if self.clock.monotonic() >= until => {
                    return Ok(Claim::Settled(Ended::Interrupted));
                }
                ClaimOne::Busy { leased: true, .. } => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(200));
        }
    }

    async fn wait(&self, landing: Landing, until: Duration) -> Ended {
        let left = until.saturating_sub(self.clock.monotonic());
        let ended = tokio::time::timeout(left, landed(landing)).await;
        ended.ok().flatten().unwrap_or(Ended::Interrupted)
    }
}
