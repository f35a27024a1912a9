//! What the engine reaches the world through, beside the ledger, the spill, the transport, the clock and the entropy.

use crate::further::FurtherTokens;
use crate::loaded::LoadedApp;
use crate::renewal::RefreshTokens;
use crate::sealing::Place;
use crate::spill::SpilledRefresh;
use crate::{Renewal, Result};
use async_trait::async_trait;
use mortise_domain::{AccessToken, AppKey, CustomerKey, DpopKey, PastedSecret, RefreshToken, Sealed, TokenGrant};
use mortise_oauth::Credentials;
use mortise_store::App;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where apps come from.
#[async_trait]
pub trait Apps: Send + Sync {
    /// The app speaking `version` of its connector; two seconds old at the most.
    async fn load(&self, app: AppKey, version: i32) -> Result<Arc<LoadedApp>>;

    /// Reads it anew the next time.
    async fn forget(&self, app: &App);
}

/// What is kept beside an access token.
#[derive(Debug, Default)]
pub struct Beside {
    /// What is handed out with it.
    pub fields: BTreeMap<String, Value>,
    /// What is not.
    pub kept: BTreeMap<String, PastedSecret>,
    /// What the connection's tokens are bound to.
    pub dpop_key: Option<DpopKey>,
    /// The connection's further tokens.
    pub further: Option<FurtherTokens>,
}

/// Where secrets are sealed and opened.
#[async_trait]
pub trait Seals: Send + Sync {
    /// Has at hand what sealing for `customer` will take, so that a reply can be sealed while the database is away.
    async fn prepare(&self, customer: CustomerKey, place: Place) -> Result<()>;

    /// Opens what access is renewed with.
    async fn open_renewal(&self, place: Place, sealed: &Sealed) -> Result<Renewal>;

    /// Seals a refresh token.
    async fn seal_refresh(&self, customer: CustomerKey, place: Place, token: &RefreshToken) -> Result<Sealed>;

    /// Seals what the customer gave, in the place of a refresh token.
    async fn seal_credentials(&self, customer: CustomerKey, place: Place, given: &Credentials) -> Result<Sealed>;

    /// Seals one refresh token for each token of a connection.
    async fn seal_refresh_tokens(&self, customer: CustomerKey, place: Place, tokens: &RefreshTokens) -> Result<Sealed>;

    /// Seals an access token with what is handed out beside it, the further tokens among it.
    async fn seal_access(
        &self,
        customer: CustomerKey,
        place: Place,
        grant: &TokenGrant,
        further: Option<&FurtherTokens>,
    ) -> Result<Sealed>;

    /// Seals for `to` what is sealed for `from`: an access token with what is handed out beside it. Where `further` tokens
    /// are given, they take the place of those that are there.
    async fn move_access(
        &self,
        customer: CustomerKey,
        from: Place,
        to: Place,
        sealed: &Sealed,
        further: Option<&FurtherTokens>,
    ) -> Result<Sealed>;

    /// What is kept beside the access token that `sealed` holds.
    async fn beside(&self, place: Place, sealed: &Sealed) -> Result<Beside>;

    /// Whether `sealed` holds `token`.
    async fn is_access(&self, place: Place, sealed: &Sealed, token: &AccessToken) -> Result<bool>;
}

/// Where pairs go that belong to nobody any more.
#[async_trait]
pub trait LateReplies: Send + Sync {
    /// Has the pair revoked at its provider, if not at once then surely.
    async fn revoke(&self, pair: &SpilledRefresh) -> Result<()>;
}
