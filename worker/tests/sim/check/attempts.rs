//! One attempt at a time, within its time.

use super::{Evidence, Rule, Violation};
use crate::trace::{Claim, Line, What};
use mortise_domain::ConnectionId;
use mortise_store::CommitOutcome;
use std::collections::BTreeMap;
use std::time::Duration;

pub fn judge(evidence: &Evidence) -> Vec<Violation> {
    let mut found = overlaps(evidence);
    found.extend(evidence.lines.iter().filter_map(late));
    found.extend(evidence.connections().flat_map(|id| shared_claims(evidence, id)));
    found
}

/// The oracle saw two requests with one refresh token at once. That is nobody's fault if the first one's time was over: its
/// provider takes longer than anybody waits.
fn overlaps(evidence: &Evidence) -> Vec<Violation> {
    let arrivals: BTreeMap<u64, (Duration, Option<Duration>)> = evidence
        .lines
        .iter()
        .filter_map(|line| match line.what {
            What::Arrived { request, deadline, .. } => Some((request, (line.at, deadline))),
            _ => None,
        })
        .collect();
    let deadline = |request: &u64| arrivals.get(request).and_then(|(_, deadline)| *deadline);
    let arrived = |request: &u64| arrivals.get(request).map(|(at, _)| *at);
    let forbidden = evidence.history.overlaps.iter().filter(|pair| arrived(&pair.later) < deadline(&pair.earlier));
    forbidden
        .map(|pair| Violation {
            rule: Rule::Overlap,
            what: format!("requests {} and {} with {} overlap", pair.earlier, pair.later, pair.token),
        })
        .collect()
}

/// A request that left too late, or that nobody had claimed.
fn late(line: &Line) -> Option<Violation> {
    let What::Sent(sent) = &line.what else { return None };
    let what = match &sent.claim {
        Some(claim) if line.at <= claim.deadline => return None,
        Some(claim) => {
            format!("{} was sent at {:?}, its time was over at {:?}", claim.attempt, line.at, claim.deadline)
        }
        None => format!("process {} sent {} without a claim", sent.process, sent.token),
    };
    Some(Violation { rule: Rule::Deadline, what })
}

/// Who claims a connection has it until the attempt has an outcome, or its time is over.
fn shared_claims(evidence: &Evidence, id: ConnectionId) -> Vec<Violation> {
    let (mut open, mut found): (Option<&Claim>, Vec<Violation>) = (None, Vec::new());
    for line in &evidence.lines {
        match &line.what {
            What::Claimed(claim) if claim.connection == id => {
                if let Some(earlier) = open.filter(|earlier| line.at < earlier.deadline) {
                    let what = format!("{} claimed {id} while {} had it", claim.attempt, earlier.attempt);
                    found.push(Violation { rule: Rule::Double, what });
                }
                open = Some(claim);
            }
            // An attempt in doubt keeps its time, and what comes of one says nothing of another.
            What::Failed { connection, attempt, in_doubt, .. } if *connection == id => {
                open = open.filter(|claim| *in_doubt || *attempt != Some(claim.attempt));
            }
            What::Consented { connection, .. } | What::Disconnected { connection } if *connection == id => open = None,
            What::Committed(commit) if commit.connection == id && commit.outcome == CommitOutcome::Committed => {
                open = None;
            }
            What::Judged(judgement) if judgement.connection == id && judgement.changed => open = None,
            _ => {}
        }
    }
    found
}
