//! Nobody has to connect again without need.
//!
//! The oracle knows whether the grant lived when an engine gave it up. If it did, the provider must have said otherwise
//! convincingly: three times over an hour; or, once no token could be served, twice over half a minute. An attempt that left no
//! outcome is one sign more where refresh tokens work once; and where a second use may cost the whole app it is enough.

use super::{Evidence, Rule, Violation};
use crate::trace::{Judgement, What};
use mortise_domain::{ConnectionId, ConnectionState};
use mortise_sandbox::{RecoveryClass, TokenId};
use mortise_store::CommitOutcome;
use std::collections::BTreeMap;
use std::time::Duration;

pub fn judge(evidence: &Evidence) -> Vec<Violation> {
    let owners: BTreeMap<TokenId, ConnectionId> = evidence
        .lines
        .iter()
        .filter_map(|line| match &line.what {
            What::Sent(sent) => Some((sent.token, sent.connection?)),
            _ => None,
        })
        .collect();
    let mut records: BTreeMap<ConnectionId, Record> = BTreeMap::new();
    let mut found = Vec::new();
    for line in &evidence.lines {
        match &line.what {
            What::Consented { connection, .. } => drop(records.insert(*connection, Record::default())),
            What::Committed(commit) if commit.outcome == CommitOutcome::Committed => {
                records.insert(commit.connection, Record::default());
            }
            What::Claimed(claim) => records.entry(claim.connection).or_default().in_doubt |= claim.interrupted,
            What::Returned { token, word: "invalid_grant", .. } => {
                if let Some(id) = owners.get(token) {
                    records.entry(*id).or_default().refusals.push(line.at);
                }
            }
            What::Judged(judgement) if judgement.changed => {
                let record = records.entry(judgement.connection).or_default();
                found.extend(fault(evidence, judgement, record, line.at));
            }
            _ => {}
        }
    }
    found
}

/// What is known against a connection's grant.
#[derive(Debug, Default)]
struct Record {
    refusals: Vec<Duration>,
    in_doubt: bool,
}

fn fault(evidence: &Evidence, judgement: &Judgement, record: &Record, at: Duration) -> Option<Violation> {
    let id = judgement.connection;
    let just = match judgement.to {
        ConnectionState::NeedsReauth => !judgement.alive || convincing(evidence, judgement, record, at),
        ConnectionState::Quarantined => judgement.refresh.is_none(),
        _ => true,
    };
    let what = format!("{id} became {} ({}) at {at:?} after {record:?}", judgement.to, judgement.reason);
    (!just).then_some(Violation { rule: Rule::Death, what })
}

fn convincing(evidence: &Evidence, judgement: &Judgement, record: &Record, at: Duration) -> bool {
    let class = evidence.class(judgement.connection);
    let lost = record.in_doubt && matches!(class, RecoveryClass::S | RecoveryClass::F);
    let signs = record.refusals.len() + usize::from(lost);
    let over = record.refusals.first().map_or(Duration::ZERO, |first| at - *first);
    if judgement.serves {
        return signs >= 3 && over >= Duration::from_secs(3600);
    }
    let house = evidence.scenario.houses.iter().find(|house| house.class == class);
    let penalty = house.is_some_and(|house| house.reuse_penalty);
    (lost && penalty) || (signs >= 2 && over >= Duration::from_secs(30))
}
