//! Apps: OAuth clients registered at a provider.

use crate::filled_in::check_hosts;
use crate::refresh::Apps as _;
use crate::{Broker, Caller, Error, Fault, Listing, PageRequest, Result};
use mortise_connectors::{Manifest, Values};
use mortise_domain::{ApiScope, AppId, AppKey, AppState, ClientSecret, ConnectorId, ScopeSet, Timestamp};
use mortise_oauth::check_client_secret;
use mortise_store::{App, AppSettings, Connector, StoreError};
use std::time::Duration;
use url::Url;

/// How long the client secret before the newest stays in use.
const SECRET_OVERLAP: Duration = Duration::from_secs(24 * 3600);

/// What an app shall be. For a change, an absent secret keeps the stored one.
#[derive(Debug)]
pub struct AppInput {
    /// The connector it belongs to.
    pub connector: ConnectorId,
    /// Which version of it; `None`: the newest that is not retired, and for a change the one that it has.
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
        let key = AppKey::generate(&*self.clock, &*self.entropy);
        self.insert_app(caller, key, id, input).await
    }

    pub(crate) async fn insert_app(&self, caller: &Caller, key: AppKey, id: AppId, input: AppInput) -> Result<AppView> {
        caller.require(ApiScope::AppsWrite)?;
        let (connector, manifest) = self.connector_for(caller, &input).await?;
        check(&manifest, &input, input.client_secret.is_some())?;
        check_hosts(&self.config.egress, &manifest, &input.settings, None)?;
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
        self.store.app_insert(&row).await.map_err(not_pinned)?;
        self.limit_app(&row).await?;
        Ok(self.app_view(row))
    }

    /// Changes an app. A new secret lives beside the old one for a day, so that nothing fails while the provider
    /// switches; moving to a connector version with another token or authorization host needs the secret again.
    pub async fn update_app(&self, caller: &Caller, id: &AppId, mut input: AppInput) -> Result<AppView> {
        caller.require(ApiScope::AppsWrite)?;
        let mut row = self.app_row(caller, id).await?;
        let reregistered = input.settings.registration.is_some();
        if !reregistered {
            keep_registration(&row, &mut input);
        }
        if input.connector == row.connector_id {
            // A pin: whoever does not say where to goes nowhere.
            input.connector_version = input.connector_version.or(Some(row.connector_version));
        }
        let (connector, manifest) = self.connector_for(caller, &input).await?;
        check(&manifest, &input, input.client_secret.is_some() || row.secret.is_some())?;
        check_hosts(&self.config.egress, &manifest, &input.settings, Some(&row.settings))?;
        self.refuse_other_connector(&row, &connector).await?;
        let moved = !reregistered && self.refuse_moved_hosts(&row, &manifest, &input).await?;
        if input.client_secret.is_none() && row.secret.is_some() {
            self.refuse_other_proof(&row, &manifest).await?;
        }
        self.refuse_other_issuer(&row, &manifest, reregistered).await?;
        let revision = row.revision;
        if reregistered {
            // Another client: nothing of the one before is sent to whoever knows this one.
            row.secret = None;
        }
        if let Some(secret) = &input.client_secret {
            self.replace_secret(&mut row, secret).await?;
        }
        if reregistered || moved {
            (row.previous_secret, row.previous_secret_expires_at) = (None, None);
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
        let row = self.store.app_update(revision, &row).await.map_err(not_pinned)?;
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

    pub(crate) async fn connector_for(&self, caller: &Caller, input: &AppInput) -> Result<(Connector, Manifest)> {
        let unknown =
            || Error::invalid("/connector", "no connector of this id and version is registered in this environment");
        let version = match input.connector_version {
            Some(version) => Some(version),
            None if self.store.connector_get(caller.environment, &input.connector, None).await?.is_none() => None,
            None => Some(self.newest_usable(caller, &input.connector).await?),
        };
        let found = self.store.connector_get(caller.environment, &input.connector, version).await?;
        let connector = found.ok_or_else(unknown)?;
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

    /// A stored secret has to be what the clients of another version prove themselves by.
    pub(crate) async fn refuse_other_proof(&self, row: &App, to: &Manifest) -> Result<()> {
        let (Some(auth), Some(sealed)) = (to.oauth2(), &row.secret) else { return Ok(()) };
        let secret = self.secrets.open_client_secret(row.environment, row.key, sealed).await?;
        check_client_secret(auth, &secret).map_err(|error| Error::invalid("/client_secret", error.to_string()))
    }

    /// Clients and tokens of one issuer are never shown to another (RFC 9700 section 4.4; RFC 9728 section 7.8).
    async fn refuse_other_issuer(&self, row: &App, to: &Manifest, reregistered: bool) -> Result<()> {
        let from = self.apps.manifest(row, row.connector_version).await?;
        let issuer = |manifest: &Manifest| manifest.oauth2().and_then(|auth| auth.issuer.clone());
        if issuer(&from).is_none_or(|known| issuer(to).as_ref() == Some(&known)) {
            return Ok(());
        }
        if self.store.app_in_use(row.key).await? {
            let why = "the connector's issuer changes, and the tokens of its connections belong to the one before: register another app, or delete the connections first";
            return Err(Error::InUse { what: "app", why });
        }
        if row.settings.registration.is_some() && !reregistered {
            let why = "the connector's issuer changes, and only the one before knows this client: send `registration` to register another";
            return Err(Error::InUse { what: "client", why });
        }
        Ok(())
    }

    /// A stored secret must never be sent to a host that it was not entered for; the new one is, and nothing that is stored
    /// goes there with it. Answers whether the hosts move.
    async fn refuse_moved_hosts(&self, row: &App, to: &Manifest, input: &AppInput) -> Result<bool> {
        if row.secret.is_none() || !self.moves_hosts(row, to, &input.settings).await? {
            return Ok(false);
        }
        if self.store.app_in_use(row.key).await? {
            let why = "the hosts that get its secret change, and it has connections: move it with them (`POST /v1/moves`), \
                       or register another app";
            return Err(Error::InUse { what: "app", why });
        }
        if input.client_secret.is_none() {
            let why = "the connector's token or authorization host changes: send the client secret again";
            return Err(Error::InUse { what: "client secret", why });
        }
        Ok(true)
    }

    /// Connections hold on to a version of the connector that they were made with.
    async fn refuse_other_connector(&self, row: &App, to: &Connector) -> Result<()> {
        if row.connector == to.key || !self.store.app_in_use(row.key).await? {
            return Ok(());
        }
        let why = "its connections belong to its connector: register another app for another connector";
        Err(Error::InUse { what: "app", why })
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

/// A client that registered itself stays as long as nobody names another.
fn keep_registration(row: &App, input: &mut AppInput) {
    let Some(registration) = &row.settings.registration else { return };
    if input.client_id.is_empty() {
        input.client_id.clone_from(&row.client_id);
    }
    if input.client_id == row.client_id {
        input.settings.registration = Some(registration.clone());
    }
}

/// Why an app cannot be pinned to a version.
fn not_pinned(error: StoreError) -> Error {
    match error {
        StoreError::InUse("move") => Error::InUse {
            what: "app",
            why: "its connections are being moved to another version: wait for the end, or take that back",
        },
        StoreError::InUse(_) => Error::invalid("/connector_version", "this version is retired: use a newer one"),
        error => error.into(),
    }
}

pub(crate) fn check(manifest: &Manifest, input: &AppInput, has_secret: bool) -> Result<()> {
    let mut faults = crate::limits::check(&input.settings);
    let mut fault = |pointer: String, detail: String| faults.push(Fault { pointer, detail });
    if !manifest.auth.has_client() {
        let of_oauth2 = [
            ("client_id", !input.client_id.is_empty()),
            ("client_secret", has_secret),
            ("scopes", !input.scopes.is_empty()),
        ];
        for (member, _) in of_oauth2.into_iter().filter(|(_, given)| *given) {
            let detail =
                "this connector's customers paste their credentials, so there is no OAuth client: leave it out";
            fault(format!("/{member}"), detail.into());
        }
    } else if input.client_id.is_empty() {
        fault("/client_id".into(), "this is missing: give the id that the provider has for the client".into());
    } else if input.client_id.len() > 512 || input.client_id.chars().any(char::is_control) {
        fault("/client_id".into(), "use 1 to 512 bytes without control characters".into());
    }
    if manifest.auth.oauth1().is_some() && !input.scopes.is_empty() {
        fault("/scopes".into(), "OAuth 1.0 knows no scopes: leave them out".into());
    }
    if let (Some(auth), Some(secret)) = (manifest.oauth2(), &input.client_secret)
        && let Err(error) = check_client_secret(auth, secret)
    {
        fault("/client_secret".into(), error.to_string());
    }
    if manifest.auth.proves_client() && !has_secret {
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
