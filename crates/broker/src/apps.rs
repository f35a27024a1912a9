//! Apps: OAuth clients registered at a provider.

use crate::refresh::Apps as _;
use crate::{Broker, Caller, Error, Fault, Listing, PageRequest, Result};
use mortise_connectors::{ClientAuthentication, Manifest, Values};
use mortise_domain::{ApiScope, AppId, AppKey, AppState, ClientSecret, ConnectorId, ScopeSet, Timestamp};
use mortise_store::{App, AppSettings, StoreError};
use std::time::Duration;
use url::Url;

/// How long the client secret before the newest stays in use.
const SECRET_OVERLAP: Duration = Duration::from_secs(24 * 3600);

/// What an app shall be. For a change, an absent secret keeps the stored one.
#[derive(Debug)]
pub struct AppInput {
    /// The connector it belongs to.
    pub connector: ConnectorId,
    /// Which version of it; `None`: the newest.
    pub connector_version: Option<i32>,
    /// RFC 6749 section 2.2.
    pub client_id: String,
    /// Absent for a public client.
    pub client_secret: Option<ClientSecret>,
    /// What every authorization asks for.
    pub scopes: ScopeSet,
    /// Return URLs and fixed variables.
    pub settings: AppSettings,
}

/// An app as it is shown, without its secrets.
#[derive(Debug, Clone)]
pub struct AppView {
    /// Its id.
    pub id: AppId,
    /// The connector it belongs to.
    pub connector: ConnectorId,
    /// The version it speaks.
    pub connector_version: i32,
    /// RFC 6749 section 2.2.
    pub client_id: String,
    /// Whether a secret is stored.
    pub has_client_secret: bool,
    /// Until when the secret before it stays in use.
    pub previous_secret_expires_at: Option<Timestamp>,
    /// What every authorization asks for.
    pub scopes: ScopeSet,
    /// Return URLs and fixed variables.
    pub settings: AppSettings,
    /// Register this at the provider.
    pub redirect_uri: String,
    /// Whether the provider accepts the client.
    pub state: AppState,
    /// Why not.
    pub held_reason: Option<String>,
    /// Counts the changes.
    pub revision: i32,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl Broker {
    /// Registers an app.
    pub async fn create_app(&self, caller: &Caller, id: AppId, input: AppInput) -> Result<AppView> {
        caller.require(ApiScope::AppsWrite)?;
        let (connector, manifest) = self.connector_for(caller, &input).await?;
        check(&manifest, &input, input.client_secret.is_some())?;
        let key = AppKey::generate(&*self.clock, &*self.entropy);
        let secret = match &input.client_secret {
            Some(secret) => Some(self.secrets.seal_client_secret(caller.environment, key, secret).await?),
            None => None,
        };
        let now = self.clock.now();
        let row = App {
            key,
            environment: caller.environment,
            id,
            connector: connector.key,
            connector_id: connector.id,
            connector_version: connector.version,
            client_id: input.client_id,
            secret,
            previous_secret: None,
            previous_secret_expires_at: None,
            scopes: input.scopes,
            settings: input.settings,
            state: AppState::Active,
            held_since: None,
            held_reason: None,
            next_probe_at: None,
            revision: 1,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        };
        self.store.app_insert(&row).await?;
        self.limit_app(&row).await?;
        Ok(self.app_view(row))
    }

    /// Changes an app. A new secret lives beside the old one for a day, so that nothing fails while the provider
    /// switches; moving to a connector version with another token or authorization host needs the secret again.
    pub async fn update_app(&self, caller: &Caller, id: &AppId, input: AppInput) -> Result<AppView> {
        caller.require(ApiScope::AppsWrite)?;
        let mut row = self.app_row(caller, id).await?;
        let (connector, manifest) = self.connector_for(caller, &input).await?;
        check(&manifest, &input, input.client_secret.is_some() || row.secret.is_some())?;
        if input.client_secret.is_none() && row.secret.is_some() {
            self.refuse_moved_hosts(&row, &manifest).await?;
        }
        let revision = row.revision;
        if let Some(secret) = &input.client_secret {
            self.replace_secret(&mut row, secret).await?;
        }
        row.connector = connector.key;
        row.connector_id = connector.id;
        row.connector_version = connector.version;
        row.client_id = input.client_id;
        row.scopes = input.scopes;
        row.settings = input.settings;
        row.updated_at = self.clock.now();
        // A changed client deserves a fresh chance at the provider.
        row.state = AppState::Active;
        (row.held_since, row.held_reason, row.next_probe_at) = (None, None, None);
        self.apps.forget(&row).await;
        let row = self.store.app_update(revision, &row).await?;
        self.limit_app(&row).await?;
        self.apps.forget(&row).await;
        Ok(self.app_view(row))
    }

    /// One app.
    pub async fn app(&self, caller: &Caller, id: &AppId) -> Result<AppView> {
        caller.require(ApiScope::AppsRead)?;
        Ok(self.app_view(self.app_row(caller, id).await?))
    }

    /// The environment's apps.
    pub async fn list_apps(&self, caller: &Caller, page: &PageRequest) -> Result<Listing<AppView>> {
        caller.require(ApiScope::AppsRead)?;
        Ok(Listing::of(self.store.app_list(caller.environment, page.read()?).await?, |row| self.app_view(row)))
    }

    /// Deletes an app without connections.
    pub async fn delete_app(&self, caller: &Caller, id: &AppId) -> Result<()> {
        caller.require(ApiScope::AppsWrite)?;
        match self.store.app_delete(caller.environment, id).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::NotFound("app")),
            Err(StoreError::InUse(_)) => Err(Error::InUse {
                what: "app",
                why: "it has connections; delete them first, so that they are revoked",
            }),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn app_row(&self, caller: &Caller, id: &AppId) -> Result<App> {
        self.store.app_get(caller.environment, id).await?.ok_or(Error::NotFound("app"))
    }

    async fn connector_for(&self, caller: &Caller, input: &AppInput) -> Result<(mortise_store::Connector, Manifest)> {
        let found = self.store.connector_get(caller.environment, &input.connector, input.connector_version).await?;
        let connector = found.ok_or_else(|| {
            Error::invalid("/connector", "no connector of this id and version is registered in this environment")
        })?;
        let manifest = serde_json::from_str(&connector.manifest)?;
        Ok((connector, manifest))
    }

    async fn replace_secret(&self, row: &mut App, secret: &ClientSecret) -> Result<()> {
        if let Some(sealed) = &row.secret {
            let old = self.secrets.open_client_secret(row.environment, row.key, sealed).await?;
            row.previous_secret = Some(self.secrets.seal_previous_secret(row.environment, row.key, &old).await?);
            row.previous_secret_expires_at = Some(self.clock.now() + SECRET_OVERLAP);
        }
        row.secret = Some(self.secrets.seal_client_secret(row.environment, row.key, secret).await?);
        Ok(())
    }

    /// A stored secret must never be sent to a host that it was not entered for.
    async fn refuse_moved_hosts(&self, row: &App, to: &Manifest) -> Result<()> {
        let from = self.apps.manifest(row, row.connector_version).await?;
        let hosts = |m: &Manifest| {
            let urls = [m.auth.authorization_url.clone(), Some(m.auth.token_url.clone()), m.auth.refresh_url.clone()];
            urls.map(|url| url.map(|url| authority(&url).to_owned()))
        };
        if hosts(&from) == hosts(to) {
            return Ok(());
        }
        let why = "the connector's token or authorization host changes: send the client secret again";
        Err(Error::InUse { what: "client secret", why })
    }

    pub(crate) fn app_view(&self, row: App) -> AppView {
        AppView {
            redirect_uri: self.apps.redirect_uri(row.key),
            id: row.id,
            connector: row.connector_id,
            connector_version: row.connector_version,
            client_id: row.client_id,
            has_client_secret: row.secret.is_some(),
            previous_secret_expires_at: row.previous_secret_expires_at,
            scopes: row.scopes,
            settings: row.settings,
            state: row.state,
            held_reason: row.held_reason,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The authority of a URL template, which may hold variables that `Url` would not read.
fn authority(template: &str) -> &str {
    let rest = template.split_once("://").map_or(template, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

fn check(manifest: &Manifest, input: &AppInput, has_secret: bool) -> Result<()> {
    let mut faults = crate::limits::check(&input.settings);
    let mut fault = |pointer: String, detail: String| faults.push(Fault { pointer, detail });
    if input.client_id.is_empty() || input.client_id.len() > 512 || input.client_id.chars().any(char::is_control) {
        fault("/client_id".into(), "use 1 to 512 bytes without control characters".into());
    }
    let public = manifest.auth.client_authentication == ClientAuthentication::None;
    if !public && !has_secret {
        fault("/client_secret".into(), "this connector's clients prove themselves by a secret".into());
    }
    for (index, text) in input.settings.return_urls.iter().enumerate() {
        if let Err(detail) = check_return_url(text) {
            fault(format!("/settings/return_urls/{index}"), detail.into());
        }
    }
    for (name, value) in &input.settings.variables {
        // Only what the admin fixes is checked here; the customer fills in the rest.
        let given = Values::from([(name.clone(), value.clone())]);
        let wrong = mortise_connectors::resolve_values(manifest, &given).err().unwrap_or_default();
        for error in wrong.into_iter().filter(|error| error.variable == *name) {
            fault(format!("/settings/variables/{name}"), error.message);
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

/// A return URL is compared as text with what a session asks for, so it has to be a whole, plain URL.
fn check_return_url(text: &str) -> std::result::Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "use a whole URL, such as https://app.example.com/connected")?;
    let loopback = url.host().is_some_and(|host| match host {
        url::Host::Domain(name) => name == "localhost",
        url::Host::Ipv4(ip) => ip.is_loopback(),
        url::Host::Ipv6(ip) => ip.is_loopback(),
    });
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        _ => Err("use https (http is for loopback only)"),
    }?;
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err("leave out user name, password and fragment");
    }
    Ok(())
}
