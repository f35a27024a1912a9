//! Gates while somebody asks them: held under a lock, changed by what passes, and written back if they changed.

use crate::Connection;
use mortise_domain::gate::{Ask, Gate, GateId, Permit, permit};
use mortise_domain::{ConnectorKey, Timestamp};
use std::collections::HashMap;

/// One of them.
#[derive(Debug)]
struct Standing {
    gate: Gate,
    before: Gate,
    under_way: u32,
}

/// Those that bear on what is being claimed. One that is not among them lets everything pass.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    standing: HashMap<GateId, Standing>,
}

impl Gates {
    pub(crate) fn new(gates: Vec<Gate>) -> Self {
        let stand = |gate: Gate| (gate.id, Standing { before: gate.clone(), gate, under_way: 0 });
        Self { standing: gates.into_iter().map(stand).collect() }
    }

    /// Whether one of them limits what is under way, so that this has to be counted.
    pub(crate) fn count_what_is_under_way(&self) -> bool {
        self.standing.values().any(|standing| standing.gate.limits.concurrency.is_some())
    }

    pub(crate) fn add_under_way(&mut self, gate: GateId, requests: u32) {
        if let Some(standing) = self.standing.get_mut(&gate) {
            standing.under_way = standing.under_way.saturating_add(requests);
        }
    }

    /// Whether a provider counts as down.
    pub(crate) fn is_down(&self, provider: ConnectorKey) -> bool {
        let standing = self.standing.get(&GateId::Provider(provider));
        standing.is_some_and(|standing| standing.gate.breaker.is_open())
    }

    /// Asks both gates of a connection.
    pub(crate) fn ask(&mut self, row: &Connection, provider: ConnectorKey, now: Timestamp, ask: Ask) -> Permit {
        let ids = [GateId::Provider(provider), GateId::App(row.app)];
        let mut on_the_way = self.standing.get_disjoint_mut([&ids[0], &ids[1]]);
        let mut asked: Vec<(&mut Gate, u32)> =
            on_the_way.iter_mut().flatten().map(|standing| (&mut standing.gate, standing.under_way)).collect();
        let answer = permit(&mut asked, now, ask);
        if answer == Permit::Go {
            for standing in on_the_way.into_iter().flatten() {
                standing.under_way = standing.under_way.saturating_add(1);
            }
        }
        answer
    }

    /// What has to be written.
    pub(crate) fn changed(&self) -> Vec<&Gate> {
        let mut changed: Vec<&Gate> =
            self.standing.values().filter(|one| one.gate != one.before).map(|one| &one.gate).collect();
        changed.sort_by_key(|gate| gate.id.as_uuid());
        changed
    }
}

/// What a refresh of this connection is to its provider.
pub(crate) fn ask_of(row: &Connection) -> Ask {
    let tried = row.failures > 0 || row.suspicions > 0 || row.attempt.is_some();
    if tried { Ask::Retry } else { Ask::First }
}
