//! Who asks.

use crate::{Error, Result};
use mortise_domain::{ApiKeyId, ApiScope, EnvironmentKey};

/// An authenticated caller. Every use case on a customer's data asks for one and looks only into its environment.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The environment that the key belongs to.
    pub environment: EnvironmentKey,
    /// The key.
    pub key: ApiKeyId,
    /// What it may do.
    pub scopes: Vec<ApiScope>,
}

impl Caller {
    /// Refuses a caller without `scope`.
    pub fn require(&self, scope: ApiScope) -> Result<()> {
        if self.scopes.contains(&scope) { Ok(()) } else { Err(Error::ForbiddenScope(scope)) }
    }
}
