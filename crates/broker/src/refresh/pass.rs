//! Who begins refreshes without being asked: the worker's pass over what is due, and the probe of held apps.

use super::flights::{Flight, Joined, Landing, landed};
use super::hold::PROBE_INTERVAL;
use super::{Ended, Engine, Reason};
use crate::Result;
use mortise_domain::{AppKey, ConnectorKey};
use mortise_oauth::FailureClass;
use mortise_store::{ClaimRoom, Claimed};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long landings are gathered before the next claim.
const SWARM: Duration = Duration::from_millis(5);

/// What a pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RefreshPass {
    /// Refreshes begun.
    pub begun: usize,
    /// Whether more was due than there was room for.
    pub more: bool,
}

impl Engine {
    /// Begins as many due refreshes as there is room for. They run on after the pass; [`Engine::drain`] waits for them.
    pub async fn refresh_due(self: &Arc<Self>) -> Result<RefreshPass> {
        let room = self.config.refresh_concurrency.saturating_sub(self.flights.count());
        // A claim costs the database the same for one row as for many: small gaps are left to grow.
        if room * 4 < self.config.refresh_concurrency || self.is_draining() {
            return Ok(RefreshPass { begun: 0, more: true });
        }
        self.tell_answers().await;
        // As it was before the claim, because that is what the claim goes by: flights land meanwhile.
        let limit = self.provider_limit();
        let busy: Vec<_> = self.budgets.busy().into_iter().map(|(key, n)| (key, counted(n, limit))).collect();
        let (claimed, claimed_at) = self.noted(self.claim_due(room, &busy).await)?;
        let begun = claimed.len();
        let more = begun == room || any_full(&busy, &claimed, limit);
        for claim in claimed {
            self.begin(claim, Reason::Due, claimed_at);
        }
        Ok(RefreshPass { begun, more })
    }

    /// Claims at most so many, at the monotonic time that it answers too.
    async fn claim_due(&self, room: usize, busy: &[(ConnectorKey, usize)]) -> Result<(Vec<Claimed>, Duration)> {
        let held: Vec<AppKey> = self.seams.ledger.apps_held().await?.into_iter().map(|(app, _)| app).collect();
        let claimed_at = self.seams.clock.monotonic();
        if self.quiet().is_some() {
            return Ok((Vec::new(), claimed_at));
        }
        let (mut attempts, mut events) = (|| self.attempt_id(), || self.event_id());
        let room = ClaimRoom { limit: room, held: &held, provider_limit: self.provider_limit(), busy };
        let claims = self.seams.ledger.connections_claim(&self.terms(), &room, &mut attempts, &mut events).await?;
        Ok((claims.claimed, claimed_at))
    }

    /// One provider gets three quarters of the process at most, so that one that hangs leaves the others the rest.
    fn provider_limit(&self) -> usize {
        (self.config.refresh_concurrency * 3 / 4).max(1)
    }

    /// Returns when a refresh has landed since, or after a second.
    pub async fn wait_for_room(&self) {
        // Time running out is an answer like any other: the caller looks again.
        tokio::time::timeout(Duration::from_secs(1), self.flights.next_landing()).await.unwrap_or_default();
        // Landings come in swarms: one claim for all of them costs what one for the first would.
        tokio::time::sleep(SWARM).await;
    }

    /// Tries one connection of every held app whose probe is due; a success releases the app.
    pub async fn probe_held_apps(self: &Arc<Self>) -> Result<usize> {
        let mut probed = 0;
        let held = if self.quiet().is_some() { Vec::new() } else { self.seams.ledger.apps_held().await? };
        for (app, due) in held {
            let now = self.seams.clock.now();
            let later = now + PROBE_INTERVAL;
            if due.is_some_and(|due| due > now) || !self.seams.ledger.app_probe_claim(app, due, later).await? {
                continue;
            }
            let claimed_at = self.seams.clock.monotonic();
            let (attempt, event) = (self.attempt_id(), self.event_id());
            let claim = self.seams.ledger.connection_claim_probe(&self.terms(), app, attempt, event).await?;
            let Some(claim) = claim else { continue };
            probed += 1;
            let Some(landing) = self.begin(claim, Reason::Probe, claimed_at) else { continue };
            if landed(landing).await.is_some_and(|ended| releases(&ended)) {
                self.release(app).await?;
            }
        }
        Ok(probed)
    }

    /// Runs a claim on a tracked task, so that a caller who hangs up does not cut it off. The claim is ours whoever else
    /// stands in the list of flights (a caller about to find out that it came too late), so it always runs.
    pub(super) fn begin(self: &Arc<Self>, claim: Claimed, reason: Reason, claimed_at: Duration) -> Option<Landing> {
        let (flight, landing) = match self.flights.join(claim.connection.id) {
            Joined::Flies(flight, landing) => (Some(flight), Some(landing)),
            Joined::Waits(_) | Joined::Closed => (None, None),
        };
        self.fly(claim, reason, claimed_at, flight);
        landing
    }

    pub(super) fn fly(self: &Arc<Self>, claim: Claimed, reason: Reason, claimed_at: Duration, flight: Option<Flight>) {
        let engine = self.clone();
        let place = self.budgets.enter(claim.provider);
        let run = async move {
            let _place = place;
            let ended = engine.run(claim, reason, claimed_at).await;
            if let Some(flight) = flight {
                flight.land(ended);
            }
        };
        self.tasks.spawn_on(run, &self.runtime);
    }
}

/// Whether a provider has so many requests that more are not worth a claim: as with the whole process, small gaps are left
/// to grow.
fn is_full(busy: usize, limit: usize) -> bool {
    busy * 4 > limit * 3
}

/// How many requests a provider counts as having.
fn counted(busy: usize, limit: usize) -> usize {
    if is_full(busy, limit) { limit } else { busy }
}

/// Whether a provider had no room for more than was claimed of it.
fn any_full(busy: &[(ConnectorKey, usize)], claimed: &[Claimed], limit: usize) -> bool {
    let mut counts: BTreeMap<ConnectorKey, usize> = busy.iter().copied().collect();
    for claim in claimed {
        *counts.entry(claim.provider).or_default() += 1;
    }
    counts.values().any(|count| *count >= limit)
}

/// Whether what a probe met lets the app go. Tokens do. A refusal of the one grant that was tried does not: it may be one
/// of many that are refused without fault, and where it was the client that was refused, another probe will tell.
fn releases(ended: &Ended) -> bool {
    match ended {
        Ended::Refreshed | Ended::Moved => true,
        Ended::Failed(failure) => failure.class == FailureClass::Unknown,
        Ended::Unusable | Ended::Later(_) | Ended::Interrupted | Ended::Abandoned => false,
    }
}
