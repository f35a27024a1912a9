//! Connectors: manifests registered, versioned, listed, deleted.

use crate::{Broker, Caller, Error, Listing, PageRequest, Result};
use mortise_connectors::{Diagnostic, Manifest, Severity, canonical_json};
use mortise_domain::{ApiScope, ConnectorId, ConnectorKey, Timestamp};
use mortise_store::Connector;
use mortise_vault::sha256;

/// Where a manifest comes from.
#[derive(Debug, Clone)]
pub enum ManifestSource {
    /// YAML or JSON, as it was sent.
    Text(String),
    /// An entry of the bundled catalogue.
    Catalog(String),
    /// A protected resource, such as an MCP server, that says by itself how it is spoken to (RFC 9728).
    ProtectedResource {
        /// Its URL.
        url: String,
        /// What the connector is called; made of the host where nothing is said.
        id: Option<String>,
        /// The provider's name as customers know it; the host where nothing is said.
        name: Option<String>,
    },
}

/// One version of a connector.
#[derive(Debug, Clone)]
pub struct ConnectorView {
    /// The connector.
    pub id: ConnectorId,
    /// From 1.
    pub version: i32,
    /// SHA-256 of the manifest's canonical JSON, hexadecimal.
    pub digest: String,
    /// The manifest.
    pub manifest: serde_json::Value,
    /// When this version was registered.
    pub created_at: Timestamp,
}

impl TryFrom<Connector> for ConnectorView {
    type Error = Error;

    fn try_from(row: Connector) -> Result<Self> {
        let digest = hex::encode(row.digest);
        let manifest = serde_json::from_str(&row.manifest)?;
        Ok(Self { id: row.id, version: row.version, digest, manifest, created_at: row.created_at })
    }
}

impl Broker {
    /// Registers a connector's first version.
    pub async fn register_connector(&self, caller: &Caller, source: ManifestSource) -> Result<ConnectorView> {
        caller.require(ApiScope::ConnectorsWrite)?;
        let row = self.connector_row(caller, &manifest_text(source)?).await?;
        self.store.connector_insert(&row).await?;
        self.limit_provider(row.key, &row.manifest).await?;
        row.try_into()
    }

    /// Registers a new version. Apps keep theirs until they are moved; an unchanged manifest makes no new version.
    pub async fn update_connector(
        &self,
        caller: &Caller,
        id: &ConnectorId,
        source: ManifestSource,
    ) -> Result<ConnectorView> {
        caller.require(ApiScope::ConnectorsWrite)?;
        let row = self.connector_row(caller, &manifest_text(source)?).await?;
        if row.id != *id {
            return Err(Error::invalid("/id", format!("the manifest says `{}`, the path says `{id}`", row.id)));
        }
        let Connector { digest, manifest, source, created_at, .. } = row;
        let added =
            self.store.connector_add_version(caller.environment, id, digest, &manifest, &source, created_at).await?;
        let added = added.ok_or(Error::NotFound("connector"))?;
        self.limit_provider(added.key, &added.manifest).await?;
        added.try_into()
    }

    /// One version of a connector, the newest where none is named.
    pub async fn connector(&self, caller: &Caller, id: &ConnectorId, version: Option<i32>) -> Result<ConnectorView> {
        caller.require(ApiScope::ConnectorsRead)?;
        let row = self.store.connector_get(caller.environment, id, version).await?;
        row.ok_or(Error::NotFound("connector"))?.try_into()
    }

    /// The newest version of every connector.
    pub async fn list_connectors(&self, caller: &Caller, page: &PageRequest) -> Result<Listing<ConnectorView>> {
        caller.require(ApiScope::ConnectorsRead)?;
        let (rows, next) = self.store.connector_list(caller.environment, page.read()?).await?;
        let views = rows.into_iter().map(ConnectorView::try_from).collect::<Result<Vec<_>>>()?;
        Ok(Listing::of((views, next), |view| view))
    }

    /// Deletes a connector that no app uses.
    pub async fn delete_connector(&self, caller: &Caller, id: &ConnectorId) -> Result<()> {
        caller.require(ApiScope::ConnectorsWrite)?;
        match self.store.connector_delete(caller.environment, id).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::NotFound("connector")),
            Err(mortise_store::StoreError::InUse(_)) => {
                Err(Error::InUse { what: "connector", why: "apps were registered with it; delete them first" })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Everything that is wrong or doubtful about a manifest; registers nothing.
    pub fn validate_manifest(&self, text: &str) -> Vec<Diagnostic> {
        let mut found = mortise_connectors::lint(text);
        if found.iter().all(|d| d.severity != Severity::Error)
            && let Ok(manifest) = mortise_connectors::parse(text)
        {
            found.extend(self.egress_diagnostics(text, &manifest));
        }
        found
    }

    /// The ids of the bundled catalogue.
    pub fn catalog(&self, caller: &Caller) -> Result<Vec<String>> {
        caller.require(ApiScope::ConnectorsRead)?;
        Ok(mortise_connectors::catalog::ids())
    }

    /// An entry of the bundled catalogue, as YAML.
    pub fn catalog_entry(&self, caller: &Caller, id: &str) -> Result<String> {
        caller.require(ApiScope::ConnectorsRead)?;
        mortise_connectors::catalog::get(id).ok_or(Error::NotFound("catalogue entry"))
    }

    async fn connector_row(&self, caller: &Caller, text: &str) -> Result<Connector> {
        let manifest = self.read_manifest(text).await?;
        let refused = self.egress_diagnostics(text, &manifest);
        if !refused.is_empty() {
            return Err(Error::InvalidManifest(refused));
        }
        let json = canonical_json(&manifest);
        Ok(Connector {
            key: ConnectorKey::generate(&*self.clock, &*self.entropy),
            environment: caller.environment,
            id: manifest.id,
            version: 1,
            digest: sha256(&json),
            manifest: json,
            source: text.to_owned(),
            created_at: self.clock.now(),
            retired_at: None,
        })
    }

    /// The egress policy's word on every URL whose host is written out. Hosts with variables are judged when they are
    /// filled in, names when they are resolved.
    pub(crate) fn egress_diagnostics(&self, text: &str, manifest: &Manifest) -> Vec<Diagnostic> {
        let urls = manifest.auth.urls();
        let written_out = urls.into_iter().filter_map(|(path, url)| Some((path, url::Url::parse(url).ok()?)));
        let refused = written_out.filter_map(|(path, url)| Some((path, self.config.egress.check_url(&url).err()?)));
        let diagnostic = |(path, refusal): (&str, mortise_oauth::EgressRefusal)| {
            let (line, column) = mortise_connectors::locate(text, path).unzip();
            Diagnostic {
                severity: Severity::Error,
                code: "egress_refused",
                message: format!("{refusal}: open the range in MORTISE_EGRESS_ALLOW if it is meant"),
                path: path.to_owned(),
                line,
                column,
            }
        };
        refused.map(diagnostic).collect()
    }
}

fn manifest_text(source: ManifestSource) -> Result<String> {
    match source {
        ManifestSource::Text(text) => Ok(text),
        ManifestSource::ProtectedResource { url, id, name } => {
            Ok(mortise_connectors::of_protected_resource(&url, id.as_deref(), name.as_deref()))
        }
        ManifestSource::Catalog(id) => mortise_connectors::catalog::get(&id)
            .ok_or_else(|| Error::invalid("/catalog", "no catalogue entry has this id")),
    }
}
