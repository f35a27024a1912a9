//! Connect sessions: the links that customers are sent.

use crate::{Broker, BrokerConfig, Caller, Error, Result};
use mortise_domain::{
    ApiScope, AppId, ConnectSessionId, ConnectToken, ConnectionId, ConnectionState, CustomerId, FinisherCheck,
    Timestamp, random_text,
};
use mortise_store::{App, ConnectSession, Page, SessionStatus};
use mortise_vault::sha256;
use std::time::Duration;

/// What a session shall allow.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Whose browser it is for.
    pub customer: CustomerId,
    /// Which apps may be connected; `None`: every app of the environment, at most 100.
    pub apps: Option<Vec<AppId>>,
    /// The connection to repair, instead of apps.
    pub connection: Option<ConnectionId>,
    /// Where the browser goes afterwards: one of the allowed return URLs of every app concerned.
    pub return_url: Option<String>,
    /// How long the link lives, at most 30 minutes.
    pub expires_in: Option<Duration>,
}

/// A link, shown once: its token is stored as a digest.
#[derive(Debug)]
pub struct Link {
    /// The session.
    pub session: ConnectSessionId,
    /// The token; worthless as an API credential.
    pub token: ConnectToken,
    /// Send the customer's browser here.
    pub url: String,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A session as it is shown.
#[derive(Debug, Clone)]
pub struct SessionView {
    /// Its id.
    pub id: ConnectSessionId,
    /// `open`, `awaiting_completion`, `completed`, `failed` or `expired`.
    pub status: &'static str,
    /// The connection that was made or repaired.
    pub connection: Option<ConnectionId>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Broker {
    /// Makes a link.
    pub async fn create_session(&self, caller: &Caller, new: NewSession) -> Result<Link> {
        caller.require(ApiScope::ConnectSessionsWrite)?;
        let customer = self.store.customer_get(caller.environment, &new.customer).await?;
        let customer = customer
            .ok_or_else(|| Error::invalid("/customer", "no such customer: put it first with PUT /v1/customers/{id}"))?;
        let lifetime = check_lifetime(new.expires_in)?;
        let apps = self.session_apps(caller, &new, customer.key).await?;
        self.check_return_url(caller, &apps, new.return_url.as_deref()).await?;
        let now = self.clock.now();
        let id = ConnectSessionId::generate(&*self.clock, &*self.entropy);
        let token: ConnectToken = random_text::<32, _>(&*self.entropy);
        let expires_at = now + lifetime;
        let row = ConnectSession {
            id,
            environment: caller.environment,
            customer: customer.key,
            token_digest: sha256(token.expose()),
            apps: apps.iter().map(|app| app.key).collect(),
            connection: new.connection,
            return_url: new.return_url,
            status: SessionStatus::Open,
            result_connection: None,
            error: None,
            created_at: now,
            expires_at,
        };
        self.store.connect_session_insert(&row).await?;
        let url = self.config.url(&format!("/connect/{}", token.expose()));
        Ok(Link { session: id, token, url, expires_at })
    }

    /// How a session stands.
    pub async fn session(&self, caller: &Caller, id: ConnectSessionId) -> Result<SessionView> {
        caller.require(ApiScope::ConnectSessionsRead)?;
        let row =
            self.store.connect_session_get(caller.environment, id).await?.ok_or(Error::NotFound("connect session"))?;
        let ended = row.status == SessionStatus::Open && row.expires_at <= self.clock.now();
        Ok(SessionView {
            id: row.id,
            status: if ended { "expired" } else { row.status.as_str() },
            connection: row.result_connection,
            error: row.error,
            created_at: row.created_at,
            expires_at: row.expires_at,
        })
    }

    /// The apps that the customer may choose from: the named ones, the one to repair, or all.
    async fn session_apps(
        &self,
        caller: &Caller,
        new: &NewSession,
        customer: mortise_domain::CustomerKey,
    ) -> Result<Vec<App>> {
        if let Some(id) = new.connection {
            let connection = self.store.connection_get(caller.environment, id).await?;
            let usable = connection.filter(|c| c.customer == customer && c.state != ConnectionState::Revoked);
            let connection =
                usable.ok_or_else(|| Error::invalid("/connection", "this customer has no such connection"))?;
            return Ok(self.store.app_by_key(connection.app).await?.into_iter().collect());
        }
        match &new.apps {
            None => {
                let (apps, _) = self.store.app_list(caller.environment, Page { limit: 100, after: None }).await?;
                let mut whole = Vec::with_capacity(apps.len());
                for app in apps {
                    if self.unsaid(&app, customer).await?.is_none() {
                        whole.push(app);
                    }
                }
                Ok(whole)
            }
            Some(ids) if ids.is_empty() || ids.len() > 100 => {
                Err(Error::invalid("/apps", "name 1 to 100 apps, or none at all"))
            }
            Some(ids) => {
                let mut apps = Vec::with_capacity(ids.len());
                for (index, id) in ids.iter().enumerate() {
                    let app = self.store.app_get(caller.environment, id).await?;
                    let unknown = || Error::invalid(format!("/apps/{index}"), "no app of this id is registered");
                    let app = app.ok_or_else(unknown)?;
                    self.check_said(&app, customer, &format!("/apps/{index}")).await?;
                    apps.push(app);
                }
                Ok(apps)
            }
        }
    }

    async fn check_return_url(&self, caller: &Caller, apps: &[App], return_url: Option<&str>) -> Result<()> {
        let Some(url) = return_url else {
            let settings = self.environment(caller.environment).await?.settings;
            return match settings.finisher_check {
                FinisherCheck::Off => Ok(()),
                FinisherCheck::Required => Err(Error::invalid(
                    "/return_url",
                    "this environment requires the finisher check, so the browser has to come back to your backend: name \
                     one of the app's return_urls",
                )),
            };
        };
        let allowed = apps.iter().all(|app| app.settings.return_urls.iter().any(|allowed| allowed == url));
        let detail = "not among the `settings.return_urls` of the app (compared as text): add it there first";
        if allowed && !apps.is_empty() { Ok(()) } else { Err(Error::invalid("/return_url", detail)) }
    }
}

fn check_lifetime(asked: Option<Duration>) -> Result<Duration> {
    let lifetime = asked.unwrap_or(BrokerConfig::SESSION_LIFETIME);
    let allowed = Duration::from_secs(60)..=BrokerConfig::SESSION_LIFETIME;
    if allowed.contains(&lifetime) {
        Ok(lifetime)
    } else {
        Err(Error::invalid("/expires_in", "use 60 to 1800 seconds"))
    }
}
