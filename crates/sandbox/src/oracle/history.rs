//! The history: every remembered request with its times, and what is to be read off them, for a checker that merges it
//! with what clients saw.

use crate::class::RecoveryClass;
use crate::events::GrantEvent;
use crate::ledger::{FamilyId, TokenId};
use crate::log::{Endpoint, RequestRecord};
use crate::shared::Stamp;
use crate::state::State;
use serde::{Deserialize, Serialize};

/// Which part of the history is wanted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HistoryFilter {
    /// Only this class.
    pub class: Option<RecoveryClass>,
    /// Only this grant.
    pub family: Option<u64>,
    /// Only requests with a greater id.
    pub after: u64,
    /// At most so many requests, the oldest first; all if absent.
    pub limit: Option<usize>,
}

/// What happened, in order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct History {
    /// When it was read, in unix milliseconds.
    pub taken_at_ms: i64,
    /// When it was read, in microseconds of the monotonic clock that all `_us` times are of: with both, a reader can put
    /// the times onto a clock of its own.
    pub taken_us: u64,
    /// Whether nothing was forgotten: neither a request, nor an event.
    pub complete: bool,
    /// The requests, in order of arrival.
    pub requests: Vec<RequestRecord>,
    /// When grants began and ended, by order or request. That a limit in time has passed is no event.
    pub events: Vec<GrantEvent>,
    /// Pairs of these requests that were in flight at once with one refresh token.
    pub overlaps: Vec<Overlap>,
    /// Those of these requests that presented a refresh token that was no longer good.
    pub reuses: Vec<u64>,
    /// Tokens that these requests were issued and cannot have received.
    pub lost: Vec<LostSuccessor>,
}

/// Two requests with one refresh token in flight at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overlap {
    /// The refresh token.
    pub token: TokenId,
    /// The request that arrived first.
    pub earlier: u64,
    /// The other one.
    pub later: u64,
    /// Whether the client of the first one had closed its connection before the other one arrived.
    pub earlier_left: bool,
}

/// Tokens that were issued to a request whose reply never left whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LostSuccessor {
    /// The request.
    pub request: u64,
    /// Its grant.
    pub family: Option<FamilyId>,
    /// The refresh token that was exchanged for them.
    pub parent: Option<TokenId>,
    /// The access token.
    pub access_token: Option<TokenId>,
    /// The refresh token.
    pub refresh_token: Option<TokenId>,
}

/// The part of the history that the filter wants.
pub fn history(state: &State, filter: &HistoryFilter, now: Stamp) -> History {
    let grants = super::GrantFilter { class: filter.class, family: filter.family };
    let requests = state.log.after(filter.after).filter(|record| grants.wants(record.class, record.family));
    let requests: Vec<RequestRecord> = requests.take(filter.limit.unwrap_or(usize::MAX)).cloned().collect();
    let class = |family: FamilyId| state.ledger.families.get(&family).map(|family| family.class);
    let events = state
        .events
        .iter()
        .filter(|event| class(event.family).is_some_and(|class| grants.wants(class, Some(event.family))));
    History {
        taken_at_ms: now.ms,
        taken_us: now.us,
        complete: state.log.forgotten() == 0 && state.events.forgotten() == 0,
        events: events.cloned().collect(),
        overlaps: requests.iter().flat_map(|record| overlaps(state, record)).collect(),
        reuses: requests.iter().filter(|record| record.reuse).map(|record| record.id).collect(),
        lost: requests.iter().filter_map(lost).collect(),
        requests,
    }
}

fn overlaps(state: &State, later: &RequestRecord) -> impl Iterator<Item = Overlap> {
    later.overlaps.iter().filter_map(|earlier| {
        let left_us = state.log.get(*earlier).and_then(|record| record.left_us);
        let earlier_left = left_us.is_some_and(|left| left <= later.received_us);
        Some(Overlap { token: later.token?, earlier: *earlier, later: later.id, earlier_left })
    })
}

fn lost(record: &RequestRecord) -> Option<LostSuccessor> {
    let given_up = record.closed_us.is_some() && record.replied_us.is_none();
    (record.endpoint == Endpoint::Token && record.outcome == "issued" && given_up).then(|| LostSuccessor {
        request: record.id,
        family: record.family,
        parent: record.token.filter(|_| record.grant_type.as_deref() == Some("refresh_token")),
        access_token: record.new_access_token,
        refresh_token: record.new_refresh_token,
    })
}
