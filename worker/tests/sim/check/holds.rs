//! Nothing leaves, and nothing is claimed, of what is held, quarantined or ended.

use super::{Evidence, Rule, Violation};
use crate::trace::{Line, Sent, Way, What};
use mortise_domain::ConnectionState;
use std::time::Duration;

/// Between the look at what is held and the claim, where the database is slow.
const LOOKED_BEFORE: Duration = Duration::from_secs(13);
/// Times in rows are cut to the millisecond.
const CUT: Duration = Duration::from_millis(2);

pub fn judge(evidence: &Evidence) -> Vec<Violation> {
    evidence.lines.iter().filter_map(fault).map(|what| Violation { rule: Rule::Held, what }).collect()
}

fn fault(line: &Line) -> Option<String> {
    if let What::Claimed(claim) = &line.what {
        return (claim.state != ConnectionState::Active)
            .then(|| format!("process {} claimed {}, which was {}", claim.process, claim.connection, claim.state));
    }
    let What::Sent(sent) = &line.what else { return None };
    let claimed_for = sent.claim.as_ref().map(|claim| line.at.saturating_sub(claim.at)).unwrap_or_default();
    off(sent, claimed_for).or_else(|| held(sent, claimed_for))
}

/// A connection that was off before it was claimed.
fn off(sent: &Sent, claimed_for: Duration) -> Option<String> {
    let (state, since) = sent.state?;
    let off_for = (sent.now - since).to_std().unwrap_or_default();
    (state != ConnectionState::Active && off_for > claimed_for + CUT)
        .then(|| format!("process {} sent {} of a connection that was {state}", sent.process, sent.token))
}

/// An app that was held before one of its connections was claimed, other than to try it.
fn held(sent: &Sent, claimed_for: Duration) -> Option<String> {
    let claim = sent.claim.as_ref()?;
    let held_for = sent.held_for.filter(|_| claim.way != Way::Probe)?;
    (held_for > claimed_for + LOOKED_BEFORE).then(|| {
        format!("process {} sent {} of an app held for {held_for:?} ({:?})", sent.process, sent.token, claim.way)
    })
}
