//! What callers are handed of a connection's further tokens, and how long such a connection's tokens live.

use crate::Broker;
use crate::further::{FurtherTokens, KeptToken};
use crate::sealing::Place;
use mortise_domain::{AccessToken, ScopeSet, Timestamp};
use mortise_store::TokenRow;
use std::collections::BTreeMap;

/// A further token that is handed out. It is a bearer token (RFC 6750).
#[derive(Debug)]
pub struct FurtherAnswer {
    /// The token.
    pub access_token: AccessToken,
    /// When it ends; `None`: nobody knows.
    pub expires_at: Option<Timestamp>,
    /// What the provider granted to it, where it told.
    pub granted_scopes: ScopeSet,
}

impl From<KeptToken> for FurtherAnswer {
    fn from(kept: KeptToken) -> Self {
        Self {
            access_token: kept.token,
            expires_at: kept.times.expires_at,
            granted_scopes: kept.scopes.unwrap_or_default(),
        }
    }
}

/// Those that have not ended.
pub(super) fn living(further: FurtherTokens, now: Timestamp) -> BTreeMap<String, FurtherAnswer> {
    let living = further.tokens.into_iter().filter(|(_, kept)| kept.times.expires_at.is_none_or(|end| end > now));
    living.map(|(name, kept)| (name, kept.into())).collect()
}

impl Broker {
    /// The further tokens of a connection that has any, as far as they open.
    pub(super) async fn further(&self, row: &TokenRow) -> Option<FurtherTokens> {
        let place = Place { environment: row.environment, connection: row.id, generation: row.generation };
        self.secrets.open_access(place, row.access.as_ref()?).await.ok()?.further
    }

    /// The most life in seconds that a caller may ask for.
    pub(super) async fn most(&self, row: &TokenRow) -> u64 {
        let life = match self.further(row).await {
            Some(several) => several.life(),
            None => super::life(row),
        };
        life.map_or(0, |life| life.as_secs() / 2)
    }
}
