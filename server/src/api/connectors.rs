//! Connectors: manifests registered, versioned, checked.

use super::wire::{Page, PageQuery, Time};
use crate::access::{ConnectorsRead, ConnectorsWrite};
use crate::call::Call;
use crate::input::{Body, Id, Nothing};
use crate::problem::{Code, Problem, Result};
use crate::reply::{self, JSON, Reply};
use crate::routes::Routes;
use mortise_broker::{ConnectorView, Diagnostic, ManifestSource, Severity};
use mortise_domain::ConnectorId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

pub(super) fn add(routes: &mut Routes) {
    routes
        .create(__path_create_connector, create_connector, &[Code::InvalidManifest, Code::AlreadyExists])
        .add(__path_list_connectors, list_connectors, &[])
        .add(__path_validate_connector, validate_connector, &[])
        .add(__path_get_connector, get_connector, &[])
        .add(__path_update_connector, update_connector, &[Code::InvalidManifest])
        .add(__path_delete_connector, delete_connector, &[Code::InUse]);
}

/// A manifest as YAML or JSON, the name of a bundled one, or the address of an MCP server.
struct Manifest(ManifestSource);

/// Names a bundled manifest.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FromCatalog {
    /// The entry's id.
    catalog: String,
}

/// Names a protected resource that says by itself how it is spoken to, such as an MCP server.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FromResource {
    /// Its URL, as clients call it.
    #[schema(format = "uri", max_length = 2000)]
    mcp: String,
    /// What the connector is called: kebab-case. Absent: made of the host.
    id: Option<String>,
    /// The provider's name as customers know it. Absent: the host.
    name: Option<String>,
}

/// Any of the three as JSON.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum ManifestJson {
    /// The name of a bundled manifest.
    Catalog(FromCatalog),
    /// The address of an MCP server.
    Resource(FromResource),
    /// A manifest, whose members are judged by the manifest language and not here.
    Manifest(#[expect(dead_code, reason = "only told apart here: the text is what is registered")] Map<String, Value>),
}

impl Body for Manifest {
    const TYPES: &'static [&'static str] =
        &["application/yaml", JSON, "application/x-yaml", "text/yaml", "text/x-yaml"];

    fn read(kind: &str, bytes: &[u8]) -> Result<Self> {
        let json = (kind == JSON).then(|| serde_json::from_slice(bytes));
        match json {
            Some(Ok(ManifestJson::Catalog(FromCatalog { catalog }))) => Ok(Self(ManifestSource::Catalog(catalog))),
            Some(Ok(ManifestJson::Resource(FromResource { mcp: url, id, name }))) => {
                Ok(Self(ManifestSource::ProtectedResource { url, id, name }))
            }
            // Broken JSON too: the manifest language's own reader says best what is wrong with it.
            Some(Ok(ManifestJson::Manifest(_)) | Err(_)) | None => {
                text(bytes).map(|text| Self(ManifestSource::Text(text)))
            }
        }
    }
}

/// A manifest as YAML or JSON, as it was sent.
struct ManifestText(String);

impl Body for ManifestText {
    const TYPES: &'static [&'static str] = Manifest::TYPES;

    fn read(_: &str, bytes: &[u8]) -> Result<Self> {
        text(bytes).map(Self)
    }
}

fn text(bytes: &[u8]) -> Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Problem::new(Code::MalformedRequest, "The manifest is not UTF-8."))
}

/// Which version.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct VersionQuery {
    /// From 1; absent: the newest.
    version: Option<i32>,
}

/// One version of a connector.
#[derive(Debug, Serialize, ToSchema)]
struct Connector {
    /// The connector.
    #[schema(value_type = String)]
    id: ConnectorId,
    /// From 1.
    version: i32,
    /// SHA-256 of the manifest's canonical JSON, hexadecimal.
    digest: String,
    /// The manifest.
    #[schema(value_type = Object, additional_properties)]
    manifest: Value,
    /// When this version was registered.
    created_at: Time,
}

impl From<ConnectorView> for Connector {
    fn from(ConnectorView { id, version, digest, manifest, created_at }: ConnectorView) -> Self {
        Self { id, version, digest, manifest, created_at: Time(created_at) }
    }
}

/// What was found in a manifest.
#[derive(Debug, Serialize, ToSchema)]
struct Findings {
    /// Whether it can be registered: nothing found is an error.
    valid: bool,
    /// Everything that is wrong or doubtful.
    diagnostics: Vec<Finding>,
    /// What the provider publishes for members of `auth` that the manifest leaves to discovery.
    #[schema(value_type = Object, additional_properties)]
    discovered: Map<String, Value>,
}

/// One finding.
#[derive(Debug, Serialize, ToSchema)]
struct Finding {
    /// `error` or `warning`.
    #[schema(pattern = "^(error|warning)$")]
    severity: &'static str,
    /// A stable word for programs.
    code: &'static str,
    /// What is wrong and what is allowed.
    message: String,
    /// JSON pointer of the member; empty for the whole document.
    path: String,
    /// From 1.
    #[schema(required = true)]
    line: Option<u32>,
    /// From 1, in characters.
    #[schema(required = true)]
    column: Option<u32>,
}

impl From<Diagnostic> for Finding {
    fn from(Diagnostic { severity, code, message, path, line, column }: Diagnostic) -> Self {
        Self { severity: severity.as_str(), code, message, path, line, column }
    }
}

/// Register a connector
///
/// Its first version. `{"catalog": "github"}` registers a bundled manifest, `{"mcp": "https://mcp.acme.example/mcp"}` an MCP
/// server. What a manifest leaves to discovery is fetched now and pinned in the version.
#[utoipa::path(
    post, path = "/v1/connectors", tag = "connectors",
    request_body(
        description = "A manifest as YAML or JSON, the name of a bundled one, or the address of an MCP server.",
        content((String = "application/yaml"), (ManifestJson = "application/json")),
    ),
    responses((status = 201, description = "It is registered.", body = Connector)),
)]
async fn create_connector(call: Call<ConnectorsWrite, (), Nothing, Manifest>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    reply::created(&Connector::from(broker.register_connector(&call.caller, call.body.0).await?))
}

/// List connectors
///
/// The newest version of each.
#[utoipa::path(
    get, path = "/v1/connectors", tag = "connectors", params(PageQuery),
    responses((status = 200, description = "A page of them.", body = Page<Connector>)),
)]
async fn list_connectors(call: Call<ConnectorsRead, (), PageQuery>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    reply::ok(&Page::<Connector>::of(broker.list_connectors(&call.caller, &call.query.into()).await?))
}

/// Check a manifest
///
/// Everything that is wrong or doubtful about it, with line and column; registers nothing. A manifest that leaves members to
/// discovery has its provider asked for them, which takes the scope `connectors:write`.
#[utoipa::path(
    post, path = "/v1/connectors/validate", tag = "connectors",
    request_body(
        description = "A manifest as YAML or JSON.",
        content((String = "application/yaml"), (Object = "application/json")),
    ),
    responses((status = 200, description = "What was found.", body = Findings)),
)]
async fn validate_connector(call: Call<ConnectorsRead, (), Nothing, ManifestText>) -> Result<Reply> {
    let (found, members) = call.broker().check_manifest(&call.caller, &call.body.0).await?;
    let valid = found.iter().all(|diagnostic| diagnostic.severity != Severity::Error);
    let discovered = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    reply::ok(&Findings { valid, diagnostics: found.into_iter().map(Finding::from).collect(), discovered })
}

/// Get a connector
#[utoipa::path(
    get, path = "/v1/connectors/{id}", tag = "connectors",
    params(("id" = String, Path, description = "The connector."), VersionQuery),
    responses((status = 200, description = "One version of it.", body = Connector)),
)]
async fn get_connector(call: Call<ConnectorsRead, Id<ConnectorId>, VersionQuery>) -> Result<Reply> {
    reply::ok(&Connector::from(call.broker().connector(&call.caller, &call.path.0, call.query.version).await?))
}

/// Register a new version of a connector
///
/// Apps keep theirs until they are moved. An unchanged manifest makes no new version.
#[utoipa::path(
    put, path = "/v1/connectors/{id}", tag = "connectors",
    params(("id" = String, Path, description = "The connector.")),
    request_body(
        description = "A manifest as YAML or JSON, the name of a bundled one, or the address of an MCP server.",
        content((String = "application/yaml"), (ManifestJson = "application/json")),
    ),
    responses((status = 200, description = "The newest version.", body = Connector)),
)]
async fn update_connector(call: Call<ConnectorsWrite, Id<ConnectorId>, Nothing, Manifest>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    reply::ok(&Connector::from(broker.update_connector(&call.caller, &call.path.0, call.body.0).await?))
}

/// Delete a connector that no app uses
#[utoipa::path(
    delete, path = "/v1/connectors/{id}", tag = "connectors",
    params(("id" = String, Path, description = "The connector.")),
    responses((status = 204, description = "It is gone.")),
)]
async fn delete_connector(call: Call<ConnectorsWrite, Id<ConnectorId>>) -> Result<Reply> {
    call.broker().delete_connector(&call.caller, &call.path.0).await?;
    reply::nothing()
}
