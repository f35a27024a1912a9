//! What the ledger keeps of families and tokens.

use super::{FamilyId, TokenId};
use crate::class::{History, RecoveryClass};
use mortise_domain::ScopeSet;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Why a whole family of tokens is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Its refresh token was revoked (RFC 7009), or the user withdrew the consent.
    Revoked,
    /// Class F: a spent refresh token was presented.
    RefreshTokenReused,
    /// Its authorization code was presented twice (RFC 6749 section 4.1.2).
    CodeReused,
    /// Its account had more live grants than the provider allows, and this was the oldest.
    Evicted,
    /// Another grant of its client reused a refresh token, for which the provider punishes the client.
    Penalty,
}

/// One grant and all tokens that come of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Family {
    /// The provider that granted it.
    pub class: RecoveryClass,
    /// Who may use it.
    pub client_id: String,
    /// Who consented; nobody for client credentials.
    pub subject: Option<String>,
    /// What was granted.
    pub scopes: ScopeSet,
    /// In unix milliseconds.
    pub created_at: i64,
    /// Why it is bad, if it is.
    pub ended: Option<Ended>,
    /// When it became bad, in unix milliseconds.
    #[serde(default)]
    pub ended_at: Option<i64>,
    /// When a refresh token of it was last exchanged, in unix milliseconds; 0 for never.
    #[serde(default)]
    pub last_used_at: i64,
    /// When it was refreshed lately, in unix milliseconds, oldest first; kept only where the rate is limited.
    #[serde(default)]
    pub refreshed_at: VecDeque<i64>,
    /// The access token that was issued last.
    #[serde(default)]
    pub newest_access: Option<TokenId>,
    /// How often tokens were issued for it.
    pub generation: u64,
    /// Access tokens of an earlier generation are bad.
    pub oldest_good_access: u64,
    /// How often a refresh token was presented that was no longer good.
    pub reuse_events: u64,
    /// How often a request arrived while another with the same refresh token was in flight.
    pub overlaps: u64,
    /// Its remembered refresh tokens, oldest first.
    pub refresh_tokens: VecDeque<TokenId>,
}

/// What is known of a refresh token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RefreshRecord {
    /// Whose it is.
    pub family: FamilyId,
    /// The refresh token that it was issued for; none after a code exchange.
    pub parent: Option<TokenId>,
    /// The family's generation when it was issued.
    pub generation: u64,
    /// In unix milliseconds.
    pub issued_at: i64,
    /// When it was first exchanged, in unix milliseconds.
    pub spent_at: Option<i64>,
    /// Whether something that was issued for it has been used since.
    pub superseded: bool,
}

/// What is known of an access token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccessRecord {
    /// Whose it is.
    pub family: FamilyId,
    /// The refresh token that it was issued for.
    pub parent: Option<TokenId>,
    /// The family's generation when it was issued.
    pub generation: u64,
    /// In unix milliseconds.
    pub issued_at: i64,
    /// In unix milliseconds.
    pub expires_at: i64,
    /// What it may do.
    pub scopes: ScopeSet,
    /// Revoked by itself (RFC 7009).
    pub revoked: bool,
}

impl RefreshRecord {
    pub(super) fn history(&self) -> History {
        History { spent_at: self.spent_at, superseded: self.superseded }
    }
}
