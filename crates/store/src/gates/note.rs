//! Reports to gates of what came of requests.

use crate::transaction::transact;
use crate::{Result, Store};
use mortise_domain::Timestamp;
use mortise_domain::gate::{Gate, GateId, Limits, Outcome, Turn};
use std::collections::BTreeSet;

/// What was noted: the gates as they are now, and how they turned.
pub(crate) struct Noted {
    pub(crate) changed: Vec<Gate>,
    pub(crate) turns: Vec<(GateId, Turn)>,
}

impl Store {
    /// Takes in what came of requests, in the order given, and answers which gates turned by it. Give both gates of each
    /// request. While nothing is wrong this is one select for the whole batch.
    pub async fn gates_note(&self, notes: &[(GateId, Outcome)]) -> Result<Vec<(GateId, Turn)>> {
        let told: BTreeSet<GateId> = notes.iter().map(|(id, _)| *id).collect();
        let known = self.gates_known(&told).await?;
        // Tried on what is there without a lock first: most reports change nothing.
        let (before, now) = match &known {
            Some((gates, now)) => (gates.as_slice(), *now),
            None => (&[][..], Timestamp::UNIX_EPOCH),
        };
        let concerned: Vec<GateId> = tried(before, &told, notes, now).changed.into_iter().map(|gate| gate.id).collect();
        if concerned.is_empty() {
            return Ok(Vec::new());
        }
        transact!(self, tx, {
            self.insert_gates(tx, &concerned).await?;
            let Some((gates, now)) = self.gates_locked(tx, &concerned).await? else { return Ok(Vec::new()) };
            let noted = tried(&gates, &BTreeSet::new(), notes, now);
            self.gates_save(tx, &noted.changed.iter().collect::<Vec<_>>()).await?;
            Ok(noted.turns)
        })
    }

    async fn gates_known(&self, told: &BTreeSet<GateId>) -> Result<super::Seen> {
        if told.is_empty() {
            return Ok(None);
        }
        let ids = told.iter().map(|id| id.as_uuid());
        self.gates_seen(&self.db, self.select_gates().text(" WHERE id IN (").list(ids).text(")")).await
    }
}

/// Notes everything on `gates` and on new ones for those of `told` that are missing.
pub(crate) fn tried(gates: &[Gate], told: &BTreeSet<GateId>, notes: &[(GateId, Outcome)], now: Timestamp) -> Noted {
    let missing = told.iter().filter(|id| !gates.iter().any(|gate| gate.id == **id));
    let before: Vec<Gate> = gates.iter().cloned().chain(missing.map(|id| Gate::new(*id, Limits::default()))).collect();
    let mut after = before.clone();
    let mut turns = Vec::new();
    for gate in &mut after {
        let id = gate.id;
        let of_this = notes.iter().filter(|(told, _)| *told == id);
        turns.extend(of_this.filter_map(|(_, outcome)| gate.note(now, *outcome)).map(|turn| (id, turn)));
    }
    let changed = after.into_iter().zip(before).filter(|(after, before)| after != before).map(|(after, _)| after);
    Noted { changed: changed.collect(), turns }
}
