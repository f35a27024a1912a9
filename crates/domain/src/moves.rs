//! Moving an app's connections to another version of its connector: the words, and what is done next by the evidence.
//!
//! Invariant: pure. Nothing is moved on while those that were moved first fail more often than those that were not, and
//! what cannot be judged is never taken for good. Deliberately absent: who counts, and who moves.

use crate::connection::worded;
use serde::{Deserialize, Serialize};
use std::time::Duration;

worded! {
    /// Where a move is.
    MoveState as "state of a move" {
        /// Connections are being moved, or watched.
        Running = "running",
        /// Nothing is moved on; what was moved is watched, and taken back if it fails.
        Paused = "paused",
        /// What was moved is being taken back.
        RollingBack = "rolling_back",
        /// What was moved is back where it was.
        RolledBack = "rolled_back",
        /// Everything is moved, and the app with it.
        Completed = "completed",
    }
}

worded! {
    /// How far a move has come.
    MoveStage as "stage of a move" {
        /// The first ones, by which the others are judged.
        Canary = "canary",
        /// All others, in batches.
        Rest = "rest",
    }
}

worded! {
    /// Why a move is paused or was taken back.
    MoveReason as "reason of a move" {
        /// Somebody said so.
        Requested = "requested",
        /// The connections that were moved fail more often than those that were not.
        ErrorRate = "error_rate",
        /// The provider refuses the app's client since the move began.
        AppHeld = "app_held",
        /// Too few of the first ones were renewed in a day.
        TooLittleEvidence = "too_little_evidence",
    }
}

/// How long the first ones may take to tell something.
const PATIENCE: Duration = Duration::from_secs(86_400);

/// How a move goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MoveTerms {
    /// The part of the connections that goes first, in percent; at least one of them.
    pub canary_percent: u32,
    /// So many renewals are needed to judge by; fewer where fewer can be renewed at all.
    pub minimum_sample: u32,
    /// By so many percentage points those that were moved may fail more often than those that were not.
    pub tolerance_percent: u32,
    /// How many are moved at once after the first ones.
    pub batch_size: u32,
    /// Seconds between two batches.
    pub batch_interval: u32,
    /// Whether the first ones are renewed at once, so that there is something to judge by.
    pub renew_canary: bool,
    /// Whether a version that nothing uses any more in the end is retired.
    pub retire_when_done: bool,
}

impl Default for MoveTerms {
    fn default() -> Self {
        Self {
            canary_percent: 5,
            minimum_sample: 20,
            tolerance_percent: 5,
            batch_size: 100,
            batch_interval: 30,
            renew_canary: true,
            retire_when_done: false,
        }
    }
}

impl MoveTerms {
    /// How many of so many go first.
    pub fn canary_of(&self, all: u64) -> u64 {
        (all * u64::from(self.canary_percent)).div_ceil(100).max(1)
    }
}

/// What is known of a move's connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveEvidence {
    /// Connections in the new version.
    pub moved: u64,
    /// Those whose own values do not fit the new version, and which stay where they are.
    pub skipped: u64,
    /// Those that were taken back.
    pub returned: u64,
    /// Those that still are to be moved.
    pub remaining: u64,
    /// Those among the moved that can tell something: they could be renewed, and did not fail when they were moved.
    pub judged: u64,
    /// Those of them that were renewed since.
    pub renewed: u64,
    /// Those of them that fail since.
    pub failed: u64,
    /// Connections that were not moved and that were renewed since the move began.
    pub others_renewed: u64,
    /// Connections that were not moved and that fail since.
    pub others_failed: u64,
}

/// What the evidence says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Enough were renewed, and they fail no more often than others.
    Good,
    /// Nothing that was moved can be renewed, so nothing will ever be known.
    Silent,
    /// Not enough is known yet.
    Open,
    /// The others fail as well: nothing is to be learnt while that lasts.
    Clouded,
    /// They fail more often than others.
    Worse,
}

impl MoveEvidence {
    /// What it says. Failures count before the sample is whole once even a good rest of it could not make up for them.
    pub fn verdict(&self, terms: &MoveTerms) -> Verdict {
        let tried = self.renewed + self.failed;
        let needed = u64::from(terms.minimum_sample).min(self.judged);
        let (anyway, tolerance) = (self.failing_anyway(terms), f64::from(terms.tolerance_percent) / 100.0);
        if self.failed as f64 > (anyway + tolerance) * tried.max(needed) as f64 {
            Verdict::Worse
        } else if anyway > tolerance {
            Verdict::Clouded
        } else if self.judged == 0 {
            Verdict::Silent
        } else if tried < needed {
            Verdict::Open
        } else {
            Verdict::Good
        }
    }

    /// The part of the others that fails in the same time: a provider's trouble is no fault of the new version. A handful
    /// of them proves nothing.
    fn failing_anyway(&self, terms: &MoveTerms) -> f64 {
        let others = self.others_renewed + self.others_failed;
        let enough = others > 0 && others >= u64::from(terms.minimum_sample).min(self.judged);
        if enough { self.others_failed as f64 / others as f64 } else { 0.0 }
    }
}

/// A move at a moment.
#[derive(Debug, Clone, Copy)]
pub struct MoveMoment<'a> {
    /// Where it is.
    pub state: MoveState,
    /// How far it has come.
    pub stage: MoveStage,
    /// How it goes about it.
    pub terms: &'a MoveTerms,
    /// How many go first.
    pub canary: u64,
    /// How long it has been in its stage.
    pub in_stage: Duration,
    /// How long ago something was moved.
    pub since_batch: Duration,
    /// Whether the provider refuses the app's client since the move began.
    pub app_held: bool,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveStep {
    /// Nothing yet.
    Wait,
    /// Move so many of the first ones.
    MoveCanary(u64),
    /// The first ones are good: go on with the others.
    GoOn,
    /// Move so many of the others.
    MoveBatch(u64),
    /// Everything is moved.
    Complete,
    /// Wait for somebody to decide.
    Pause(MoveReason),
    /// Take everything back.
    RollBack(MoveReason),
    /// Go on taking back.
    TakeBack,
}

impl MoveMoment<'_> {
    /// What is to be done by what is known.
    pub fn next(&self, known: &MoveEvidence) -> MoveStep {
        let verdict = known.verdict(self.terms);
        match (self.state, self.stage) {
            (MoveState::RolledBack | MoveState::Completed, _) => MoveStep::Wait,
            (MoveState::RollingBack, _) => MoveStep::TakeBack,
            (MoveState::Running | MoveState::Paused, _) if self.app_held && known.moved > 0 => {
                MoveStep::RollBack(MoveReason::AppHeld)
            }
            (MoveState::Running | MoveState::Paused, _) if verdict == Verdict::Worse => {
                MoveStep::RollBack(MoveReason::ErrorRate)
            }
            (MoveState::Paused, _) => MoveStep::Wait,
            (MoveState::Running, MoveStage::Canary) => self.canary(known, verdict),
            (MoveState::Running, MoveStage::Rest) if verdict == Verdict::Clouded => MoveStep::Wait,
            (MoveState::Running, MoveStage::Rest) => self.rest(known),
        }
    }

    fn canary(&self, known: &MoveEvidence, verdict: Verdict) -> MoveStep {
        let missing = self.canary.saturating_sub(known.moved).min(known.remaining);
        match verdict {
            _ if missing > 0 => MoveStep::MoveCanary(missing),
            Verdict::Good | Verdict::Silent => MoveStep::GoOn,
            Verdict::Open | Verdict::Clouded if self.in_stage > PATIENCE => {
                MoveStep::Pause(MoveReason::TooLittleEvidence)
            }
            Verdict::Open | Verdict::Clouded | Verdict::Worse => MoveStep::Wait,
        }
    }

    fn rest(&self, known: &MoveEvidence) -> MoveStep {
        if self.since_batch < Duration::from_secs(u64::from(self.terms.batch_interval)) {
            MoveStep::Wait
        } else if known.remaining == 0 {
            MoveStep::Complete
        } else {
            MoveStep::MoveBatch(u64::from(self.terms.batch_size))
        }
    }
}

#[cfg(test)]
mod tests;
