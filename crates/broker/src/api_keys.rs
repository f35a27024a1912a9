//! API keys: made, listed, revoked.

use crate::{Broker, Caller, Error, Listing, PageRequest, Result};
use mortise_domain::{ApiKeyId, ApiKeySecret, ApiScope, EnvironmentKey, EnvironmentName, Timestamp};
use mortise_store::ApiKey;
use mortise_vault::mint_api_key;

/// What a new key shall be.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// What it is for, 1 to 100 characters.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<ApiScope>,
    /// When it ends; `None`: when it is revoked.
    pub expires_at: Option<Timestamp>,
}

/// A key as it is shown, without its secret.
#[derive(Debug, Clone)]
pub struct ApiKeyView {
    /// Its id, which is part of the key.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<ApiScope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl From<ApiKey> for ApiKeyView {
    fn from(row: ApiKey) -> Self {
        let ApiKey { id, name, scopes, created_at, expires_at, revoked_at, .. } = row;
        Self { id, name, scopes, created_at, expires_at, revoked_at }
    }
}

impl Broker {
    /// Makes a key in the caller's environment, with no scope that the caller does not have. The secret is not stored.
    pub async fn create_api_key(&self, caller: &Caller, new: NewApiKey) -> Result<(ApiKeyView, ApiKeySecret)> {
        caller.require(ApiScope::ApiKeysWrite)?;
        if let Some(beyond) = new.scopes.iter().find(|scope| !caller.scopes.contains(scope)) {
            return Err(Error::ForbiddenScope(*beyond));
        }
        self.issue_api_key(caller.environment, new).await
    }

    /// The same for whoever stands at the command line.
    pub async fn create_api_key_locally(
        &self,
        environment: &EnvironmentName,
        new: NewApiKey,
    ) -> Result<(ApiKeyView, ApiKeySecret)> {
        let environment = self.store.environment_by_name(environment).await?.ok_or(Error::NotFound("environment"))?;
        self.issue_api_key(environment.key, new).await
    }

    pub(crate) async fn issue_api_key(
        &self,
        environment: EnvironmentKey,
        new: NewApiKey,
    ) -> Result<(ApiKeyView, ApiKeySecret)> {
        let NewApiKey { name, scopes, expires_at } = new;
        let now = self.clock.now();
        if !(1..=100).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return Err(Error::invalid("/name", "use 1 to 100 characters without control characters"));
        }
        if scopes.is_empty() {
            return Err(Error::invalid("/scopes", "name at least one scope: a key without any can do nothing"));
        }
        if expires_at.is_some_and(|end| end <= now) {
            return Err(Error::invalid("/expires_at", "use a time in the future"));
        }
        let id = ApiKeyId::generate(&*self.clock, &*self.entropy);
        let secret = mint_api_key(id, &*self.entropy);
        let digest = self.api_key_digest(secret.expose()).await?;
        let row = ApiKey { id, environment, name, digest, scopes, created_at: now, expires_at, revoked_at: None };
        self.store.api_key_insert(&row).await?;
        Ok((row.into(), secret))
    }

    /// The environment's keys, oldest first.
    pub async fn list_api_keys(&self, caller: &Caller, page: &PageRequest) -> Result<Listing<ApiKeyView>> {
        caller.require(ApiScope::ApiKeysRead)?;
        Ok(Listing::of(self.store.api_key_list(caller.environment, page.read()?).await?, ApiKeyView::from))
    }

    /// Ends a key: at once here, within five seconds on every other replica.
    pub async fn revoke_api_key(&self, caller: &Caller, id: ApiKeyId) -> Result<()> {
        caller.require(ApiScope::ApiKeysWrite)?;
        if !self.store.api_key_revoke(caller.environment, id, self.clock.now()).await? {
            return Err(Error::NotFound("API key"));
        }
        self.keys.forget(id);
        Ok(())
    }
}
