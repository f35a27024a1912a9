//! The manifests that come with the service.

use super::wire::Page;
use crate::access::ConnectorsRead;
use crate::call::Call;
use crate::input::Id;
use crate::problem::{Code, Problem, Result};
use crate::reply::{self, Reply};
use crate::routes::Routes;
use mortise_broker::catalog::{self, Confidence, Summary};
use mortise_domain::ConnectorId;
use serde::Serialize;
use utoipa::ToSchema;

pub(super) fn add(routes: &mut Routes) {
    routes.add(__path_list_catalog, list_catalog, &[]).add(__path_get_catalog_entry, get_catalog_entry, &[]);
}

/// An entry of the catalogue.
#[derive(Debug, Serialize, ToSchema)]
struct CatalogListed {
    /// What to register it by: `{"catalog": "…"}`.
    id: &'static str,
    /// The provider's name.
    name: &'static str,
    /// How access is obtained: `authorization_code`, `client_credentials`, `api_key` or `basic`.
    mode: &'static str,
    /// The kinds of provider that it is.
    categories: &'static [String],
    /// What stands behind its facts: `documented`, `agreed` or `single`; left out where the entry was
    /// written by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<&'static str>,
}

impl From<&'static Summary> for CatalogListed {
    fn from(entry: &'static Summary) -> Self {
        let Summary { id, name, mode, categories, .. } = entry;
        Self { id, name, mode, categories, confidence: entry.confidence.map(Confidence::as_str) }
    }
}

/// An entry of the catalogue with its manifest.
#[derive(Debug, Serialize, ToSchema)]
struct CatalogEntry {
    /// What to register it by: `{"catalog": "…"}`.
    #[schema(value_type = String)]
    id: ConnectorId,
    /// The manifest, as YAML.
    manifest: String,
}

/// List the bundled manifests
#[utoipa::path(
    get, path = "/v1/catalog", tag = "connectors",
    responses((status = 200, description = "All of them.", body = Page<CatalogListed>)),
)]
async fn list_catalog(_: Call<ConnectorsRead>) -> Result<Reply> {
    reply::ok(&Page::whole(catalog::summaries().iter().map(CatalogListed::from).collect()))
}

/// Get a bundled manifest
#[utoipa::path(
    get, path = "/v1/catalog/{id}", tag = "connectors",
    params(("id" = String, Path, description = "The entry.")),
    responses((status = 200, description = "The entry.", body = CatalogEntry)),
)]
async fn get_catalog_entry(call: Call<ConnectorsRead, Id<ConnectorId>>) -> Result<Reply> {
    let manifest = catalog::get(call.path.0.as_str());
    let manifest = manifest.ok_or_else(|| Problem::new(Code::NotFound, "The catalogue has no such entry."))?;
    reply::ok(&CatalogEntry { id: call.path.0, manifest })
}
