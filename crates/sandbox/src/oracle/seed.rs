//! Grants without a consent page.

use crate::accounts::{ACCOUNTS, account};
use crate::class::RecoveryClass;
use crate::clients::DEFAULT_CLIENT_ID;
use crate::ledger::{FamilyId, Mint};
use crate::shared::Shared;
use crate::state::State;
use mortise_domain::{AccessToken, RefreshToken, ScopeSet};
use serde::Deserialize;

/// Grants to make without a consent page, for imports and measurements.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewGrants {
    /// The provider that grants.
    pub class: RecoveryClass,
    /// Who may use them; the default client if absent.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Who consents; the first account if absent.
    #[serde(default)]
    pub subject: Option<String>,
    /// Scopes, separated by spaces.
    #[serde(default)]
    pub scope: String,
    /// How many, at most 100,000; 1 if absent.
    #[serde(default = "one")]
    pub count: usize,
}

const fn one() -> usize {
    1
}

/// Why grants cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NewGrantsError {
    /// No such client.
    #[error("`client_id` is not registered: `POST /control/clients` first")]
    Client,
    /// No such account.
    #[error("`subject` is not an account of the sandbox")]
    Subject,
    /// Too many at once.
    #[error("`count` must be from 1 to 100000")]
    Count,
}

/// A grant's first tokens.
#[derive(Debug)]
pub struct SeededGrant {
    /// The grant.
    pub family: FamilyId,
    /// Its access token.
    pub access_token: AccessToken,
    /// Its refresh token.
    pub refresh_token: Option<RefreshToken>,
    /// Seconds that the access token lives.
    pub expires_in: u32,
}

/// Makes grants without a consent page.
pub fn seed(state: &mut State, shared: &Shared, order: &NewGrants) -> Result<Vec<SeededGrant>, NewGrantsError> {
    if !(1..=100_000).contains(&order.count) {
        return Err(NewGrantsError::Count);
    }
    let client = order.client_id.as_deref().unwrap_or(DEFAULT_CLIENT_ID);
    state.clients.get(client).ok_or(NewGrantsError::Client)?;
    let subject = account(order.subject.as_deref().unwrap_or(ACCOUNTS[0].id)).ok_or(NewGrantsError::Subject)?.id;
    let scopes = ScopeSet::parse(&order.scope, " ");
    let settings = state.settings(order.class).clone();
    let now = shared.now();
    let mut grants = Vec::with_capacity(order.count);
    for _ in 0..order.count {
        let family = state.ledger.open(order.class, client, Some(subject), scopes.clone(), now);
        let mint = Mint {
            parent: None,
            with_refresh: settings.issue_refresh_token,
            ends_prior_access: false,
            lifetime: settings.lifetime_ms(),
            scopes: scopes.clone(),
            now,
        };
        grants.extend(state.ledger.mint(family, mint, &*shared.entropy).map(|minted| SeededGrant {
            family,
            access_token: minted.access,
            refresh_token: minted.refresh,
            expires_in: settings.access_token_lifetime,
        }));
    }
    Ok(grants)
}
