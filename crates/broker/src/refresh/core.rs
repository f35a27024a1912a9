//! The decisions of a refresh, with no I/O at all: `step(attempt, state, at, event) -> (state, effects)`.
//!
//! ```text
//! claimed ─ opening ─ in flight ─┬─ spilling ─ committing ─┬─ ended
//!                                │                         └─ revoking ─ ended
//!                                ├─ recording ─ ended
//!                                └─ weighing ─ recording ─ ended
//! ```
//!
//! A driver executes the effects in their order and tells what came of them as the next event; it decides nothing. So
//! every rule about grants is here, and can be tried a million times without a provider, a database or a clock.
//!
//! Invariants: at most one `Send` is open, and none begins after the attempt's time is up; a pair is spilled before it is
//! committed, and committed before the attempt ends well; an attempt that got a pair ends only when the pair is
//! committed, handed to the spill, or sent back to the provider; a grant is given up only by [`believed`], and not
//! while its app is held.
//! Deliberately absent: secrets (the driver holds them), SQL, budgets (they are decided at the claim).

mod facts;
mod failure;
mod pair;
mod words;

pub use facts::{At, Attempt, Credential, Rules, Standing};
pub use failure::{Plan, believed};
pub use pair::{Granted, Others, Pair, Times, first, renewed};
pub use words::{Effect, End, Event, Refusal, State};

use mortise_domain::{StateReason, Timestamp};
use mortise_oauth::FailureClass;
use mortise_store::CommitOutcome;
use std::time::Duration;

/// How long a commit is tried again while the database is away, with the pair in memory and on disk. Part of the lease.
pub const COMMIT_PATIENCE: Duration = Duration::from_secs(15);
/// Between two tries of a commit.
pub const COMMIT_PAUSE: Duration = Duration::from_millis(250);

/// What follows when `event` happens in `state`.
pub fn step(attempt: &Attempt, state: State, at: At, event: Event) -> (State, Vec<Effect>) {
    match (state, event) {
        (State::Claimed, Event::Begin) => begin(attempt, at),
        (State::Opening(credential), Event::Opened) => send(attempt, credential, 0, at),
        (State::Opening(_), Event::NothingKept) => {
            give_up(StateReason::NoRefreshToken, "the token whose turn it is came without a refresh token")
        }
        (State::Opening(_), Event::Unreadable) => (State::Recording(End::Unusable), vec![Effect::Quarantine]),
        (State::InFlight { credential, .. }, Event::Granted(granted)) => {
            let pair = pair::plan(attempt, credential, at, &granted);
            (State::Spilling(pair.clone()), vec![Effect::Report(None), Effect::Spill(pair)])
        }
        // The one that was sent may be spent: the new one is kept as if it had come with tokens.
        (State::InFlight { since, .. }, Event::RefusedWithToken(refusal, deadlines)) => {
            let pair = pair::without_access(attempt, &failure::plan(attempt, at, since, &refusal), at, deadlines);
            (State::Spilling(pair.clone()), vec![Effect::Report(Some(refusal.class)), Effect::Spill(pair)])
        }
        (State::InFlight { credential, client, since }, Event::Refused(refusal)) => {
            refused(attempt, Request { credential, client, since }, at, refusal)
        }
        // This refusal, or others just before it, may be part of a wave: then no grant is given up for it.
        (State::Weighing { reason, .. }, Event::AppHeld(false)) => {
            (State::Recording(End::Unusable), vec![refused_for_good(reason)])
        }
        (State::Weighing { since, refusal, .. }, Event::AppHeld(true)) => {
            record(failure::plan(attempt, at, since, &refusal), None)
        }
        // A full disk must not keep a pair out of the database.
        (State::Spilling(pair), Event::Spilled | Event::SpillFailed) => {
            (State::Committing { pair: pair.clone(), until: at.elapsed + COMMIT_PATIENCE }, vec![Effect::Commit(pair)])
        }
        (State::Committing { .. }, Event::Committed(outcome)) => committed(outcome),
        (State::Committing { pair, until }, Event::DatabaseAway) if at.elapsed < until => {
            (State::Committing { pair: pair.clone(), until }, vec![Effect::Wait(COMMIT_PAUSE), Effect::Commit(pair)])
        }
        (State::Recording(end), Event::Recorded) => (State::Ended(end), vec![Effect::SettleSpill]),
        // The claim was lost, to a pair that arrived late or to whoever claimed next: what we know is old.
        (State::Recording(_), Event::Outrun) => (State::Ended(End::Moved), vec![]),
        (State::Revoking, Event::Recorded | Event::Outrun) => (State::Ended(End::Moved), vec![Effect::SettleSpill]),
        (State::Ended(end), _) => (State::Ended(end), vec![]),
        // What cannot be stored now stays for the lease to end, and what was spilled for the replay.
        (_, Event::DatabaseAway | Event::Faulted) => (State::Ended(End::Interrupted), vec![]),
        (_, Event::Begin | Event::Opened | Event::Unreadable | Event::Granted(_) | Event::Refused(_)) => astray(),
        (_, Event::RefusedWithToken(..) | Event::AppHeld(_) | Event::NothingKept) => astray(),
        (_, Event::Spilled | Event::SpillFailed | Event::Committed(_) | Event::Recorded | Event::Outrun) => astray(),
    }
}

/// An event that the driver made up: nothing more is done with the claim.
fn astray() -> (State, Vec<Effect>) {
    (State::Ended(End::Interrupted), vec![Effect::Astray])
}

fn begin(attempt: &Attempt, at: At) -> (State, Vec<Effect>) {
    let standing = &attempt.standing;
    let Some(credential) = standing.credential() else {
        return give_up(StateReason::NoRefreshToken, "there is no refresh token");
    };
    // Where a reuse may cost the whole app, an attempt without an outcome is not repeated.
    if attempt.rules.reuse_penalty && standing.unresolved && credential == Credential::Current {
        return match standing.expires_at.filter(|end| *end > at.now) {
            Some(end) => record(failure::hold_back(standing, end), None),
            None => give_up(StateReason::LostRotation, "an earlier attempt may have spent the refresh token"),
        };
    }
    (State::Opening(credential), vec![Effect::Open(credential)])
}

fn send(attempt: &Attempt, credential: Credential, client: usize, at: At) -> (State, Vec<Effect>) {
    match attempt.send_until.checked_sub(at.elapsed).filter(|left| !left.is_zero()) {
        Some(deadline) => {
            let since = at.now;
            (State::InFlight { credential, client, since }, vec![Effect::Send { credential, client, deadline }])
        }
        None => {
            let refusal = Refusal::out_of_time();
            record(failure::plan(attempt, at, at.now, &refusal), Some(refusal.class))
        }
    }
}

/// The request that was answered, or was not.
struct Request {
    credential: Credential,
    client: usize,
    since: Timestamp,
}

fn refused(attempt: &Attempt, request: Request, at: At, refusal: Refusal) -> (State, Vec<Effect>) {
    match refusal.class {
        // `invalid_client` proves that the refresh token was not looked at, so a second request is no reuse.
        FailureClass::AppMisconfigured if request.client + 1 < attempt.clients => {
            send(attempt, request.credential, request.client + 1, at)
        }
        FailureClass::AppMisconfigured => {
            let (state, mut effects) = record(failure::plan(attempt, at, request.since, &refusal), Some(refusal.class));
            effects.insert(0, Effect::HoldApp);
            (state, effects)
        }
        FailureClass::GrantRejected if request.credential == Credential::Current && attempt.standing.has_previous => {
            (State::Opening(Credential::Previous), vec![Effect::Open(Credential::Previous)])
        }
        FailureClass::GrantRejected => match believed(attempt, at, refusal.definitive) {
            Some(reason) => {
                let report = Effect::Report(Some(refusal.class));
                let (state, effect) = if attempt.probe {
                    (State::Recording(End::Unusable), refused_for_good(reason))
                } else {
                    (State::Weighing { reason, since: request.since, refusal }, Effect::LookAtApp)
                };
                (state, vec![report, effect])
            }
            None => record(failure::plan(attempt, at, request.since, &refusal), Some(refusal.class)),
        },
        FailureClass::NotSent | FailureClass::Ambiguous | FailureClass::Throttled | FailureClass::Unknown => {
            record(failure::plan(attempt, at, request.since, &refusal), Some(refusal.class))
        }
    }
}

fn committed(outcome: CommitOutcome) -> (State, Vec<Effect>) {
    match outcome {
        CommitOutcome::Committed | CommitOutcome::AlreadyCommitted => {
            (State::Ended(End::Refreshed), vec![Effect::SettleSpill])
        }
        // By design no two attempts of one generation overlap; if they ever do, somebody has to know.
        CommitOutcome::GenerationMoved => {
            (State::Ended(End::Moved), vec![Effect::WarnOfDoubleRefresh, Effect::SettleSpill])
        }
        CommitOutcome::FamilyMoved | CommitOutcome::Gone => (State::Revoking, vec![Effect::RevokePair]),
    }
}

fn record(plan: Plan, report: Option<FailureClass>) -> (State, Vec<Effect>) {
    let mut effects: Vec<Effect> = report.map(|class| Effect::Report(Some(class))).into_iter().collect();
    effects.push(Effect::Record(plan));
    (State::Recording(End::Failed), effects)
}

fn refused_for_good(reason: StateReason) -> Effect {
    Effect::GiveUp { reason, why: "the provider refuses the refresh token, and that is believed" }
}

fn give_up(reason: StateReason, why: &'static str) -> (State, Vec<Effect>) {
    (State::Recording(End::Unusable), vec![Effect::GiveUp { reason, why }])
}

#[cfg(test)]
mod tests;
