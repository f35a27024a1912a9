//! Providers are asked as much as they allow, and are left alone when they want to be.

use super::{Evidence, Rule, Violation};
use crate::scenario::House;
use crate::trace::{Claim, Line, What};
use mortise_domain::AppKey;
use mortise_domain::gate::{PROBE_EVERY, Turn};
use mortise_store::CommitOutcome;
use std::time::Duration;

/// Times in the books are whole milliseconds.
const CUT: Duration = Duration::from_millis(2);

pub fn judge(evidence: &Evidence) -> Vec<Violation> {
    let mut found = Vec::new();
    for (app, class) in &evidence.classes {
        let claims: Vec<&Claim> = evidence.lines.iter().filter_map(|line| of_app(line, *app)).collect();
        let Some(house) = evidence.scenario.houses.iter().find(|house| house.class == *class) else { continue };
        found.extend(too_fast(house, &claims));
        found.extend(too_many(evidence, house, *app));
        found.extend(too_soon(evidence, *app));
    }
    found.into_iter().map(|what| Violation { rule: Rule::Budget, what }).collect()
}

fn of_app(line: &Line, app: AppKey) -> Option<&Claim> {
    match &line.what {
        What::Claimed(claim) if claim.app == app => Some(claim),
        _ => None,
    }
}

/// More in a window than the rate allows.
fn too_fast(house: &House, claims: &[&Claim]) -> Option<String> {
    let (requests, seconds) = house.rate?;
    let window = Duration::from_secs(seconds.into());
    let crowd = claims.windows(requests as usize + 1).find(|crowd| match (crowd.first(), crowd.last()) {
        (Some(first), Some(last)) => last.at + CUT < first.at + window,
        _ => false,
    })?;
    Some(format!(
        "class {} allows {requests} in {seconds} s and was asked {} times: {crowd:?}",
        house.class,
        crowd.len()
    ))
}

/// More at once than the provider takes.
fn too_many(evidence: &Evidence, house: &House, app: AppKey) -> Option<String> {
    let most = house.concurrency? as usize;
    let mut open: Vec<&Claim> = Vec::new();
    for line in &evidence.lines {
        let over = match &line.what {
            What::Claimed(claim) => Some(claim.connection),
            What::Failed { connection, .. }
            | What::Consented { connection, .. }
            | What::Disconnected { connection } => Some(*connection),
            What::Committed(commit) if commit.outcome == CommitOutcome::Committed => Some(commit.connection),
            What::Judged(judgement) if judgement.changed => Some(judgement.connection),
            _ => None,
        };
        open.retain(|claim| over != Some(claim.connection) && line.at < claim.at + evidence.lease);
        open.extend(of_app(line, app));
        if open.len() > most {
            return Some(format!(
                "class {} takes {most} at once, at {:?} there were {}",
                house.class,
                line.at,
                open.len()
            ));
        }
    }
    None
}

/// Claims while the provider wanted quiet, or more than one in five seconds while it was down.
fn too_soon(evidence: &Evidence, app: AppKey) -> Option<String> {
    let gate = evidence.gates[&app];
    let (mut quiet_until, mut down, mut last): (Option<Duration>, bool, Option<Duration>) = (None, false, None);
    for line in &evidence.lines {
        match &line.what {
            What::Turned { gate: turned, turn } if *turned == gate => match turn {
                Turn::Shut { until } => quiet_until = Some(evidence.at(*until)),
                Turn::Opened => (down, last) = (true, None),
                Turn::Recovered => down = false,
                Turn::Wave => {}
            },
            What::Claimed(claim) if claim.app == app => {
                if quiet_until.is_some_and(|until| line.at + CUT < until) {
                    return Some(format!("{gate:?} wanted quiet until {quiet_until:?} and was asked at {:?}", line.at));
                }
                if down && last.is_some_and(|last| line.at + CUT < last + PROBE_EVERY) {
                    return Some(format!("{gate:?} was down and asked at {last:?} and at {:?}", line.at));
                }
                last = Some(line.at);
            }
            _ => {}
        }
    }
    None
}

impl Evidence {
    /// A time of day as a time since the world began.
    fn at(&self, time: mortise_domain::Timestamp) -> Duration {
        (time - crate::clock::epoch()).to_std().unwrap_or_default()
    }
}
