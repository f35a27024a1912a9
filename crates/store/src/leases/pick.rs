//! Which of the rows that are due are taken: what the gates let pass, no customer too much, no provider too much.
//!
//! Plain values, so that the books in memory pick by the same rules.

use super::ahead::keep_out;
pub(crate) use super::ahead::{Ahead, Besides};
use super::many::from_to;
use super::{ClaimRoom, take::Free};
use crate::gates::{Gates, ask_of};
use mortise_domain::gate::{GateId, Permit, Why};
use mortise_domain::{ConnectorKey, CustomerKey, Timestamp};
use std::collections::HashMap;

/// One customer gets this part of a claim while others wait.
const SHARE: usize = 4;
/// How often a claim looks again, leaving out what was kept out before. What is left then is for the next claim.
const ROUNDS: usize = 8;
/// How far a claim looks for others than those who have most, in claims.
const WINDOW: usize = 4;

/// So many that were missed are a herd: what one batch or two would take at once, and fewer harm nobody.
const HERD: usize = 32;

/// What the picker wants to be offered next, besides what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// So many of what is due, most overdue first.
    Due(usize),
    /// So many of the last that became due, most overdue first.
    Newest {
        /// At most this many,
        limit: usize,
        /// of this many that became due last.
        window: usize,
    },
}

/// What was picked.
#[derive(Debug)]
pub(crate) struct Picked {
    /// The rows, most urgent first.
    pub(crate) free: Vec<Free>,
    /// The gates as they are now.
    pub(crate) gates: Gates,
    /// When the first of those that kept something out may open.
    pub(crate) gated: Option<Timestamp>,
    /// Providers of which much was missed.
    pub(crate) herds: Vec<ConnectorKey>,
}

/// How far it is.
#[derive(Debug, Clone, Copy)]
enum Phase {
    /// Picking by shares, in that round.
    Shared(usize),
    /// Looking for others than those who have had their share, in that round.
    Others(usize),
    /// Giving out what others have left.
    Rest,
    /// Picking whosever it is, in that round.
    Free(usize),
}

/// Picks from what is offered, most urgent first. Ask it what to [`look`](Self::look) for until that is nothing.
#[derive(Debug)]
pub(crate) struct Picker<'a> {
    room: &'a ClaimRoom<'a>,
    gates: Gates,
    phase: Phase,
    /// Whether something was kept out in whose place other rows may come.
    again: bool,
    /// What was picked so far.
    picked: Vec<Free>,
    /// More of customers who have had their share.
    spare: Vec<Free>,
    customers: HashMap<CustomerKey, usize>,
    /// How many more each provider may have.
    providers: HashMap<ConnectorKey, usize>,
    /// How many the last look asked for.
    asked: usize,
    herds: Vec<ConnectorKey>,
    besides: Besides,
    gated: Option<Timestamp>,
}

impl<'a> Picker<'a> {
    /// `gates` are those that were to ask, as they are now that they are locked.
    pub(crate) fn new(room: &'a ClaimRoom<'a>, ahead: Ahead, gates: Gates) -> Self {
        Self {
            room,
            gates,
            phase: Phase::Shared(0),
            again: true,
            picked: Vec::new(),
            spare: Vec::new(),
            customers: HashMap::new(),
            providers: room.rooms.iter().copied().collect(),
            asked: 0,
            herds: Vec::new(),
            besides: ahead.besides,
            gated: ahead.gated,
        }
    }

    /// What need not be offered.
    pub(crate) fn besides(&self) -> &Besides {
        &self.besides
    }

    /// What to offer next.
    pub(crate) fn look(&mut self) -> Option<Look> {
        loop {
            let left = self.room.limit - self.picked.len();
            // What is spare will do where nobody else waits.
            let wanted = left - self.spare.len().min(left);
            match self.phase {
                Phase::Shared(round) if self.again && round < ROUNDS && wanted > 0 => {
                    self.phase = Phase::Shared(round + 1);
                    self.asked = wanted;
                    return Some(Look::Due(wanted));
                }
                Phase::Shared(_) => self.phase = Phase::Others(0),
                Phase::Others(round) => {
                    let known = self.besides.customers.len();
                    self.besides.customers = self.spare.iter().map(|row| row.connection.customer).collect();
                    self.besides.customers.sort_unstable();
                    self.besides.customers.dedup();
                    if left > 0 && round < ROUNDS && self.besides.customers.len() > known {
                        self.phase = Phase::Others(round + 1);
                        return Some(Look::Newest { limit: left, window: self.room.limit * WINDOW });
                    }
                    self.phase = Phase::Rest;
                }
                Phase::Rest => {
                    self.phase = Phase::Free(0);
                    self.besides.customers.clear();
                    self.again = self.pick_spare();
                }
                Phase::Free(round) if self.again && round < ROUNDS && left > 0 => {
                    self.phase = Phase::Free(round + 1);
                    self.asked = left;
                    return Some(Look::Due(left));
                }
                Phase::Free(_) => return None,
            }
        }
    }

    /// Picks of what a look found. `more` tells that it found as many as were asked for, so that there may be others.
    pub(crate) fn offer(&mut self, rows: Vec<Free>, more: bool) {
        let share = match self.phase {
            Phase::Shared(_) | Phase::Others(_) | Phase::Rest => (self.room.limit / SHARE).max(1),
            Phase::Free(_) => usize::MAX,
        };
        let offered = rows.len();
        let rows = self.without_herds(rows);
        let mut kept_out = rows.len() < offered;
        for row in rows {
            self.besides.rows.push(row.connection.id);
            if self.customers.get(&row.connection.customer).is_some_and(|had| *had >= share) {
                self.spare.push(row);
            } else {
                kept_out |= !self.pick(row);
            }
        }
        self.again = kept_out && more;
    }

    /// Leaves out the providers of what was missed, where that is much. What is most overdue is offered first, so a herd
    /// shows before any of it is taken. A provider that is down is only probed, whatever waits for it.
    fn without_herds(&mut self, mut rows: Vec<Free>) -> Vec<Free> {
        if matches!(self.phase, Phase::Others(_) | Phase::Rest) {
            return rows;
        }
        let missed = |row: &&Free| {
            let since = row.connection.next_refresh_at.map(|due| from_to(due, row.now));
            since.is_some_and(|since| since >= self.room.missed_after) && !self.gates.is_down(row.provider)
        };
        let of: Vec<ConnectorKey> = rows.iter().filter(missed).map(|row| row.provider).collect();
        if of.is_empty() || of.len() < HERD.min(self.asked) {
            return rows;
        }
        for provider in of {
            keep_out(&mut self.besides, GateId::Provider(provider), Why::Full);
            if !self.herds.contains(&provider) {
                self.herds.push(provider);
            }
        }
        rows.retain(|row| !self.herds.contains(&row.provider));
        rows
    }

    /// Hands over what was picked.
    pub(crate) fn finish(mut self) -> Picked {
        self.picked.sort_by_key(|row| row.connection.next_refresh_at);
        Picked { free: self.picked, gates: self.gates, gated: self.gated, herds: self.herds }
    }

    /// One of each customer after the other; answers whether anything was kept out.
    fn pick_spare(&mut self) -> bool {
        let mut turns: HashMap<CustomerKey, usize> = HashMap::new();
        let in_turn = |row: Free| {
            let turn = turns.entry(row.connection.customer).or_default();
            *turn += 1;
            (*turn, row)
        };
        let mut spare: Vec<(usize, Free)> = std::mem::take(&mut self.spare).into_iter().map(in_turn).collect();
        spare.sort_by_key(|(turn, _)| *turn);
        spare.into_iter().fold(false, |kept_out, (_, row)| !self.pick(row) || kept_out)
    }

    /// Answers whether it was not kept out, by a gate or by its provider having enough.
    fn pick(&mut self, row: Free) -> bool {
        if self.picked.len() >= self.room.limit {
            return true;
        }
        let provider = row.provider;
        let room = self.providers.entry(provider).or_insert(self.room.provider_room);
        if *room == 0 {
            keep_out(&mut self.besides, GateId::Provider(provider), Why::Full);
            return false;
        }
        match self.gates.ask(&row.connection, provider, row.now, ask_of(&row.connection)) {
            Permit::Go => {
                *room -= 1;
                *self.customers.entry(row.connection.customer).or_default() += 1;
                self.picked.push(row);
                true
            }
            Permit::Wait { gate, until, why } => {
                keep_out(&mut self.besides, gate, why);
                self.gated = Some(self.gated.map_or(until, |gated| gated.min(until)));
                false
            }
        }
    }
}
