//! Connections and their timelines as they are shown.

use crate::refresh::Apps as _;
use crate::{Broker, Caller, Error, Listing, PageRequest, Result};
use mortise_domain::{
    ApiScope, AppId, ConnectionId, ConnectionState, ConnectorId, CustomerId, EnvironmentKey, EventId, EventKind,
    ScopeSet, StateReason, Timestamp,
};
use mortise_store::{Connection, Event};

/// A connection, without its credentials.
#[derive(Debug, Clone)]
pub struct ConnectionView {
    /// Its id.
    pub id: ConnectionId,
    /// Whose it is.
    pub customer: CustomerId,
    /// At which app.
    pub app: AppId,
    /// By which connector.
    pub connector: ConnectorId,
    /// In which version of it.
    pub connector_version: i32,
    /// What it is.
    pub state: ConnectionState,
    /// Why.
    pub state_reason: StateReason,
    /// Since when.
    pub state_since: Timestamp,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// When the worker renews it.
    pub next_refresh_at: Option<Timestamp>,
    /// When it was obtained.
    pub last_refreshed_at: Option<Timestamp>,
    /// What the provider granted.
    pub granted_scopes: ScopeSet,
    /// What was asked for and not granted.
    pub missing_scopes: ScopeSet,
    /// How many attempts failed since the last success.
    pub failures: i32,
    /// How the last failed attempt ended.
    pub last_error: Option<String>,
    /// What was filled in.
    pub variables: std::collections::BTreeMap<String, String>,
    /// Whatever was stored with it.
    pub metadata: serde_json::Value,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its row changed last.
    pub updated_at: Timestamp,
}

/// One line of a timeline.
#[derive(Debug, Clone)]
pub struct EventView {
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// The particulars.
    pub detail: serde_json::Value,
}

impl From<Event> for EventView {
    fn from(row: Event) -> Self {
        Self { id: row.id, kind: row.kind, at: row.at, detail: row.detail }
    }
}

impl Broker {
    pub(crate) async fn connection_view(
        &self,
        environment: EnvironmentKey,
        id: ConnectionId,
    ) -> Result<ConnectionView> {
        let row = self.store.connection_get(environment, id).await?.ok_or(Error::NotFound("connection"))?;
        self.view(row).await
    }

    pub(crate) async fn view(&self, row: Connection) -> Result<ConnectionView> {
        let app = self.apps.load(row.app, row.connector_version).await?;
        let customer = self.store.customer_by_key(row.customer).await?.ok_or_else(|| Error::missing("a customer"))?;
        Ok(show(row, customer.id, app.app.id.clone(), app.app.connector_id.clone()))
    }

    /// A connection's timeline, newest first.
    pub async fn timeline(&self, caller: &Caller, id: ConnectionId, page: &PageRequest) -> Result<Listing<EventView>> {
        caller.require(ApiScope::ConnectionsRead)?;
        let row = self.store.connection_get(caller.environment, id).await?.ok_or(Error::NotFound("connection"))?;
        Ok(Listing::of(self.store.event_list(caller.environment, row.id, page.read()?).await?, EventView::from))
    }
}

fn show(row: Connection, customer: CustomerId, app: AppId, connector: ConnectorId) -> ConnectionView {
    let granted = row.granted_scopes.unwrap_or_else(|| row.requested_scopes.clone());
    ConnectionView {
        id: row.id,
        customer,
        app,
        connector,
        connector_version: row.connector_version,
        state: row.state,
        state_reason: row.state_reason,
        state_since: row.state_since,
        expires_at: row.expires_at,
        next_refresh_at: row.next_refresh_at,
        last_refreshed_at: row.refreshed_at,
        missing_scopes: row.requested_scopes.missing_from(&granted),
        granted_scopes: granted,
        failures: row.failures,
        last_error: row.last_error,
        variables: row.variables,
        metadata: row.metadata,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}
