//! A claim of many: what is due, in turns, until there is no room or nothing that may be sent.

use super::pick::{Ahead, Look, Picker};
use super::take::{self, Ids};
use super::{ClaimTerms, Claimed};
use crate::gates::Gates;
use crate::transaction::transact;
use crate::{Result, Store};
use mortise_domain::{AppKey, AttemptId, ConnectorKey, EventId, Timestamp};
use sea_orm::ConnectionTrait as _;

/// The most that one claim takes: what one statement's values leave room for.
pub(crate) const LARGEST_CLAIM: usize = 500;

/// What there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimRoom<'a> {
    /// How many are wanted at most.
    pub limit: usize,
    /// Apps that are held, whose connections wait.
    pub held: &'a [AppKey],
    /// How many requests this process may have under way at one provider, so that one that hangs does not take all.
    pub provider_limit: usize,
    /// How many it has, by connector.
    pub busy: &'a [(ConnectorKey, usize)],
}

/// What was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueClaims {
    /// The connections, most overdue first.
    pub claimed: Vec<Claimed>,
    /// When the first gate that is closed may open, by the database's clock; `None`: nothing waits for a gate. Before that,
    /// only room at other providers, or more of them being due, makes a claim bring more.
    pub gated: Option<Timestamp>,
}

impl Store {
    /// Takes connections that are due, most overdue first, leaving out those of held apps, those behind closed gates, and
    /// those that anybody is at. While others wait, no customer gets more than a quarter. `attempts` and `events` give an
    /// id for each. Rows that do not read are left out and put off by ten minutes, so that they never stand in the way.
    pub async fn connections_claim(
        &self,
        terms: &ClaimTerms,
        room: &ClaimRoom<'_>,
        mut attempts: impl FnMut() -> AttemptId,
        mut events: impl FnMut() -> EventId,
    ) -> Result<DueClaims> {
        let room = ClaimRoom { limit: room.limit.clamp(1, LARGEST_CLAIM), ..*room };
        // Drawn before the first await, so that the two closures need not be sent between threads.
        let ids: Vec<Ids> = (0..room.limit).map(|_| Ids { attempt: attempts(), event: events() }).collect();
        // Read outside the transaction: most often there are none.
        let standing = self.gates_standing().await?;
        transact!(self, tx, {
            let ahead = match &standing {
                Some((gates, now)) => Ahead::new(&room, gates, *now),
                None => Ahead::new(&room, &[], Timestamp::UNIX_EPOCH),
            };
            let gates = self.gates_locked(tx, &ahead.to_ask).await?.map(|(gates, _)| Gates::new(gates));
            let mut gates = gates.unwrap_or_default();
            self.count_under_way(tx, &mut gates).await?;
            let mut picker = Picker::new(&room, ahead, gates);
            while let Some(look) = picker.look() {
                let (select, limit) = match look {
                    Look::Due(limit) => (self.due(limit, picker.besides()), limit),
                    Look::Newest { limit, window } => (self.newest(limit, window, picker.besides()), limit),
                };
                let rows = tx.query_all_raw(select.build()).await?;
                let more = rows.len() == limit;
                let (free, unread) = take::read(rows)?;
                self.put_off(tx, &unread).await?;
                picker.offer(free, more);
            }
            let (free, gates, gated) = picker.finish();
            let claimed = self.take(tx, terms, free, &ids).await?;
            self.gates_save(tx, &gates.changed()).await?;
            Ok(DueClaims { claimed, gated })
        })
    }

    /// As [`connections_claim`](Self::connections_claim), with no regard to how much one provider gets.
    pub async fn connections_claim_due(
        &self,
        terms: &ClaimTerms,
        limit: usize,
        held: &[AppKey],
        attempts: impl FnMut() -> AttemptId,
        events: impl FnMut() -> EventId,
    ) -> Result<Vec<Claimed>> {
        let room = ClaimRoom { limit, held, provider_limit: usize::MAX, busy: &[] };
        Ok(self.connections_claim(terms, &room, attempts, events).await?.claimed)
    }
}
