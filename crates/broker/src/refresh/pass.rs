//! Who begins refreshes without being asked: the worker's pass over what is due, and the probe of held apps.

use super::flights::{Flight, Joined, Landing, landed};
use super::herd::MISSED_AFTER;
use super::hold::PROBE_INTERVAL;
use super::trust::START;
use super::{Cause, Ended, Engine, Reason};
use crate::Result;
use mortise_domain::{AppKey, ConnectorKey};
use mortise_oauth::FailureClass;
use mortise_store::{ClaimRoom, Claimed, DueClaims};
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
    /// How long it is until the first gate may open that kept back what is due; `None`: nothing waits for one.
    pub opens_in: Option<Duration>,
}

impl Engine {
    /// Begins as many due refreshes as there is room for. They run on after the pass; [`Engine::drain`] waits for them.
    pub async fn refresh_due(self: &Arc<Self>) -> Result<RefreshPass> {
        let room = self.config.refresh_concurrency.saturating_sub(self.flights.count());
        // A claim costs the database the same for one row as for many: small gaps are left to grow.
        if room * 4 < self.config.refresh_concurrency || self.is_draining() {
            return Ok(RefreshPass { more: true, ..RefreshPass::default() });
        }
        self.tell_answers().await;
        // As it was before the claim, because that is what the claim goes by: flights land meanwhile.
        let rooms = self.budgets.trust.rooms(self.provider_limit(), self.seams.clock.monotonic());
        let (claims, claimed_at) = self.noted(self.claim_due(room, &rooms).await)?;
        let begun = claims.claimed.len();
        let more = begun == room || !claims.herds.is_empty() || any_full(&rooms, &claims.claimed, self.first_room());
        for provider in claims.herds {
            self.take_apart(provider);
        }
        for claim in claims.claimed {
            self.begin(claim, Reason::Due, claimed_at);
        }
        Ok(RefreshPass { begun, more, opens_in: claims.opens_in })
    }

    /// Claims at most so many, at the monotonic time that it answers too.
    async fn claim_due(&self, room: usize, rooms: &[(ConnectorKey, usize)]) -> Result<(DueClaims, Duration)> {
        let held: Vec<AppKey> = self.seams.ledger.apps_held().await?.into_iter().map(|(app, _)| app).collect();
        let claimed_at = self.seams.clock.monotonic();
        if self.quiet().is_some() {
            return Ok((DueClaims::default(), claimed_at));
        }
        let (mut attempts, mut events) = (|| self.attempt_id(), || self.event_id());
        let room =
            ClaimRoom { limit: room, held: &held, provider_room: self.first_room(), rooms, missed_after: MISSED_AFTER };
        let claims = self.seams.ledger.connections_claim(&self.terms(), &room, &mut attempts, &mut events).await?;
        Ok((claims, claimed_at))
    }

    /// One provider gets three quarters of the process at most, so that one that hangs leaves the others the rest.
    fn provider_limit(&self) -> usize {
        (self.config.refresh_concurrency * 3 / 4).max(1)
    }

    /// What a provider gets that nothing is known of.
    fn first_room(&self) -> usize {
        START.min(self.provider_limit())
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
            let provider = claim.provider;
            let Some(landing) = self.begin(claim, Reason::Probe, claimed_at) else { continue };
            if landed(landing).await.is_some_and(|ended| releases(&ended)) {
                self.release(app, provider).await?;
            }
        }
        Ok(probed)
    }

    /// Runs a claim on a tracked task, so that a caller who hangs up does not cut it off. The claim is ours whoever else
    /// stands in the list of flights (a caller about to find out that it came too late), so it always runs.
    pub(super) fn begin(self: &Arc<Self>, claim: Claimed, reason: Reason, claimed_at: Duration) -> Option<Landing> {
        let (flight, landing) = match self.flights.join(claim.connection.id, claim.connection.generation) {
            Joined::Flies(flight, landing) => (Some(flight), Some(landing)),
            Joined::Waits(..) | Joined::Closed => (None, None),
        };
        self.fly(claim, reason.into(), claimed_at, flight);
        landing
    }

    pub(super) fn fly(self: &Arc<Self>, claim: Claimed, cause: Cause, claimed_at: Duration, flight: Option<Flight>) {
        let engine = self.clone();
        let place = self.budgets.trust.enter(claim.provider);
        let run = async move {
            let (ended, lesson) = engine.run(claim, cause, claimed_at, &place).await;
            // Whoever hears of the landing finds the place free.
            drop(place);
            if let Some(flight) = flight {
                flight.land(ended);
            }
            if let Some(lesson) = lesson {
                engine.learn(lesson).await;
            }
        };
        self.tasks.spawn_on(run, &self.runtime);
    }
}

/// Whether a provider had no room for more than was claimed of it.
fn any_full(rooms: &[(ConnectorKey, usize)], claimed: &[Claimed], first: usize) -> bool {
    let mut left: BTreeMap<ConnectorKey, usize> = rooms.iter().copied().collect();
    for claim in claimed {
        let room = left.entry(claim.provider).or_insert(first);
        *room = room.saturating_sub(1);
    }
    left.values().any(|room| *room == 0)
}

/// Whether what a probe met lets the app go. Tokens do. A refusal of the one grant that was tried does not: it may be one
/// of many that are refused without fault. Where it was the client that was refused, the attempt has let the app go itself.
fn releases(ended: &Ended) -> bool {
    match ended {
        Ended::Refreshed | Ended::Moved => true,
        Ended::Failed(failure) => failure.class == FailureClass::Unknown,
        Ended::Unusable | Ended::Later(_) | Ended::Interrupted | Ended::Abandoned => false,
    }
}
