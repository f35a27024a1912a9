//! A claim of many: what is due, in turns, until there is no room or nothing that may be sent.

use super::mint::Mints;
use super::pick::{Ahead, Look, Picked, Picker};
use super::take::{self, Ids};
use super::{ClaimTerms, Claimed};
use crate::gates::Gates;
use crate::transaction::transact;
use crate::{Result, Store};
use mortise_domain::{AppKey, AttemptId, ConnectorKey, EventId, Timestamp};
use sea_orm::ConnectionTrait as _;
use std::time::Duration;

/// The most that one claim takes: what one statement's values leave room for.
pub(crate) const LARGEST_CLAIM: usize = 500;

/// What there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimRoom<'a> {
    /// How many are wanted at most.
    pub limit: usize,
    /// Apps that are held, whose connections wait.
    pub held: &'a [AppKey],
    /// How many are wanted of one provider that is not among `rooms`, so that one that hangs does not take all.
    pub provider_room: usize,
    /// How many are wanted of each, by connector.
    pub rooms: &'a [(ConnectorKey, usize)],
    /// What has been due for so long was missed by everybody: where many were, nothing is taken until they have other times.
    pub missed_after: Duration,
}

impl<'a> ClaimRoom<'a> {
    /// Room for so many of whatever is due, whosever it is.
    pub const fn of(limit: usize, held: &'a [AppKey]) -> Self {
        Self { limit, held, provider_room: usize::MAX, rooms: &[], missed_after: Duration::MAX }
    }
}

/// What was claimed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DueClaims {
    /// The connections, most overdue first.
    pub claimed: Vec<Claimed>,
    /// When the first gate that is closed may open, by the database's clock; `None`: nothing waits for a gate. Before that,
    /// only room at other providers, or more of them being due, makes a claim bring more.
    pub gated: Option<Timestamp>,
    /// How long it is until then.
    pub opens_in: Option<Duration>,
    /// Providers with a herd: so much was missed there that [`Store::connections_smear`] has to come first.
    pub herds: Vec<ConnectorKey>,
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
            let mints = standing.as_ref().map(|(gates, _)| Mints::of(gates)).unwrap_or_default();
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
                picker.offer(self.that_may_be_minted(tx, free, &mints).await?, more);
            }
            let Picked { free, gates, gated, herds } = picker.finish();
            let claimed = self.take(tx, terms, free, &ids).await?;
            self.gates_save(tx, &gates.changed()).await?;
            let opens_in = gated.zip(standing.as_ref()).map(|(until, (_, now))| from_to(*now, until));
            Ok(DueClaims { claimed, gated, opens_in, herds })
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
        let room = ClaimRoom::of(limit, held);
        Ok(self.connections_claim(terms, &room, attempts, events).await?.claimed)
    }
}

/// The time between two instants of the database's clock; none where the second came first.
pub(crate) fn from_to(now: Timestamp, until: Timestamp) -> Duration {
    (until - now).to_std().unwrap_or_default()
}
