//! Connections: listed, imported, annotated, refreshed, ended.

mod credentials;

use super::wire::{Happened, Page, PageQuery, Reason, State, Time};
use crate::access::{ConnectionsRead, ConnectionsWrite};
use crate::call::Call;
use crate::input::{Id, Json, Nothing, OrEmpty};
use crate::problem::{Code, Result};
use crate::reply::{self, Reply};
use crate::routes::Routes;
use credentials::{Credentials, CredentialsSchema};
use mortise_broker::{ConnectionQuery, ConnectionView, EventView, Import, PageRequest, RefreshWish};
use mortise_domain::{AppId, ConnectionId, ConnectionState, ConnectorId, CustomerId, EventId, ScopeSet};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// What a provider that has to be called may answer.
const PROVIDER: &[Code] = &[Code::ProviderUnavailable, Code::ProviderThrottled, Code::AppHeld];
const UNUSABLE: &[Code] = &[
    Code::ConnectionNeedsReauth,
    Code::ConnectionPending,
    Code::ConnectionRevoked,
    Code::Held,
    Code::ConnectionQuarantined,
];

pub(super) fn add(routes: &mut Routes) {
    routes
        .create(
            __path_create_connection,
            create_connection,
            &[PROVIDER, &[Code::AlreadyExists, Code::GrantRefused, Code::ExchangeFailed]].concat(),
        )
        .add(__path_list_connections, list_connections, &[])
        .add(__path_get_connection, get_connection, &[])
        .add(__path_update_connection, update_connection, &[])
        .add(__path_delete_connection, delete_connection, &[])
        .add(__path_refresh_connection, refresh_connection, &[PROVIDER, UNUSABLE].concat())
        .add(__path_list_events, list_events, &[]);
}

/// One customer's grant at one app, without its credentials.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Connection {
    /// Its id.
    #[schema(value_type = String, example = "con_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e")]
    id: ConnectionId,
    /// Whose it is.
    #[schema(value_type = String)]
    customer: CustomerId,
    /// At which app.
    #[schema(value_type = String)]
    app: AppId,
    /// By which connector.
    #[schema(value_type = String)]
    connector: ConnectorId,
    /// In which version of it.
    connector_version: i32,
    /// What it is.
    state: State,
    /// Why.
    state_reason: Reason,
    /// Since when.
    state_since: Time,
    /// When the access token ends.
    #[schema(required = true)]
    expires_at: Option<Time>,
    /// When it is renewed.
    #[schema(required = true)]
    next_refresh_at: Option<Time>,
    /// When it was obtained.
    #[schema(required = true)]
    last_refreshed_at: Option<Time>,
    /// What the provider granted.
    #[schema(value_type = Vec<String>)]
    granted_scopes: ScopeSet,
    /// What was asked for and not granted.
    #[schema(value_type = Vec<String>)]
    missing_scopes: ScopeSet,
    /// How many refreshes failed since the last one that did not.
    failures: i32,
    /// How the last one that failed ended.
    #[schema(required = true)]
    last_error: Option<String>,
    /// What was filled in for the connector's URLs.
    variables: BTreeMap<String, String>,
    /// Whatever was stored with it.
    #[schema(value_type = Object, additional_properties)]
    metadata: Value,
    /// When it was made.
    created_at: Time,
    /// When it was changed last.
    updated_at: Time,
}

impl From<ConnectionView> for Connection {
    fn from(view: ConnectionView) -> Self {
        Self {
            id: view.id,
            customer: view.customer,
            app: view.app,
            connector: view.connector,
            connector_version: view.connector_version,
            state: State(view.state),
            state_reason: Reason(view.state_reason),
            state_since: Time(view.state_since),
            expires_at: view.expires_at.map(Time),
            next_refresh_at: view.next_refresh_at.map(Time),
            last_refreshed_at: view.last_refreshed_at.map(Time),
            granted_scopes: view.granted_scopes,
            missing_scopes: view.missing_scopes,
            failures: view.failures,
            last_error: view.last_error,
            variables: view.variables,
            metadata: view.metadata,
            created_at: Time(view.created_at),
            updated_at: Time(view.updated_at),
        }
    }
}

/// A connection made without a consent page.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewConnection {
    /// Whose it is.
    #[schema(value_type = String)]
    customer: CustomerId,
    /// At which app.
    #[schema(value_type = String)]
    app: AppId,
    /// What the connector's URLs need.
    #[serde(default)]
    variables: BTreeMap<String, String>,
    /// Tokens obtained elsewhere. Without them an app of the client credentials grant is granted a token at once; any other
    /// connection is `pending` until a connect session for it is finished.
    /// For a connector whose customers paste credentials: these, by the manifest's names.
    #[schema(value_type = Option<CredentialsSchema>)]
    credentials: Option<Credentials>,
}

/// What of a connection can be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConnectionChange {
    /// Replaces what was stored: one JSON object of at most 16 KiB.
    #[schema(value_type = Object, additional_properties)]
    metadata: Map<String, Value>,
}

/// What can be said about a refresh.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefreshRequest {
    /// Why it is wanted. Absent: a refresh is sent whatever life the token has left.
    #[serde(default)]
    reason: Option<RefreshReason>,
}

/// Why a refresh is wanted.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RefreshReason {
    /// The provider's API answered 401 to the token. A report of a token that is brand new sends nothing, because the one
    /// that failed was an older one: the answer is then the connection as it is.
    Unauthorized,
}

/// Which connections.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ConnectionsQuery {
    /// Only this customer's.
    #[param(value_type = Option<String>)]
    customer: Option<CustomerId>,
    /// Only at this app.
    #[param(value_type = Option<String>)]
    app: Option<AppId>,
    /// Only in this state.
    #[param(value_type = Option<State>)]
    state: Option<ConnectionState>,
    /// How many items at most: 1 to 100, 20 where nothing is said.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// `next_cursor` of the page before, unchanged.
    cursor: Option<String>,
}

/// One line of a timeline.
#[derive(Debug, Serialize, ToSchema)]
struct Event {
    /// Its id.
    #[schema(value_type = String)]
    id: EventId,
    /// What happened.
    kind: Happened,
    /// When.
    at: Time,
    /// The particulars, which differ from kind to kind.
    #[schema(value_type = Object, additional_properties)]
    detail: Value,
}

impl From<EventView> for Event {
    fn from(EventView { id, kind, at, detail }: EventView) -> Self {
        Self { id, kind: Happened(kind), at: Time(at), detail }
    }
}

/// Make a connection without a consent page
///
/// With `credentials`, tokens that were obtained elsewhere are taken over and kept fresh from now on.
#[utoipa::path(
    post, path = "/v1/connections", tag = "connections", request_body = NewConnection,
    responses((status = 201, description = "It is made.", body = Connection)),
)]
async fn create_connection(call: Call<ConnectionsWrite, (), Nothing, Json<NewConnection>>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    let NewConnection { customer, app, variables, credentials } = call.body.0;
    let import = Import { customer, app, variables, credentials: credentials.map(Into::into) };
    reply::created(&Connection::from(broker.import_connection(&call.caller, import).await?))
}

/// List connections
///
/// Oldest first.
#[utoipa::path(
    get, path = "/v1/connections", tag = "connections", params(ConnectionsQuery),
    responses((status = 200, description = "A page of them.", body = Page<Connection>)),
)]
async fn list_connections(call: Call<ConnectionsRead, (), ConnectionsQuery>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    let ConnectionsQuery { customer, app, state, limit, cursor } = call.query;
    let (query, page) = (ConnectionQuery { customer, app, state }, PageRequest { limit, cursor });
    reply::ok(&Page::<Connection>::of(broker.list_connections(&call.caller, &query, &page).await?))
}

/// Get a connection
#[utoipa::path(
    get, path = "/v1/connections/{id}", tag = "connections",
    params(("id" = String, Path, description = "The connection.")),
    responses((status = 200, description = "The connection.", body = Connection)),
)]
async fn get_connection(call: Call<ConnectionsRead, Id<ConnectionId>>) -> Result<Reply> {
    reply::ok(&Connection::from(call.broker().connection(&call.caller, call.path.0).await?))
}

/// Change a connection's metadata
#[utoipa::path(
    patch, path = "/v1/connections/{id}", tag = "connections", request_body = ConnectionChange,
    params(("id" = String, Path, description = "The connection.")),
    responses((status = 200, description = "The changed connection.", body = Connection)),
)]
async fn update_connection(
    call: Call<ConnectionsWrite, Id<ConnectionId>, Nothing, Json<ConnectionChange>>,
) -> Result<Reply> {
    let broker = call.state.broker.clone();
    let view = broker.annotate_connection(&call.caller, call.path.0, call.body.0.metadata).await?;
    reply::ok(&Connection::from(view))
}

/// End a connection
///
/// Here at once: no token is served any more. At the provider its tokens are revoked as soon as it answers. Doing it again
/// changes nothing.
#[utoipa::path(
    delete, path = "/v1/connections/{id}", tag = "connections",
    params(("id" = String, Path, description = "The connection.")),
    responses((status = 204, description = "It is ended.")),
)]
async fn delete_connection(call: Call<ConnectionsWrite, Id<ConnectionId>>) -> Result<Reply> {
    call.broker().delete_connection(&call.caller, call.path.0).await?;
    reply::nothing()
}

/// Refresh a connection now
///
/// One guarded refresh, whatever life the token has left; whoever asks at the same time waits for the same one.
#[utoipa::path(
    post, path = "/v1/connections/{id}/refresh", tag = "connections", request_body = Option<RefreshRequest>,
    params(("id" = String, Path, description = "The connection.")),
    responses((status = 200, description = "The refreshed connection.", body = Connection)),
)]
async fn refresh_connection(
    call: Call<ConnectionsWrite, Id<ConnectionId>, Nothing, OrEmpty<RefreshRequest>>,
) -> Result<Reply> {
    let wish = match call.body.0.reason {
        Some(RefreshReason::Unauthorized) => RefreshWish::Unauthorized,
        None => RefreshWish::Plain,
    };
    reply::ok(&Connection::from(
        call.broker().refresh_connection(&call.caller, call.path.0, wish, Some(call.id)).await?,
    ))
}

/// List a connection's events
///
/// Its timeline, newest first.
#[utoipa::path(
    get, path = "/v1/connections/{id}/events", tag = "connections",
    params(("id" = String, Path, description = "The connection."), PageQuery),
    responses((status = 200, description = "A page of them.", body = Page<Event>)),
)]
async fn list_events(call: Call<ConnectionsRead, Id<ConnectionId>, PageQuery>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    reply::ok(&Page::<Event>::of(broker.timeline(&call.caller, call.path.0, &call.query.into()).await?))
}
