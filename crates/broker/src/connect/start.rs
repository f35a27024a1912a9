//! The click: a flow begins, and the browser goes to the provider.

use super::exchange::{ClientGrant, GrantTarget};
use crate::loaded::LoadedApp;
use crate::{Broker, BrokerConfig, ConnectFault, Error, Result};
use mortise_connectors::{Grant, Values};
use mortise_domain::{AppId, AttemptId, ConnectionId, FlowCookie, PkceVerifier, ScopeSet, StateToken, random_text};
use mortise_oauth::authorization_url;
use mortise_store::{Attempt, ConnectSession};
use mortise_vault::sha256;
use url::Url;

/// Where the browser goes next.
#[derive(Debug)]
pub enum Started {
    /// To the provider, with a cookie that only this flow has.
    Redirect {
        /// The authorization request (RFC 6749 section 4.1.1).
        location: Url,
        /// The flow, which names the cookie.
        attempt: AttemptId,
        /// The cookie's value. It also carries the link, so that a failed flow can offer another try.
        cookie: FlowCookie,
    },
    /// Nowhere: the client's own credentials were granted a token at once.
    Done {
        /// The new connection.
        connection: ConnectionId,
        /// Where the browser may go back to.
        return_url: Option<Url>,
    },
}

/// The name of a flow's cookie: one a flow, so that tabs do not disturb each other.
pub fn flow_cookie_name(attempt: AttemptId, secure: bool) -> String {
    let prefix = if secure { "__Host-" } else { "" };
    format!("{prefix}mortise_flow_{}", attempt.as_uuid().simple())
}

impl Broker {
    /// Begins a flow for one of the link's apps. `values` are the fields that the customer filled in.
    pub async fn start_connect(&self, token: &str, app: &AppId, values: &Values) -> Result<Started> {
        let session = self.live_session(token).await?;
        let app = self.store.app_get(session.environment, app).await?;
        let app = app.filter(|app| session.apps.contains(&app.key)).ok_or(ConnectFault::UnknownLink)?;
        let version = app.connector_version;
        let loaded = self.apps.loaded(app, version).await?;
        let values = merged_values(&loaded, values)?;
        match loaded.manifest.auth.grant {
            Grant::AuthorizationCode => self.to_provider(&session, &loaded, values, token).await,
            Grant::ClientCredentials => self.without_customer(&session, &loaded, values).await,
        }
    }

    async fn to_provider(
        &self,
        session: &ConnectSession,
        loaded: &LoadedApp,
        values: Values,
        token: &str,
    ) -> Result<Started> {
        let id = AttemptId::generate(&*self.clock, &*self.entropy);
        let state: StateToken = random_text::<32, _>(&*self.entropy);
        let verifier: PkceVerifier = random_text::<32, _>(&*self.entropy);
        let secret: FlowCookie = random_text::<32, _>(&*self.entropy);
        let scopes = loaded.requested_scopes();
        let location = authorization_url(&loaded.provider(&values), &loaded.client(), &scopes, &state, &verifier)?;
        // The provider's host may come out of what the customer filled in: it is judged before a browser is sent there.
        self.config.egress.check_url(&location).map_err(|_| refused_host(&values))?;
        let now = self.clock.now();
        let attempt = Attempt {
            id,
            environment: session.environment,
            session: session.id,
            app: loaded.app.key,
            connector_version: loaded.app.connector_version,
            state_digest: sha256(state.expose()),
            cookie_digest: sha256(secret.expose()),
            verifier: self.secrets.seal_verifier(session.environment, id, &verifier).await?,
            variables: values,
            scopes,
            created_at: now,
            expires_at: now + BrokerConfig::FLOW_LIFETIME,
            consumed_at: None,
            code: None,
            completion_digest: None,
            code_expires_at: None,
        };
        self.store.attempt_insert(&attempt).await?;
        let cookie = FlowCookie::new(format!("{}.{token}", secret.expose()));
        Ok(Started::Redirect { location, attempt: id, cookie })
    }

    async fn without_customer(&self, session: &ConnectSession, loaded: &LoadedApp, values: Values) -> Result<Started> {
        let target = GrantTarget {
            customer: session.customer,
            session: Some(session.id),
            replaces: session.connection,
            values: &values,
            requested: &loaded.requested_scopes(),
        };
        let connection = self.grant_to_client(loaded, target, ClientGrant::Connect).await?;
        Ok(Started::Done { connection, return_url: self.return_url(session, "connected", Some(connection))? })
    }

    /// The session's return URL with how the flow ended. It was checked against the allow-list when the session was made.
    pub(super) fn return_url(
        &self,
        session: &ConnectSession,
        status: &str,
        connection: Option<ConnectionId>,
    ) -> Result<Option<Url>> {
        let Some(text) = &session.return_url else { return Ok(None) };
        let mut url = Url::parse(text).map_err(|_| Error::missing("a usable return URL"))?;
        url.query_pairs_mut().append_pair("session", &session.id.to_string()).append_pair("status", status);
        if let Some(connection) = connection {
            url.query_pairs_mut().append_pair("connection", &connection.to_string());
        }
        Ok(Some(url))
    }
}

impl LoadedApp {
    /// What an authorization asks for.
    pub(crate) fn requested_scopes(&self) -> ScopeSet {
        self.app.scopes.union(&self.manifest.auth.default_scopes)
    }
}

/// The admin's fixed values and the customer's, which cannot override them.
fn merged_values(loaded: &LoadedApp, filled_in: &Values) -> Result<Values> {
    let fixed = &loaded.app.settings.variables;
    let mut given: Values =
        filled_in.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (k.clone(), v.clone())).collect();
    given.extend(fixed.iter().map(|(name, value)| (name.clone(), value.clone())));
    let resolved = mortise_connectors::resolve_values(&loaded.manifest, &given);
    resolved.map_err(|faults| ConnectFault::Fields(crate::error::value_faults("", faults)).into())
}

fn refused_host(values: &Values) -> Error {
    let detail = "this leads to an address that may not be called".to_owned();
    let faults = values.keys().map(|name| crate::Fault { pointer: format!("/{name}"), detail: detail.clone() });
    ConnectFault::Fields(faults.collect()).into()
}
