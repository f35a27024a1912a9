//! Versions of a connector: which there are, who uses them, and the end of one.

use super::wire::{Page, Time};
use crate::access::{ConnectorsRead, ConnectorsWrite};
use crate::call::Call;
use crate::input::{Id, Json, Nothing};
use crate::problem::{Code, Result};
use crate::reply::{self, Reply};
use crate::routes::Routes;
use mortise_broker::VersionView;
use mortise_domain::ConnectorId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) fn add(routes: &mut Routes) {
    routes.add(__path_list_connector_versions, list_connector_versions, &[]).add(
        __path_retire_connector_version,
        retire_connector_version,
        &[Code::InUse],
    );
}

/// A version of a connector and who uses it.
#[derive(Debug, Serialize, ToSchema)]
struct Version {
    /// From 1.
    version: i32,
    /// SHA-256 of the manifest's canonical JSON, hexadecimal.
    digest: String,
    /// When it was registered.
    created_at: Time,
    /// Since when nobody may connect with it any more.
    #[schema(required = true)]
    retired_at: Option<Time>,
    /// Apps that are pinned to it.
    apps: u64,
    /// Connections that speak it and have not ended.
    connections: u64,
}

impl From<VersionView> for Version {
    fn from(view: VersionView) -> Self {
        let VersionView { version, digest, created_at, retired_at, apps, connections } = view;
        Self { version, digest, created_at: Time(created_at), retired_at: retired_at.map(Time), apps, connections }
    }
}

/// Which version ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Retirement {
    /// The version.
    version: i32,
}

/// List a connector's versions
///
/// All of them, newest first, each with the apps that are pinned to it and the connections that speak it.
#[utoipa::path(
    get, path = "/v1/connectors/{id}/versions", tag = "connectors",
    params(("id" = String, Path, description = "The connector.")),
    responses((status = 200, description = "All of them.", body = Page<Version>)),
)]
async fn list_connector_versions(call: Call<ConnectorsRead, Id<ConnectorId>>) -> Result<Reply> {
    let found = call.broker().connector_versions(&call.caller, &call.path.0).await?;
    reply::ok(&Page::whole(found.into_iter().map(Version::from).collect()))
}

/// Retire a version of a connector
///
/// No app may be pinned to it any more, so that nobody connects with it. Refused while an app is pinned to it or a connection
/// speaks it: move them first. A retired version never comes back; the same manifest, registered again, is a new one.
#[utoipa::path(
    post, path = "/v1/connectors/{id}/retire", tag = "connectors", request_body = Retirement,
    params(("id" = String, Path, description = "The connector.")),
    responses((status = 200, description = "It is retired.", body = Version)),
)]
async fn retire_connector_version(
    call: Call<ConnectorsWrite, Id<ConnectorId>, Nothing, Json<Retirement>>,
) -> Result<Reply> {
    let broker = call.state.broker.clone();
    let version = call.body.0.version;
    reply::ok(&Version::from(broker.retire_version(&call.caller, &call.path.0, version).await?))
}
