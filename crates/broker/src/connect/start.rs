//! The click: a flow begins, and the browser goes to the provider.

use super::exchange::{ClientGrant, GrantTarget, exchange_failed};
use super::said::merged_values;
use crate::loaded::LoadedApp;
use crate::pasted::{as_text, checked};
use crate::{Broker, BrokerConfig, ConnectFault, Credentials, Error, Result};
use mortise_connectors::{Grant, RenewedBy, Values};
use mortise_domain::{
    AppId, AttemptId, AuthorizationCode, ConnectionId, FinisherCheck, FlowCookie, PkceVerifier, ScopeSet, StateReason,
    StateToken, random_text,
};
use mortise_oauth::{authorization_url, pushed_authorization, pushed_authorization_url, request_pushed_authorization};
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
    /// To the page that shows a user code (RFC 8628 section 3.3), with a cookie that only this flow has.
    Device {
        /// The flow, which names the page and the cookie.
        attempt: AttemptId,
        /// The cookie's value, as for a redirect.
        cookie: FlowCookie,
        /// How long the code lives, in seconds.
        lives: i64,
    },
    /// Back with a completion code: the backend has to confirm who pasted.
    AwaitingCompletion {
        /// The return URL with the code.
        return_url: Url,
    },
    /// Nowhere: the client's own credentials were granted a token, or pasted ones were stored, at once.
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
        self.start_connect_with(token, app, values, Credentials::new()).await
    }

    /// The same where the customer pastes credentials.
    pub async fn start_connect_with(
        &self,
        token: &str,
        app: &AppId,
        values: &Values,
        pasted: Credentials,
    ) -> Result<Started> {
        let session = self.live_session(token).await?;
        let app = self.store.app_get(session.environment, app).await?;
        let app = app.filter(|app| session.apps.contains(&app.key)).ok_or(ConnectFault::UnknownLink)?;
        let version = app.connector_version;
        let loaded = self.apps.loaded(app, version).await?;
        let said = self.said_by_backend(&loaded.manifest, &loaded.app, session.customer).await?;
        let values = merged_values(&self.config.egress, &loaded, values, said)?;
        let auth = &loaded.manifest.auth;
        match (auth.asks(), auth.renewal(), auth.oauth2().map(|auth| auth.grant)) {
            (Some(fields), ..) => {
                let pasted = checked(&loaded.manifest.auth, fields, pasted, "").map_err(ConnectFault::Fields)?;
                self.with_pasted(&session, &loaded, values, pasted).await
            }
            (None, Some(RenewedBy::Client), _) => self.without_customer(&session, &loaded, values).await,
            (None, _, Some(Grant::AuthorizationCode | Grant::Implicit)) => {
                self.to_provider(&session, &loaded, values, token).await
            }
            (None, _, Some(Grant::DeviceCode)) => self.with_device(&session, &loaded, values, token).await,
            (None, ..) if auth.oauth1().is_some() => self.to_oauth1(&session, &loaded, values, token).await,
            (None, ..) => Err(Error::missing("a way to connect")),
        }
    }

    async fn with_pasted(
        &self,
        session: &ConnectSession,
        loaded: &LoadedApp,
        values: Values,
        pasted: Credentials,
    ) -> Result<Started> {
        let environment = self.environment(session.environment).await?;
        if environment.settings.finisher_check == FinisherCheck::Required {
            self.try_given(loaded, &values, &pasted, StateReason::Consented).await?;
            return self.hold_pasted(session, loaded, values, &pasted).await;
        }
        let target = GrantTarget {
            customer: session.customer,
            session: Some(session.id),
            replaces: session.connection,
            values: &values,
            requested: &loaded.requested_scopes(),
            given: None,
        };
        let connection = self.connect_given(loaded, target, &pasted, StateReason::Consented).await?;
        Ok(Started::Done { connection, return_url: self.return_url(session, "connected", Some(connection))? })
    }

    async fn to_provider(
        &self,
        session: &ConnectSession,
        loaded: &LoadedApp,
        values: Values,
        token: &str,
    ) -> Result<Started> {
        let state: StateToken = random_text::<32, _>(&*self.entropy);
        let verifier: PkceVerifier = random_text::<32, _>(&*self.entropy);
        let secret: FlowCookie = random_text::<32, _>(&*self.entropy);
        let scopes = loaded.requested_scopes();
        let (provider, client) = (loaded.provider(&values), loaded.client());
        let asked = (&provider, &scopes, &state, &verifier);
        let pushed = loaded.as_client(|client| async move {
            let (provider, scopes, state, verifier) = asked;
            match pushed_authorization(provider, &client, scopes, state, verifier)? {
                Some(request) => Ok(request_pushed_authorization(&*self.transport, request).await.map(Some)),
                None => Ok(Ok(None)),
            }
        });
        let location = match pushed.await?.map_err(exchange_failed)? {
            Some(request_uri) => pushed_authorization_url(&provider, &client, &request_uri)?,
            None => authorization_url(&provider, &client, &scopes, &state, &verifier)?,
        };
        // The provider's host may come out of what the customer filled in: it is judged before a browser is sent there.
        self.config.egress.check_url(&location).map_err(|_| refused_host(&values))?;
        let attempt = self.attempt(session, loaded, values, &state, &secret, &verifier).await?;
        self.store.attempt_insert(&attempt).await?;
        let cookie = FlowCookie::new(format!("{}.{token}", secret.expose()));
        Ok(Started::Redirect { location, attempt: attempt.id, cookie })
    }

    /// Keeps credentials sealed in the place of a provider's code until the backend confirms who came back: a link that
    /// somebody was lured into must not connect their account for somebody else.
    async fn hold_pasted(
        &self,
        session: &ConnectSession,
        loaded: &LoadedApp,
        values: Values,
        pasted: &Credentials,
    ) -> Result<Started> {
        // Nobody gets to know these: there is no callback to come.
        let (state, cookie): (StateToken, FlowCookie) =
            (random_text::<32, _>(&*self.entropy), random_text::<32, _>(&*self.entropy));
        let attempt =
            self.attempt(session, loaded, values, &state, &cookie, &random_text::<32, _>(&*self.entropy)).await?;
        self.store.attempt_insert(&attempt).await?;
        self.store.attempt_consume(attempt.id, self.clock.now()).await?;
        let held = AuthorizationCode::new(as_text(pasted)?.as_str());
        let return_url = self.hold_code(&attempt, session, &held).await?;
        Ok(Started::AwaitingCompletion { return_url })
    }

    pub(super) async fn attempt(
        &self,
        session: &ConnectSession,
        loaded: &LoadedApp,
        values: Values,
        state: &StateToken,
        cookie: &FlowCookie,
        verifier: &PkceVerifier,
    ) -> Result<Attempt> {
        let id = AttemptId::generate(&*self.clock, &*self.entropy);
        let now = self.clock.now();
        Ok(Attempt {
            id,
            environment: session.environment,
            session: session.id,
            app: loaded.app.key,
            connector_version: loaded.app.connector_version,
            state_digest: sha256(state.expose()),
            cookie_digest: sha256(cookie.expose()),
            verifier: self.secrets.seal_verifier(session.environment, id, verifier).await?,
            variables: values,
            scopes: loaded.requested_scopes(),
            created_at: now,
            expires_at: now + BrokerConfig::FLOW_LIFETIME,
            consumed_at: None,
            code: None,
            completion_digest: None,
            code_expires_at: None,
        })
    }

    async fn without_customer(&self, session: &ConnectSession, loaded: &LoadedApp, values: Values) -> Result<Started> {
        let target = GrantTarget {
            customer: session.customer,
            session: Some(session.id),
            replaces: session.connection,
            values: &values,
            requested: &loaded.requested_scopes(),
            given: None,
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
        match self.manifest.oauth2() {
            Some(auth) => self.app.scopes.union(&auth.default_scopes),
            None => self.app.scopes.clone(),
        }
    }
}

pub(super) fn refused_host(values: &Values) -> Error {
    let detail = "this leads to an address that may not be called".to_owned();
    let faults = values.keys().map(|name| crate::Fault { pointer: format!("/{name}"), detail: detail.clone() });
    ConnectFault::Fields(faults.collect()).into()
}
