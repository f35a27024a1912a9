//! Grants without a consent page.

use crate::accounts::{ACCOUNTS, account};
use crate::class::RecoveryClass;
use crate::clients::DEFAULT_CLIENT_ID;
use crate::ledger::FamilyId;
use crate::shared::Shared;
use crate::state::State;
use crate::token::issue_tokens;
use mortise_domain::{AccessToken, RefreshToken, ScopeSet};
use serde::Deserialize;

/// The `subject` that stands for "an account of its own for each grant": `user-1`, `user-2` and so on.
pub const EACH_ITS_OWN: &str = "user-*";

/// Grants to make without a consent page, for imports and measurements.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewGrants {
    /// The provider that grants.
    pub class: RecoveryClass,
    /// Who may use them; the default client if absent.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Who consents; the first account if absent. [`EACH_ITS_OWN`] makes an account for each grant.
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
    let subject = match order.subject.as_deref() {
        Some(EACH_ITS_OWN) => None,
        named => Some(account(named.unwrap_or(ACCOUNTS[0].id)).ok_or(NewGrantsError::Subject)?.id),
    };
    let scopes = ScopeSet::parse(&order.scope, " ");
    let settings = state.settings(order.class).clone();
    let now = shared.now();
    let mut grants = Vec::with_capacity(order.count);
    for _ in 0..order.count {
        let own = subject.is_none().then(|| format!("user-{}", state.ledger.families_opened() + 1));
        let subject = subject.or(own.as_deref());
        let family = state.ledger.open(order.class, client, subject, scopes.clone(), now);
        let with_refresh = settings.issue_refresh_token;
        let issued = issue_tokens(state, shared, family, None, with_refresh, scopes.clone());
        if let Some(most) = settings.max_live {
            state.ledger.evict(family, most as usize, now);
        }
        grants.extend(issued.map(|issued| SeededGrant {
            family,
            access_token: issued.access,
            refresh_token: issued.refresh,
            expires_in: issued.seconds,
        }));
    }
    state.settle(shared.stamp(), None);
    Ok(grants)
}
