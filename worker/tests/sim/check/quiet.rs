//! A provider that asks for quiet gets it from everybody, and not only of the connection that it said it to.
//!
//! Once a process has written down what came of the attempt that was answered so, all processes know: it reports before it
//! writes. A report that did not get through is nobody's fault.

use super::{Evidence, Rule, Violation};
use crate::trace::{Line, What};
use mortise_domain::{AppKey, ConnectionId};
use mortise_sandbox::TokenId;

pub fn judge(evidence: &Evidence) -> Vec<Violation> {
    let broken =
        (0..evidence.lines.len()).filter_map(|place| fault(&evidence.lines[..place], &evidence.lines[place..]));
    broken.map(|what| Violation { rule: Rule::Budget, what }).collect()
}

/// What is wrong with what came after the first of `after`, if that is an answer that asks for quiet.
fn fault(before: &[Line], after: &[Line]) -> Option<String> {
    let (answer, after) = after.split_first()?;
    let What::Returned { process, token, quiet: Some(quiet), word: "throttled" | "tokens", .. } = answer.what else {
        return None;
    };
    let (app, connection) = before.iter().rev().find_map(|line| sent(line, process, token))?;
    let written = after.iter().position(|line| is_written(line, process, connection))?;
    let (meanwhile, after) = after.split_at(written);
    if meanwhile.iter().any(|line| matches!(line.what, What::Unreported { process: who } if who == process)) {
        return None;
    }
    let over = answer.at + quiet;
    let asked = after.iter().take_while(|line| line.at < over).find(|line| is_claim(line, app))?;
    Some(format!("{app} was to be left alone from {:?} until {over:?} and was claimed at {:?}", answer.at, asked.at))
}

fn sent(line: &Line, who: usize, what: TokenId) -> Option<(AppKey, ConnectionId)> {
    match &line.what {
        What::Sent(sent) if sent.process == who && sent.token == what => {
            sent.claim.as_ref().map(|claim| (claim.app, claim.connection))
        }
        _ => None,
    }
}

fn is_written(line: &Line, who: usize, of: ConnectionId) -> bool {
    match &line.what {
        What::Failed { process, connection, .. } => (*process, *connection) == (who, of),
        What::Committed(commit) => (commit.process, commit.connection) == (who, of),
        _ => false,
    }
}

fn is_claim(line: &Line, of: AppKey) -> bool {
    matches!(&line.what, What::Claimed(claim) if claim.app == of)
}
