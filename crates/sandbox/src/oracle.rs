//! What the oracle says, and the ways to bring the ledger into a state: plain functions over the locked state, which
//! the control endpoints and [`crate::Model`] both call.

mod ask;
mod history;
mod seed;

pub use ask::{check, report, totals};
pub use history::{History, HistoryFilter, LostSuccessor, Overlap, history};
pub use seed::{EACH_ITS_OWN, NewGrants, NewGrantsError, SeededGrant, seed};

use crate::class::RecoveryClass;
use crate::ledger::{Ended, FamilyId, TokenId};
use crate::log::RequestRecord;
use mortise_domain::ScopeSet;
use serde::{Deserialize, Serialize};

/// A token that is good, by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenReport {
    /// [`TokenId::of`] the token.
    pub id: TokenId,
    /// The refresh token that it was issued for.
    pub parent: Option<TokenId>,
    /// Counts the times that tokens were issued for the grant.
    pub generation: u64,
    /// In unix milliseconds.
    pub issued_at_ms: i64,
    /// In unix milliseconds; for a refresh token the moment from which on it is dead if it is not used, if there is one.
    pub expires_at_ms: Option<i64>,
}

/// One grant with what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GrantReport {
    /// The grant.
    pub family: FamilyId,
    /// The provider that granted it.
    pub class: RecoveryClass,
    /// Who may use it.
    pub client_id: String,
    /// Who consented.
    pub subject: Option<String>,
    /// What was granted.
    pub scopes: ScopeSet,
    /// In unix milliseconds.
    pub created_at_ms: i64,
    /// Why all its tokens are bad, if they are.
    pub ended: Option<Ended>,
    /// When that happened, in unix milliseconds.
    pub ended_at_ms: Option<i64>,
    /// How often tokens were issued.
    pub generation: u64,
    /// How often a refresh token was presented that was no longer good. In class F the first one ended the grant.
    pub reuse_events: u64,
    /// How often a request arrived while another with the same refresh token was in flight.
    pub overlaps: u64,
    /// The refresh tokens that would be accepted now, oldest first.
    pub alive_refresh_tokens: Vec<TokenReport>,
    /// The access tokens that would be accepted now, oldest first.
    pub alive_access_tokens: Vec<TokenReport>,
}

/// Sums over everything since the start or the last reset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Grants, ended ones included.
    pub grants: usize,
    /// Grants that have not ended.
    pub live_grants: usize,
    /// Times that tokens were issued.
    pub issued: u64,
    /// See [`GrantReport::reuse_events`].
    pub reuse_events: u64,
    /// See [`GrantReport::overlaps`]; refresh tokens that nobody knows included.
    pub overlaps: u64,
    /// Refresh tokens with a request in flight.
    pub in_flight: usize,
    /// Requests that scripts are still waiting for.
    pub scripted: u64,
    /// The id of the newest logged request.
    pub newest_request: u64,
}

/// What the oracle knows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OracleReport {
    /// Sums over all classes.
    pub totals: Totals,
    /// The grants that were asked for, by family.
    pub grants: Vec<GrantReport>,
    /// The newest requests that were asked for, oldest first.
    pub requests: Vec<RequestRecord>,
}

/// Which part of the oracle's knowledge is wanted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantFilter {
    /// Only this class.
    pub class: Option<RecoveryClass>,
    /// Only this grant.
    pub family: Option<u64>,
}

impl GrantFilter {
    fn wants(&self, class: RecoveryClass, family: Option<FamilyId>) -> bool {
        self.class.is_none_or(|wanted| wanted == class)
            && self.family.is_none_or(|wanted| family == Some(FamilyId(wanted)))
    }
}

/// What is known of one token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenCheck {
    /// `access_token`, `refresh_token`, `code` or `unknown`.
    pub kind: &'static str,
    /// Whether it would be accepted now.
    pub alive: bool,
    /// Its id.
    pub id: TokenId,
    /// Its grant.
    pub family: Option<FamilyId>,
    /// The provider that issued it.
    pub class: Option<RecoveryClass>,
    /// The grant's generation when it was issued.
    pub generation: Option<u64>,
    /// Whether nothing newer was issued for its grant: the one that a client should hold.
    pub newest: bool,
}
