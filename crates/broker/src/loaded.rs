//! An app with what is needed to talk to its provider.

use crate::refresh::Apps;
use crate::sealing::Secrets;
use crate::{BrokerConfig, Error, Result};
use async_trait::async_trait;
use moka::future::Cache;
use mortise_connectors::{Manifest, Values};
use mortise_domain::{AppKey, ClientSecret, Clock};
use mortise_oauth::{ClientRegistration, Failure, FailureClass, Provider, Signer, check_client_secret};
use mortise_store::{App, Store};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How stale an app may be while it refreshes: a new client secret is used by every replica within this time.
const REMEMBERED: Duration = Duration::from_secs(2);

/// An app and the manifest version that a connection was made with.
pub struct LoadedApp {
    /// The row.
    pub app: App,
    /// The connector, in that version.
    pub manifest: Arc<Manifest>,
    /// Where the provider sends customers back.
    pub redirect_uri: String,
    /// The live client secrets, newest first; none for a public client.
    pub secrets: Vec<ClientSecret>,
    /// Who signs for the client.
    pub signer: Signer,
}

impl LoadedApp {
    /// The provider with `values` filled in.
    pub(crate) fn provider<'a>(&'a self, values: &'a Values) -> Provider<'a> {
        Provider { manifest: &self.manifest, values }
    }

    /// The client with its newest secret.
    pub(crate) fn client(&self) -> ClientRegistration<'_> {
        self.client_with(self.secrets.first())
    }

    /// The client with each of its live secrets, the newest first; a public client once.
    pub(crate) fn clients(&self) -> Vec<ClientRegistration<'_>> {
        match self.secrets.as_slice() {
            [] => vec![self.client_with(None)],
            secrets => secrets.iter().map(|secret| self.client_with(Some(secret))).collect(),
        }
    }

    /// Asks as the client with its newest secret, and where the provider does not accept that, with the one before it. A
    /// client that is not accepted has nothing else of its request looked at (RFC 6749 section 5.2), so that not even a code,
    /// which is good for one use, is spent by it.
    pub(crate) async fn as_client<'a, T, F>(
        &'a self,
        ask: impl Fn(ClientRegistration<'a>) -> F,
    ) -> Result<std::result::Result<T, Failure>>
    where
        F: Future<Output = Result<std::result::Result<T, Failure>>>,
    {
        let mut answer = ask(self.client()).await?;
        for older in self.clients().into_iter().skip(1) {
            if !answer.as_ref().is_err_and(refuses_secret) {
                break;
            }
            tracing::info!(app = %self.app.id, "the newest client secret is refused, and the one before it is tried");
            answer = ask(older).await?;
        }
        Ok(answer)
    }

    fn client_with<'a>(&'a self, secret: Option<&'a ClientSecret>) -> ClientRegistration<'a> {
        ClientRegistration {
            client_id: &self.app.client_id,
            secret,
            redirect_uri: &self.redirect_uri,
            signer: Some(&self.signer),
            dpop_key: None,
        }
    }
}

/// Whether another secret may be accepted. A client that may not ask for what it asks was accepted already.
fn refuses_secret(failure: &Failure) -> bool {
    failure.class == FailureClass::AppMisconfigured && failure.error.as_deref() != Some("unauthorized_client")
}

/// The path of an app's callback.
pub(crate) fn callback_path(app: AppKey) -> String {
    format!("/oauth/callback/{}", app.as_uuid().simple())
}

/// Apps by key and version for two seconds; manifests, which never change, for as long as there is room.
pub(crate) struct LoadedApps {
    store: Store,
    secrets: Arc<Secrets>,
    clock: Arc<dyn Clock>,
    signer: Signer,
    config: BrokerConfig,
    apps: Cache<(Uuid, i32), Arc<LoadedApp>>,
    manifests: Cache<(Uuid, i32), Arc<Manifest>>,
}

#[async_trait]
impl Apps for LoadedApps {
    async fn load(&self, key: AppKey, version: i32) -> Result<Arc<LoadedApp>> {
        let id = (key.as_uuid(), version);
        if let Some(loaded) = self.apps.get(&id).await {
            return Ok(loaded);
        }
        let app = self.store.app_by_key(key).await?.ok_or(Error::NotFound("app"))?;
        let loaded = Arc::new(self.loaded(app, version).await?);
        self.apps.insert(id, loaded.clone()).await;
        Ok(loaded)
    }

    async fn forget(&self, app: &App) {
        self.apps.invalidate(&(app.key.as_uuid(), app.connector_version)).await;
    }
}

impl LoadedApps {
    pub(crate) fn new(store: Store, secrets: Arc<Secrets>, clock: Arc<dyn Clock>, config: BrokerConfig) -> Self {
        let apps = Cache::builder().max_capacity(1_000).time_to_live(REMEMBERED).build();
        let signer = Signer::new(clock.clone(), secrets.entropy.clone());
        Self { store, secrets, clock, signer, config, apps, manifests: Cache::new(1_000) }
    }

    pub(crate) async fn loaded(&self, app: App, version: i32) -> Result<LoadedApp> {
        let manifest = self.manifest(&app, version).await?;
        let redirect_uri = self.redirect_uri(app.key);
        let mut secrets =
            if self.is_known_to(&app, &manifest).await? { self.open_secrets(&app).await? } else { Vec::new() };
        // Of two that another version stands between, one may be the key that its clients sign with: it is never sent here.
        if let Some(auth) = manifest.oauth2().filter(|_| secrets.len() > 1) {
            secrets.retain(|secret| check_client_secret(auth, secret).is_ok());
        }
        Ok(LoadedApp { app, manifest, redirect_uri, secrets, signer: self.signer.clone() })
    }

    pub(crate) async fn manifest(&self, app: &App, version: i32) -> Result<Arc<Manifest>> {
        let id = (app.connector.as_uuid(), version);
        if let Some(manifest) = self.manifests.get(&id).await {
            return Ok(manifest);
        }
        let row = self.store.connector_by_key(app.connector, version).await?;
        let row = row.ok_or_else(|| Error::missing("an app's connector version"))?;
        let manifest = Arc::new(serde_json::from_str::<Manifest>(&row.manifest)?);
        self.manifests.insert(id, manifest.clone()).await;
        Ok(manifest)
    }

    /// Where the provider sends the customer back: a path of the app's own, so that one provider's answer cannot be
    /// passed off as another's (RFC 9700 section 4.4).
    pub(crate) fn redirect_uri(&self, app: AppKey) -> String {
        self.config.url(&callback_path(app))
    }

    /// Whether the app's client is one of this version's issuer: an app that moved on to another has credentials of that
    /// one, which what is left of the time before must not show to the old one.
    async fn is_known_to(&self, app: &App, manifest: &Manifest) -> Result<bool> {
        let issuer = |manifest: &Manifest| manifest.oauth2().and_then(|auth| auth.issuer.clone());
        let newest = self.manifest(app, app.connector_version).await?;
        Ok(match (issuer(&newest), issuer(manifest)) {
            (Some(its), Some(wanted)) => its == wanted,
            _ => true,
        })
    }

    async fn open_secrets(&self, app: &App) -> Result<Vec<ClientSecret>> {
        let mut secrets = Vec::with_capacity(2);
        if let Some(sealed) = &app.secret {
            secrets.push(self.secrets.open_client_secret(app.environment, app.key, sealed).await?);
        }
        let previous_lives = app.previous_secret_expires_at.is_some_and(|end| end > self.clock.now());
        if let Some(sealed) = app.previous_secret.as_ref().filter(|_| previous_lives) {
            secrets.push(self.secrets.open_previous_secret(app.environment, app.key, sealed).await?);
        }
        Ok(secrets)
    }
}
