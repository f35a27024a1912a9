//! From a presented API key to a caller.

use crate::data_keys::KeyOwner;
use crate::{Broker, Caller, Error, Result};
use moka::future::Cache;
use mortise_domain::ApiKeyId;
use mortise_store::ApiKey;
use mortise_vault::{api_key_id, same, sha256};
use std::sync::Arc;
use std::time::Duration;

/// A revocation takes effect on every replica within this time.
const REMEMBERED: Duration = Duration::from_secs(5);

/// Callers by the digest of the key that they presented: the hot path does without a database look-up. What is not a
/// key is not remembered, so that nobody fills the cache with guesses.
pub(crate) struct KeyCache(Cache<[u8; 32], Arc<Caller>>);

impl KeyCache {
    pub(crate) fn new() -> Self {
        Self(Cache::builder().max_capacity(10_000).time_to_live(REMEMBERED).build())
    }

    pub(crate) fn forget(&self, id: ApiKeyId) {
        let found: Vec<_> = self.0.iter().filter(|(_, caller)| caller.key == id).map(|(digest, _)| *digest).collect();
        for digest in found {
            futures_util::FutureExt::now_or_never(self.0.invalidate(&digest));
        }
    }
}

impl Broker {
    /// Who presents this key.
    pub async fn authenticate(&self, presented: &str) -> Result<Arc<Caller>> {
        let id = api_key_id(presented).ok_or(Error::Unauthorized)?;
        let digest = sha256(presented);
        if let Some(caller) = self.keys.0.get(&digest).await {
            return Ok(caller);
        }
        let row = self.store.api_key_by_id(id).await?.ok_or(Error::Unauthorized)?;
        if !same(&row.digest, &self.api_key_digest(presented).await?) || !self.is_live(&row) {
            return Err(Error::Unauthorized);
        }
        let caller = Arc::new(Caller { environment: row.environment, key: row.id, scopes: row.scopes });
        self.keys.0.insert(digest, caller.clone()).await;
        Ok(caller)
    }

    /// What is stored of a key: a digest under a key that the database holds only wrapped.
    pub(crate) async fn api_key_digest(&self, presented: &str) -> Result<[u8; 32]> {
        Ok(self.secrets.data_keys.sealing(KeyOwner::System).await?.digest(presented.as_bytes()))
    }

    pub(crate) fn is_live(&self, key: &ApiKey) -> bool {
        key.revoked_at.is_none() && key.expires_at.is_none_or(|end| end > self.clock.now())
    }
}
