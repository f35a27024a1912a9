//! What the worker does for every move that stands: looks at the evidence and takes the next step.
//!
//! Invariant: each step is one transaction that looks again whether the move still is as it was read, so that any number of
//! workers may drive one move, and one that dies leaves nothing half done.

use super::check::fill_in;
use crate::{Broker, Error, Result};
use mortise_connectors::Manifest;
use mortise_domain::{AppState, ConnectionId, MoveEvidence, MoveMoment, MoveStage, MoveState, MoveStep, Timestamp};
use mortise_store::{App, Candidate, Fit, Move};
use std::sync::Arc;
use std::time::Duration;

/// Steps of one move in one pass; what is left is done at the next tick.
const STEPS: usize = 64;
/// Among so many the first ones are drawn.
const DRAWN_FROM: u64 = 10_000;
/// Over this long the renewals of the first ones are spread, and the tries of what was taken back.
const SPREAD: Duration = Duration::from_secs(15);

impl Broker {
    /// Takes every move that stands as far as it goes now; answers how many steps were taken. A move that cannot go on keeps
    /// no other one from it.
    pub async fn move_connections(&self) -> Result<usize> {
        let mut steps = 0;
        for row in self.store.moves_at_work().await? {
            let id = row.id;
            match self.drive_move(row).await {
                Ok(taken) => steps += taken,
                Err(error @ Error::Unavailable(_)) => return Err(error),
                Err(error) => tracing::error!(moving = %id, error = ?error, "a move cannot go on"),
            }
        }
        Ok(steps)
    }

    async fn drive_move(&self, mut row: Move) -> Result<usize> {
        for taken in 0..STEPS {
            let known = self.store.move_evidence(&row).await?;
            let app = self.store.app_by_key(row.app).await?.ok_or_else(|| Error::missing("the app of a move"))?;
            let step = self.next_step(&row, &app, &known).await?;
            if !self.take_step(&row, &app, &known, step).await? {
                return Ok(taken);
            }
            match self.store.move_get(row.environment, row.id).await? {
                Some(next) if next.finished_at.is_none() => row = next,
                Some(_) | None => return Ok(taken + 1),
            }
        }
        Ok(STEPS)
    }

    async fn next_step(&self, row: &Move, app: &App, known: &MoveEvidence) -> Result<MoveStep> {
        let now = self.store.database_now().await?;
        let since = |then: Timestamp| (now - then).to_std().unwrap_or_default();
        // The app's times are by the clock of a process, so one that is held for longer was refused before.
        let held_since_then = app.held_since.is_some_and(|held| held + SPREAD >= row.begun_at);
        let moment = MoveMoment {
            state: row.state,
            stage: row.stage,
            terms: &row.terms,
            canary: row.canary,
            in_stage: since(row.stage_since),
            since_batch: since(row.moved_at),
            app_held: app.state == AppState::Held && held_since_then,
        };
        Ok(moment.next(known))
    }

    /// Answers whether to look again at once.
    async fn take_step(&self, row: &Move, app: &App, known: &MoveEvidence, step: MoveStep) -> Result<bool> {
        match step {
            MoveStep::Wait => Ok(false),
            MoveStep::MoveCanary(count) => {
                let first = self.draw(row, count).await?;
                self.move_some(row, app, &first).await
            }
            MoveStep::MoveBatch(count) => {
                let next = self.store.move_candidates(row, false, count).await?;
                self.move_some(row, app, &next).await
            }
            MoveStep::GoOn => {
                tracing::info!(moving = %row.id, ?known, "the first connections are good: the others follow");
                self.store.move_change(row, MoveState::Running, MoveStage::Rest, None).await.map_err(Into::into)
            }
            MoveStep::Pause(reason) => {
                tracing::warn!(moving = %row.id, reason = reason.as_str(), ?known, "a move is paused");
                self.store.move_change(row, MoveState::Paused, row.stage, Some(reason)).await.map_err(Into::into)
            }
            MoveStep::RollBack(reason) => {
                tracing::error!(moving = %row.id, reason = reason.as_str(), ?known, "a move is taken back");
                metrics::counter!("mortise_moves_rolled_back_total", "reason" => reason.as_str()).increment(1);
                self.store.move_change(row, MoveState::RollingBack, row.stage, Some(reason)).await.map_err(Into::into)
            }
            MoveStep::TakeBack => self.take_back(row, known).await,
            MoveStep::Complete => self.complete(row, app, known).await,
        }
    }

    /// The first ones, by chance: the oldest connections need not be like the others.
    async fn draw(&self, row: &Move, count: u64) -> Result<Vec<ConnectionId>> {
        let mut sound = self.store.move_candidates(row, true, DRAWN_FROM).await?;
        if sound.is_empty() {
            return Ok(self.store.move_candidates(row, false, count).await?);
        }
        let mut drawn = Vec::new();
        while !sound.is_empty() && (drawn.len() as u64) < count {
            let place = (self.entropy.fraction() * sound.len() as f64) as usize;
            drawn.push(sound.swap_remove(place.min(sound.len() - 1)));
        }
        Ok(drawn)
    }

    async fn move_some(&self, row: &Move, app: &App, ids: &[ConnectionId]) -> Result<bool> {
        let to = self.apps.manifest(app, row.to_version).await?;
        let renews_at_once = row.stage == MoveStage::Canary && row.terms.renew_canary && may_renew_early(&to);
        let fits = |candidate: &Candidate| self.fit(&to, app, candidate, renews_at_once);
        let moved = self.store.move_batch(row, ids, fits, |at| self.event_id_at(at)).await?;
        let Some(batch) = moved else { return Ok(true) };
        tracing::info!(moving = %row.id, app = %app.id, moved = batch.moved, skipped = batch.skipped, "connections were moved");
        Ok(batch.moved + batch.skipped > 0)
    }

    fn fit(&self, to: &Arc<Manifest>, app: &App, candidate: &Candidate, renews_at_once: bool) -> Option<Fit> {
        let filled = fill_in(to, &candidate.variables, &app.settings.variables)?;
        let variables = (filled != candidate.variables).then_some(filled);
        let renew_at = renews_at_once.then(|| candidate.now + SPREAD.mul_f64(self.entropy.fraction()));
        Some(Fit { renew_at, variables })
    }

    async fn take_back(&self, row: &Move, known: &MoveEvidence) -> Result<bool> {
        let place = |now: Timestamp| now + SPREAD.mul_f64(self.entropy.fraction());
        match self.store.move_take_back(row, place, |at| self.event_id_at(at)).await? {
            Some(0) => {
                let ended = self.store.move_rolled_back(row, known).await?;
                if ended {
                    tracing::warn!(moving = %row.id, "everything is back where it was");
                }
                Ok(ended)
            }
            Some(_) | None => Ok(true),
        }
    }

    async fn complete(&self, row: &Move, app: &App, known: &MoveEvidence) -> Result<bool> {
        if !self.store.move_complete(row, known).await? {
            return Ok(false);
        }
        tracing::info!(moving = %row.id, app = %app.id, to = row.to_version, "a move is complete");
        if row.terms.retire_when_done {
            self.retire_unused(row, app).await?;
        }
        Ok(true)
    }

    /// What others still use is left to them.
    async fn retire_unused(&self, row: &Move, app: &App) -> Result<()> {
        match self.store.version_retire(row.environment, &app.connector_id, row.from_version).await {
            Ok(_) | Err(mortise_store::StoreError::InUse(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Not where the provider accepts refreshes only towards a token's end, or counts them.
fn may_renew_early(manifest: &Manifest) -> bool {
    manifest.oauth2().is_none_or(|auth| auth.refresh_window.is_none() && auth.mint_rate.is_none())
}
