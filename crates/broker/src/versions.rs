//! Versions of a connector: what uses each of them, and the end of one.

use crate::{Broker, Caller, Error, Result};
use mortise_domain::{ApiScope, ConnectorId, Timestamp};
use mortise_store::{StoreError, VersionUse};

/// A version as it is listed.
#[derive(Debug, Clone)]
pub struct VersionView {
    /// From 1.
    pub version: i32,
    /// SHA-256 of the manifest's canonical JSON, hexadecimal.
    pub digest: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Since when nobody may connect with it any more.
    pub retired_at: Option<Timestamp>,
    /// Apps that are pinned to it.
    pub apps: u64,
    /// Connections that speak it and have not ended.
    pub connections: u64,
}

impl From<VersionUse> for VersionView {
    fn from(found: VersionUse) -> Self {
        let VersionUse { version, digest, created_at, retired_at, apps, connections } = found;
        Self { version, digest: hex::encode(digest), created_at, retired_at, apps, connections }
    }
}

impl Broker {
    /// Every version of a connector, newest first.
    pub async fn connector_versions(&self, caller: &Caller, id: &ConnectorId) -> Result<Vec<VersionView>> {
        caller.require(ApiScope::ConnectorsRead)?;
        let found = self.store.version_uses(caller.environment, id).await?.ok_or(Error::NotFound("connector"))?;
        Ok(found.into_iter().map(VersionView::from).collect())
    }

    /// Retires a version that nothing uses: no app is pinned to it any more, and none moves there.
    pub async fn retire_version(&self, caller: &Caller, id: &ConnectorId, version: i32) -> Result<VersionView> {
        caller.require(ApiScope::ConnectorsWrite)?;
        let in_use = |why| Error::InUse { what: "version", why };
        match self.store.version_retire(caller.environment, id, version).await {
            Ok(true) => {}
            Ok(false) => return Err(Error::NotFound("version")),
            Err(StoreError::InUse("app")) => {
                return Err(in_use("apps are pinned to it: move them to another version first (`POST /v1/moves`)"));
            }
            Err(StoreError::InUse("move")) => return Err(in_use("connections are being moved to it")),
            Err(StoreError::InUse(_)) => {
                return Err(in_use(
                    "connections still speak it: move their apps to another version (`POST /v1/moves`)",
                ));
            }
            Err(error) => return Err(error.into()),
        }
        tracing::info!(connector = %id, version, by = %caller.key, "a version was retired");
        let all = self.connector_versions(caller, id).await?;
        all.into_iter().find(|found| found.version == version).ok_or(Error::NotFound("version"))
    }
}
