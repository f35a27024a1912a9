//! The judges: what the provider's oracle, the books and the trace say about one run.
//!
//! Invariant: no judge asks an engine. Each rule is a file; a run is good when no rule finds anything.

mod attempts;
mod budgets;
mod deaths;
mod generations;
mod holds;
mod quiet;
mod rotation;
mod successors;
mod timelines;

use crate::scenario::Scenario;
use crate::trace::{Line, What};
use mortise_domain::gate::GateId;
use mortise_domain::{AppKey, ConnectionId};
use mortise_sandbox::{History, RecoveryClass, TokenId};
use mortise_store::{Connection, Event};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// All that is known of a run.
pub struct Evidence {
    pub scenario: Scenario,
    pub digest: u64,
    pub lines: Vec<Line>,
    pub history: History,
    pub rows: Vec<Connection>,
    pub events: BTreeMap<ConnectionId, Vec<Event>>,
    pub classes: BTreeMap<AppKey, RecoveryClass>,
    /// The gate of each app's provider.
    pub gates: BTreeMap<AppKey, GateId>,
    /// How long a claim holds a connection at the most.
    pub lease: Duration,
    /// The refresh token that each row holds in the end, if it opens.
    pub holds: BTreeMap<ConnectionId, Option<TokenId>>,
    pub unsettled: Vec<String>,
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which rule was broken.
    pub rule: Rule,
    /// How.
    pub what: String,
}

/// The rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// No two requests with one refresh token overlap.
    Overlap,
    /// Outside classes N and M, once a pair was used the one before it never is.
    Order,
    /// No request leaves after its attempt's time, or without a claim.
    Deadline,
    /// A pair that was received is stored, or sent back.
    Successor,
    /// One pair comes of one generation.
    Double,
    /// Generations follow each other without a gap, in the books and in the timeline.
    Generations,
    /// What is stored was issued by the provider for what was stored before.
    Lineage,
    /// Nobody is told to connect again whose grant lives, unless the provider said so convincingly.
    Death,
    /// Nothing is sent for what is held, quarantined or ended.
    Held,
    /// The last word: what lives is refreshed, what is dead is found out, nothing lies about.
    Settled,
    /// Providers are asked no more than they allow, all processes together.
    Budget,
    /// A timeline is in the order of what happened.
    Timeline,
    /// A token is not served for longer than it lives.
    Expiry,
    /// Whoever is told of a new pair finds it in the books.
    Published,
}

/// What came of a run.
pub struct Verdict {
    pub seed: u64,
    pub digest: u64,
    pub violations: Vec<Violation>,
    pub tally: Tally,
    pub lines: Vec<Line>,
}

/// How much happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub sent: usize,
    pub refreshed: usize,
    pub recovered: usize,
    pub deaths: usize,
    pub given_up: usize,
    pub sent_back: usize,
    pub held: usize,
    pub ambiguous: usize,
    pub suspected: usize,
    pub quarantined: usize,
    pub lost: usize,
}

impl std::ops::Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            refreshed: self.refreshed + other.refreshed,
            recovered: self.recovered + other.recovered,
            deaths: self.deaths + other.deaths,
            given_up: self.given_up + other.given_up,
            sent_back: self.sent_back + other.sent_back,
            held: self.held + other.held,
            ambiguous: self.ambiguous + other.ambiguous,
            suspected: self.suspected + other.suspected,
            quarantined: self.quarantined + other.quarantined,
            lost: self.lost + other.lost,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.what)
    }
}

impl Evidence {
    /// The class of a connection's provider.
    fn class(&self, id: ConnectionId) -> RecoveryClass {
        let app = self.rows.iter().find(|row| row.id == id).map(|row| row.app);
        app.and_then(|app| self.classes.get(&app)).copied().unwrap()
    }

    /// The connection whose refresh token does not open, if there is one: the first that was made.
    fn poisoned(&self) -> Option<ConnectionId> {
        let first = self.lines.iter().find_map(|line| match line.what {
            What::Consented { connection, .. } => Some(connection),
            _ => None,
        });
        first.filter(|_| self.scenario.poisoned)
    }

    /// Every connection, in order.
    fn connections(&self) -> impl Iterator<Item = ConnectionId> {
        self.rows.iter().map(|row| row.id)
    }
}

/// Asks every judge.
pub fn judge(evidence: &Evidence) -> Verdict {
    let mut violations = Vec::new();
    for found in [
        attempts::judge(evidence),
        budgets::judge(evidence),
        rotation::judge(evidence),
        successors::judge(evidence),
        generations::judge(evidence),
        deaths::judge(evidence),
        holds::judge(evidence),
        timelines::judge(evidence),
        quiet::judge(evidence),
        published(evidence),
    ] {
        violations.extend(found);
    }
    let unsettled = evidence.unsettled.iter().cloned();
    violations.extend(unsettled.map(|what| Violation { rule: Rule::Settled, what }));
    Verdict {
        seed: evidence.scenario.seed,
        digest: evidence.digest,
        violations,
        tally: tally(evidence),
        lines: evidence.lines.clone(),
    }
}

/// Persist before publish.
fn published(evidence: &Evidence) -> Vec<Violation> {
    let told = evidence.lines.iter().filter_map(|line| match line.what {
        What::Published { connection, seen, stored, .. } if stored <= seen => {
            Some(format!("a caller was told of a pair of {connection} after {seen}, and {stored} was in store"))
        }
        _ => None,
    });
    told.map(|what| Violation { rule: Rule::Published, what }).collect()
}

fn tally(evidence: &Evidence) -> Tally {
    use mortise_domain::EventKind as Kind;
    let count = |wanted: &dyn Fn(&What) -> bool| evidence.lines.iter().filter(|line| wanted(&line.what)).count();
    let told = |kind: Kind| evidence.events.values().flatten().filter(|event| event.kind == kind).count();
    Tally {
        sent: count(&|what| matches!(what, What::Sent(_))),
        refreshed: told(Kind::Refreshed),
        recovered: told(Kind::Recovered),
        deaths: count(&|what| matches!(what, What::Died { .. })),
        given_up: told(Kind::NeedsReauth),
        sent_back: count(&|what| matches!(what, What::SentBack { .. })),
        held: count(&|what| matches!(what, What::Held { held: true, .. })),
        ambiguous: told(Kind::RefreshAmbiguous),
        suspected: told(Kind::RefreshSuspected),
        quarantined: told(Kind::Quarantined),
        lost: evidence.history.lost.len(),
    }
}
