//! Connections: listed, imported, annotated, ended.

use crate::connect::{ClientGrant, GrantTarget};
use crate::customers::check_metadata;
use crate::filled_in::filled_in;
use crate::loaded::LoadedApp;
use crate::pasted::checked;
use crate::{Broker, Caller, ConnectionView, Credentials, Error, Listing, PageRequest, Result};
use mortise_connectors::{RenewedBy, Values};
use mortise_domain::{
    AccessToken, ApiScope, AppId, ConnectionId, ConnectionState, CustomerId, CustomerKey, RefreshToken, ScopeSet,
    StateReason, Timestamp, TokenGrant, TokenType,
};
use mortise_store::ConnectionFilter;
use serde_json::json;
use std::collections::BTreeMap;

/// Which connections to list.
#[derive(Debug, Clone, Default)]
pub struct ConnectionQuery {
    /// Only this customer's.
    pub customer: Option<CustomerId>,
    /// Only at this app.
    pub app: Option<AppId>,
    /// Only in this state.
    pub state: Option<ConnectionState>,
}

/// A connection made without a consent page.
#[derive(Debug)]
pub struct Import {
    /// Whose it is.
    pub customer: CustomerId,
    /// At which app.
    pub app: AppId,
    /// What the connector's URLs need.
    pub variables: Values,
    /// Tokens obtained elsewhere. Without them, an app of the client credentials grant is granted a token at once, and any
    /// other connection is `pending` until a connect session for it is finished.
    pub credentials: Option<ImportedCredentials>,
}

/// Tokens obtained elsewhere, or what a customer would paste.
#[derive(Debug)]
pub struct ImportedCredentials {
    /// The access token.
    pub access_token: Option<AccessToken>,
    /// The refresh token; without one the connection ends with its access token.
    pub refresh_token: Option<RefreshToken>,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// What was granted; absent: what the app asks for.
    pub scopes: Option<ScopeSet>,
    /// What the connector's customers paste instead of all that, by the manifest's names.
    pub pasted: Credentials,
}

impl ImportedCredentials {
    /// The part for a connector whose customers paste; anything else would do nothing.
    fn only_pasted(self) -> Result<Credentials> {
        let Self { access_token, refresh_token, expires_at, scopes, pasted } = self;
        let tokens = [
            ("access_token", access_token.is_some()),
            ("refresh_token", refresh_token.is_some()),
            ("expires_at", expires_at.is_some()),
            ("scopes", scopes.is_some()),
        ];
        match tokens.into_iter().find(|(_, given)| *given) {
            Some((name, _)) => {
                let detail = "this belongs to OAuth 2: give the credentials that the connector's manifest names";
                Err(Error::invalid(format!("/credentials/{name}"), detail))
            }
            None => Ok(pasted),
        }
    }
}

impl Broker {
    /// Makes a connection without a consent page.
    pub async fn import_connection(&self, caller: &Caller, import: Import) -> Result<ConnectionView> {
        caller.require(ApiScope::ConnectionsWrite)?;
        let customer = self.store.customer_get(caller.environment, &import.customer).await?;
        let customer = customer.ok_or_else(|| Error::invalid("/customer", "no such customer: put it first"))?;
        let app = self.store.app_get(caller.environment, &import.app).await?;
        let app = app.ok_or_else(|| Error::invalid("/app", "no app of this id is registered"))?;
        if !self.store.connection_find(caller.environment, customer.key, app.key).await?.is_empty() {
            return Err(Error::Exists("connection of the customer at this app"));
        }
        let version = app.connector_version;
        let loaded = self.apps.loaded(app, version).await?;
        let values =
            filled_in(&self.config.egress, &loaded, &import.variables, "/variables").map_err(Error::Invalid)?;
        let requested = loaded.requested_scopes();
        let target = GrantTarget {
            customer: customer.key,
            session: None,
            replaces: None,
            values: &values,
            requested: &requested,
            given: None,
        };
        let now = self.clock.now();
        let auth = &loaded.manifest.auth;
        let id = match (import.credentials, auth.asks(), auth.renewal()) {
            (Some(credentials), Some(fields), _) => {
                let pasted = credentials.only_pasted()?;
                let pasted = checked(&loaded.manifest.auth, fields, pasted, "/credentials").map_err(Error::Invalid)?;
                self.connect_given(&loaded, target, &pasted, StateReason::Imported).await?
            }
            (Some(_), None, _) if auth.oauth2().is_some_and(|auth| auth.dpop) => {
                let why = "this connector's tokens are bound to a key that stays where they were issued, so they would be of no use here: connect anew";
                return Err(Error::invalid("/credentials", why));
            }
            (Some(credentials), None, _) => {
                let grant = imported_grant(credentials, now)?;
                self.store_grant(&loaded, target, grant, StateReason::Imported, now).await?
            }
            (None, None, Some(RenewedBy::Client)) => self.grant_to_client(&loaded, target, ClientGrant::Api).await?,
            (None, ..) => self.pending(&loaded, customer.key, &values, &requested).await?,
        };
        self.connection_view(caller.environment, id).await
    }

    /// One connection.
    pub async fn connection(&self, caller: &Caller, id: ConnectionId) -> Result<ConnectionView> {
        caller.require(ApiScope::ConnectionsRead)?;
        self.connection_view(caller.environment, id).await
    }

    /// The environment's connections, oldest first.
    pub async fn list_connections(
        &self,
        caller: &Caller,
        query: &ConnectionQuery,
        page: &PageRequest,
    ) -> Result<Listing<ConnectionView>> {
        caller.require(ApiScope::ConnectionsRead)?;
        let page = page.read()?;
        let mut filter = ConnectionFilter { customer: None, app: None, state: query.state };
        if let Some(id) = &query.customer {
            let Some(row) = self.store.customer_get(caller.environment, id).await? else { return Ok(nothing()) };
            filter.customer = Some(row.key);
        }
        if let Some(id) = &query.app {
            let Some(row) = self.store.app_get(caller.environment, id).await? else { return Ok(nothing()) };
            filter.app = Some(row.key);
        }
        let (rows, next) = self.store.connection_list(caller.environment, &filter, page).await?;
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            views.push(self.view(row).await?);
        }
        Ok(Listing::of((views, next), |view| view))
    }

    /// Replaces a connection's metadata.
    pub async fn annotate_connection(
        &self,
        caller: &Caller,
        id: ConnectionId,
        metadata: serde_json::Map<String, serde_json::Value>,
    ) -> Result<ConnectionView> {
        caller.require(ApiScope::ConnectionsWrite)?;
        let metadata = check_metadata(metadata)?;
        if !self.store.connection_set_metadata(caller.environment, id, &metadata).await? {
            return Err(Error::NotFound("connection"));
        }
        self.connection_view(caller.environment, id).await
    }

    /// Ends a connection: here at once, at the provider as soon as it answers. Doing it again changes nothing.
    pub async fn delete_connection(&self, caller: &Caller, id: ConnectionId) -> Result<()> {
        caller.require(ApiScope::ConnectionsWrite)?;
        let row = self.store.connection_get(caller.environment, id).await?.ok_or(Error::NotFound("connection"))?;
        if row.state == ConnectionState::Revoked {
            return Ok(());
        }
        let ending = self.revoker.ending_of(&row, json!({"key": caller.key})).await?;
        let ids: Vec<_> = ending.revocations.iter().map(|revocation| revocation.id).collect();
        if !self.store.connection_revoke(&ending, StateReason::Disconnected, self.clock.now()).await? {
            // A refresh was stored in between: the tokens to revoke are others now.
            return Box::pin(self.delete_connection(caller, id)).await;
        }
        self.revoker.revoke_soon(ids).await;
        Ok(())
    }

    async fn pending(
        &self,
        app: &LoadedApp,
        customer: CustomerKey,
        values: &Values,
        requested: &ScopeSet,
    ) -> Result<ConnectionId> {
        let id = ConnectionId::generate(&*self.clock, &*self.entropy);
        let new = mortise_store::NewPending {
            id,
            environment: app.app.environment,
            customer,
            app: app.app.key,
            connector_version: app.app.connector_version,
            variables: values.clone(),
            requested_scopes: requested.clone(),
            at: self.clock.now(),
        };
        self.store.connection_insert_pending(&new).await?;
        Ok(id)
    }
}

fn nothing() -> Listing<ConnectionView> {
    Listing { items: Vec::new(), next_cursor: None }
}

fn imported_grant(credentials: ImportedCredentials, now: Timestamp) -> Result<TokenGrant> {
    let ImportedCredentials { access_token, refresh_token, expires_at, scopes, pasted } = credentials;
    if let Some(name) = pasted.keys().next() {
        let detail = "this is not a member: give `access_token`, and `refresh_token`, `expires_at` and `scopes` where they are known";
        return Err(Error::invalid(format!("/credentials/{name}"), detail));
    }
    let access_token =
        access_token.ok_or_else(|| Error::invalid("/credentials/access_token", "this is missing: add it"))?;
    let printable =
        |text: &str| !text.is_empty() && text.len() <= 16 * 1024 && text.bytes().all(|b| (0x20..0x7f).contains(&b));
    if !printable(access_token.expose()) {
        return Err(Error::invalid("/credentials/access_token", "use 1 to 16384 printable ASCII characters"));
    }
    if refresh_token.as_ref().is_some_and(|token| !printable(token.expose())) {
        return Err(Error::invalid("/credentials/refresh_token", "use 1 to 16384 printable ASCII characters"));
    }
    // A token that has ended already is welcome as long as it can be renewed: the worker does so at once.
    let lifetime = expires_at.map(|end| (end - now).to_std().unwrap_or_default());
    if refresh_token.is_none() && lifetime.is_some_and(|life| life.is_zero()) {
        let detail = "the access token has ended and there is no refresh token to renew it with";
        return Err(Error::invalid("/credentials/expires_at", detail));
    }
    Ok(TokenGrant {
        access_token,
        token_type: TokenType::bearer(),
        refresh_token,
        lifetime,
        refresh_lifetime: None,
        granted_scopes: scopes,
        dpop_key: None,
        extra: BTreeMap::new(),
        kept: BTreeMap::new(),
        further: BTreeMap::new(),
    })
}
