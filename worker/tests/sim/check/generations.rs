//! The chain of pairs: in the timelines, in the books, and at the provider.

use super::{Evidence, Rule, Violation};
use crate::trace::{Commit, What};
use mortise_domain::{ConnectionId, EventKind, Timestamp};
use mortise_sandbox::{RecoveryClass, RequestRecord, TokenId};
use mortise_store::CommitOutcome;
use std::collections::BTreeMap;

pub fn judge(evidence: &Evidence) -> Vec<Violation> {
    let mut found: Vec<Violation> = evidence.connections().filter_map(|id| timeline(evidence, id)).collect();
    found.extend(evidence.connections().flat_map(|id| lineage(evidence, id)));
    let issued = evidence.history.requests.iter().filter_map(|request| Some((request.new_access_token?, request)));
    let issued: BTreeMap<TokenId, &RequestRecord> = issued.collect();
    found.extend(evidence.lines.iter().filter_map(|line| match &line.what {
        What::Committed(commit) if commit.outcome == CommitOutcome::Committed => expiry(evidence, &issued, commit),
        _ => None,
    }));
    found
}

/// Every pair that was stored is told of once, and none is left out. The order of lines is that of the clocks of those who
/// wrote them, which differ.
fn timeline(evidence: &Evidence, id: ConnectionId) -> Option<Violation> {
    let told = evidence.events[&id].iter().filter(|event| {
        use EventKind::{Connected, Reconnected, Recovered, Refreshed};
        matches!(event.kind, Connected | Reconnected | Refreshed | Recovered)
    });
    let mut generations: Vec<i64> = told.filter_map(|event| event.detail["generation"].as_i64()).collect();
    generations.sort_unstable();
    let row = evidence.rows.iter().find(|row| row.id == id).map(|row| row.generation);
    let chain: Vec<i64> = (1..=row.unwrap_or_default()).collect();
    let what = format!("{id} is at generation {row:?}, its timeline tells {generations:?}");
    (generations != chain).then_some(Violation { rule: Rule::Generations, what })
}

/// Every pair that was stored was issued for the one that was stored before, and the last one is in the row.
fn lineage(evidence: &Evidence, id: ConnectionId) -> Vec<Violation> {
    let requests = evidence.history.requests.iter();
    let parents: BTreeMap<TokenId, Option<TokenId>> =
        requests.filter_map(|request| Some((request.new_refresh_token?, request.token))).collect();
    let (mut current, mut previous, mut found) = (None, None, Vec::new());
    let mut wrong = |what: String| found.push(Violation { rule: Rule::Lineage, what });
    let mut generation = 0;
    for line in &evidence.lines {
        match &line.what {
            What::Consented { connection, refresh, generation: first, .. } if *connection == id => {
                (current, previous, generation) = (Some(*refresh), None, *first);
            }
            What::Committed(commit) if commit.connection == id && commit.outcome == CommitOutcome::Committed => {
                let parent = commit.refresh.and_then(|token| parents.get(&token).copied().flatten());
                let kept = commit.refresh == current;
                let of_previous = evidence.class(id) == RecoveryClass::M && parent == previous;
                if !kept && parent != current && !of_previous {
                    wrong(format!("{id} stored {:?} after {current:?}, for which it was not issued", commit.refresh));
                }
                if commit.parent_generation != generation {
                    wrong(format!("{id} stored a pair for generation {} at {generation}", commit.parent_generation));
                }
                (previous, current, generation) = (current, commit.refresh, generation + 1);
            }
            What::Disconnected { connection } if *connection == id => current = None,
            _ => {}
        }
    }
    if evidence.holds[&id] != current && evidence.poisoned() != Some(id) {
        wrong(format!("{id} holds {:?} in the end, and {current:?} was stored last", evidence.holds[&id]));
    }
    found
}

/// What the row says of the access token's end is not later than the truth.
fn expiry(evidence: &Evidence, issued: &BTreeMap<TokenId, &RequestRecord>, commit: &Commit) -> Option<Violation> {
    let (told, processed) = (commit.expires_at?, issued.get(&commit.access?)?.processed_at_ms?);
    let lives = Timestamp::from_timestamp_millis(processed)? + evidence.scenario.lifetime;
    let what = format!("{} was stored as good until {told}, and it is until {lives}", commit.connection);
    (told > lives).then_some(Violation { rule: Rule::Expiry, what })
}
