//! What a class's settings demand of its grants beyond the recovery class; all times in milliseconds.

use super::{Family, TokenId};
use crate::ledger::Ledger;

/// The limits that a provider puts on its grants. The default has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    /// Class G: how long a refresh token stays good after its first use.
    pub grace: i64,
    /// How close to the end of the newest access token a refresh is accepted; 0: only once it has expired.
    pub refresh_window: Option<i64>,
    /// How long a grant's refresh tokens live without use.
    pub idle_limit: Option<i64>,
    /// How long after the consent everything ends.
    pub absolute_limit: Option<i64>,
    /// How many refreshes a grant may have in any span of so long.
    pub mint_rate: Option<(usize, i64)>,
    /// Whether a reuse ends all grants of its client.
    pub reuse_penalty: bool,
}

impl Rules {
    /// When every token of the family ends, whatever happens. What a client is granted for itself has no consent that
    /// could grow old.
    pub fn absolute_end(&self, family: &Family) -> Option<i64> {
        self.absolute_limit.filter(|_| family.subject.is_some()).map(|limit| family.created_at.saturating_add(limit))
    }

    /// When the family's refresh tokens end unless one is used before.
    pub fn refresh_end(&self, family: &Family) -> Option<i64> {
        let idle = self.idle_limit.map(|limit| family.last_used_at.max(family.created_at).saturating_add(limit));
        [idle, self.absolute_end(family)].into_iter().flatten().min()
    }

    /// How long until a grant that had these refreshes may have the next one.
    pub(super) fn throttle(&self, family: &Family, now: i64) -> Option<i64> {
        let (requests, span) = self.mint_rate?;
        let oldest = family.refreshed_at.iter().rev().nth(requests.checked_sub(1)?)?;
        Some(oldest.saturating_add(span).saturating_sub(now)).filter(|wait| *wait > 0)
    }
}

impl Ledger {
    /// Whether a refresh would be accepted now as far as the newest access token goes.
    pub(super) fn in_window(&self, newest: Option<TokenId>, window: Option<i64>, now: i64) -> bool {
        let expires_at = newest.and_then(|id| self.access.get(&id)).map(|record| record.expires_at);
        match (window, expires_at) {
            (Some(window), Some(expires_at)) => now >= expires_at.saturating_sub(window),
            _ => true,
        }
    }
}
