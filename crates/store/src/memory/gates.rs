//! Gates: kept by what they stand before, changed by the rules of the domain.

use super::books::{Books, whole};
use crate::Connection;
use crate::gates::Gates;
use crate::gates::note::tried;
use mortise_domain::gate::{Breaker, Gate, GateId, Limits, Outcome, Retries, Turn};
use mortise_domain::{ConnectorKey, Timestamp};
use std::collections::BTreeSet;

impl Books {
    pub(super) fn gates(&self) -> Vec<Gate> {
        self.gates.values().cloned().collect()
    }

    pub(super) fn gate_limit(&mut self, id: GateId, limits: Limits) -> bool {
        let changes = self.gates.get(&id).map_or(Limits::default(), |gate| gate.limits) != limits;
        if changes {
            self.gates.entry(id).or_insert_with(|| Gate::new(id, limits)).limits = limits;
        }
        changes
    }

    pub(super) fn gates_note(&mut self, now: Timestamp, notes: &[(GateId, Outcome)]) -> Vec<(GateId, Turn)> {
        let told: BTreeSet<GateId> = notes.iter().map(|(id, _)| *id).collect();
        let gate = |id: &GateId| self.gates.get(id).cloned().unwrap_or_else(|| Gate::new(*id, Limits::default()));
        let mut gates: Vec<Gate> = told.iter().map(gate).collect();
        gates.sort_by_key(|gate| gate.id.as_uuid());
        let noted = tried(&gates, &BTreeSet::new(), notes, now);
        self.save(noted.changed.iter());
        noted.turns
    }

    /// Those gates of `ids` that there is something to say about, told how much is under way behind them.
    pub(super) fn standing(&self, now: Timestamp, ids: &[GateId]) -> Gates {
        let mut gates = Gates::new(ids.iter().filter_map(|id| self.gates.get(id).cloned()).collect());
        if gates.count_what_is_under_way() {
            for row in self.leased(now) {
                gates.add_under_way(GateId::App(row.app), 1);
                gates.add_under_way(GateId::Provider(self.provider(row)), 1);
            }
        }
        gates
    }

    pub(super) fn save<'a>(&mut self, gates: impl IntoIterator<Item = &'a Gate>) {
        self.gates.extend(gates.into_iter().map(|gate| (gate.id, stored(gate))));
    }

    /// Whose provider a connection's is. No row is without its app.
    pub(super) fn provider(&self, row: &Connection) -> ConnectorKey {
        let app = self.apps.get(&row.app).map(|app| app.provider);
        app.unwrap_or_else(|| ConnectorKey::from_uuid(row.app.as_uuid()))
    }
}

/// A gate as it comes back from a database.
fn stored(gate: &Gate) -> Gate {
    Gate {
        closed_until: gate.closed_until.map(whole),
        breaker: Breaker {
            failures: gate.breaker.failures,
            failing_since: gate.breaker.failing_since.map(whole),
            opened_at: gate.breaker.opened_at.map(whole),
            next_probe_at: gate.breaker.next_probe_at.map(whole),
        },
        retries: Retries { credit: gate.retries.credit, floor_at: gate.retries.floor_at.map(whole) },
        trouble_at: gate.trouble_at.map(whole),
        spreading_until: gate.spreading_until.map(whole),
        ..gate.clone()
    }
}
