//! What was received is not lost.
//!
//! A pair may get lost on the network; with the process, until it is on the disk; and with the disk, if that took nothing.
//! Everything else that a provider issued ends in the books, or is sent back.

use super::{Evidence, Rule, Violation};
use crate::trace::{Commit, Line, What};
use mortise_sandbox::{RecoveryClass, RequestRecord, TokenId};
use mortise_store::CommitOutcome;
use std::time::Duration;

/// How long a process may be frozen before it dies with what it had just received.
const FROZEN: Duration = Duration::from_secs(160);

pub fn judge(evidence: &Evidence) -> Vec<Violation> {
    let issued = evidence.history.requests.iter().filter(|request| request.outcome == "issued");
    let lost = issued.filter_map(|request| {
        let token = request.new_refresh_token?;
        let what = fault(evidence, request, token)?;
        Some(Violation { rule: Rule::Successor, what: format!("{token}, issued to request {}, {what}", request.id) })
    });
    lost.chain(evidence.lines.iter().filter_map(|line| orphan(evidence, line))).collect()
}

/// A pair that came for a grant which had been replaced or ended, and that nobody sent back though it was on the disk.
fn orphan(evidence: &Evidence, line: &Line) -> Option<Violation> {
    let What::Committed(commit) = &line.what else { return None };
    let token =
        commit.refresh.filter(|_| matches!(commit.outcome, CommitOutcome::FamilyMoved | CommitOutcome::Gone))?;
    let kept = evidence.lines.iter().any(|line| matches!(spilled(line, token), Some(true)));
    let what = format!("{token} of {} belongs to nobody and was not sent back", commit.connection);
    let back = evidence.lines.iter().any(|line| sent_back(line, token));
    (kept && !back).then_some(Violation { rule: Rule::Successor, what })
}

fn fault(evidence: &Evidence, request: &RequestRecord, token: TokenId) -> Option<&'static str> {
    let returned = evidence.lines.iter().find_map(|line| received(line, request.id))?;
    let (process, at) = returned;
    let commits = || evidence.lines.iter().filter_map(|line| commit(line, token));
    let ended = |outcomes: &[CommitOutcome]| commits().any(|commit| outcomes.contains(&commit.outcome));
    let sent_back = evidence.lines.iter().any(|line| sent_back(line, token));
    if ended(&[CommitOutcome::Committed, CommitOutcome::AlreadyCommitted]) || sent_back {
        return None;
    }
    if ended(&[CommitOutcome::FamilyMoved, CommitOutcome::Gone]) {
        // Judged with those that were not rotated, too.
        return None;
    }
    if ended(&[CommitOutcome::GenerationMoved]) {
        let single = matches!(request.class, RecoveryClass::S | RecoveryClass::F);
        return single.then_some("came second, where there can be no second");
    }
    match evidence.lines.iter().find_map(|line| spilled(line, token)) {
        Some(true) => Some("was on the disk and is gone"),
        // The disk was full; then the process died, or the database was away for too long.
        Some(false) => None,
        None if evidence.lines.iter().any(|line| offered(line, token)) => {
            Some("was offered to the books before the disk")
        }
        None => {
            let died = evidence.lines.iter().any(|line| died(line, process) && line.at < at + FROZEN);
            (!died).then_some("was received and dropped")
        }
    }
}

fn received(line: &Line, id: u64) -> Option<(usize, Duration)> {
    match line.what {
        What::Returned { process, request: Some(request), word: "tokens", .. } if request == id => {
            Some((process, line.at))
        }
        _ => None,
    }
}

fn commit(line: &Line, token: TokenId) -> Option<&Commit> {
    match &line.what {
        What::Committed(commit) if commit.refresh == Some(token) => Some(commit),
        _ => None,
    }
}

fn sent_back(line: &Line, token: TokenId) -> bool {
    matches!(line.what, What::SentBack { refresh: Some(refresh), .. } if refresh == token)
}

fn spilled(line: &Line, token: TokenId) -> Option<bool> {
    match line.what {
        What::Spilled { refresh: Some(refresh), kept, .. } if refresh == token => Some(kept),
        _ => None,
    }
}

fn offered(line: &Line, token: TokenId) -> bool {
    matches!(line.what, What::Offered { refresh: Some(refresh), .. } if refresh == token)
}

fn died(line: &Line, who: usize) -> bool {
    matches!(line.what, What::Died { process } if process == who)
}
