//! Lines stand in the order in which things happened, whoever wrote them: machines' clocks differ by minutes, and the lines of
//! attempts are told by the database's.

use super::{Evidence, Rule, Violation};
use crate::trace::What;
use mortise_domain::{AttemptId, ConnectionId, EventKind, Timestamp};
use mortise_store::Event;
use std::collections::BTreeMap;

pub fn judge(evidence: &Evidence) -> Vec<Violation> {
    evidence
        .connections()
        .filter_map(|id| fault(evidence, id))
        .map(|what| Violation { rule: Rule::Timeline, what })
        .collect()
}

fn fault(evidence: &Evidence, id: ConnectionId) -> Option<String> {
    let mut lines: Vec<&Event> = evidence.events[&id].iter().filter(|event| attempt_of(event).is_some()).collect();
    lines.sort_unstable_by_key(|event| event.id);
    let told: Vec<AttemptId> =
        lines.iter().filter(|event| begins(event)).filter_map(|event| attempt_of(event)).collect();
    let claimed = evidence.lines.iter().filter_map(|line| match &line.what {
        What::Claimed(claim) if claim.connection == id => Some(claim.attempt),
        _ => None,
    });
    let claimed: Vec<AttemptId> = claimed.collect();
    if told != claimed {
        return Some(format!("{id} was claimed as {claimed:?}, and its timeline tells {told:?}"));
    }
    let mut begun: BTreeMap<AttemptId, Timestamp> = BTreeMap::new();
    let mut generation = 0;
    for event in lines {
        let attempt = attempt_of(event)?;
        if begins(event) {
            begun.insert(attempt, event.at);
        } else if begun.get(&attempt).is_none_or(|at| event.at < *at) {
            return Some(format!("{id} tells {} of {attempt} before its beginning", event.kind));
        }
        if matches!(event.kind, EventKind::Refreshed | EventKind::Recovered) {
            let of = event.detail["generation"].as_i64()?;
            if of <= generation {
                return Some(format!("{id} tells of generation {of} after {generation}"));
            }
            generation = of;
        }
    }
    None
}

fn begins(event: &Event) -> bool {
    event.kind == EventKind::RefreshStarted
}

/// The attempt that a line tells of; what is sent back late has a time of its own.
fn attempt_of(event: &Event) -> Option<AttemptId> {
    if event.kind == EventKind::LateReply {
        return None;
    }
    event.detail["attempt"].as_str()?.parse().ok()
}
