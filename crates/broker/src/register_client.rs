//! Apps whose client is not entered by hand: registered at the provider (RFC 7591), or named by the URL of a document that
//! this service serves about it (client id metadata document).
//!
//! Invariant: a client belongs to the issuer that knows it. Each app has a client of its own, whose metadata names that
//! app's callback and no other, so that what one issuer knows is of no use at another.

use crate::apps::check;
use crate::filled_in::check_hosts;
use crate::loaded::callback_path;
use crate::{AppInput, AppView, Broker, Caller, Error, Result};
use mortise_connectors::{Manifest, resolve_values};
use mortise_domain::{ApiScope, AppId, AppKey, ClientSecret, ScopeSet};
use mortise_oauth::{
    Failure, FailureClass, NewClient, ProtocolError, Provider, client_metadata, registration, request_registration,
};
use mortise_store::{AppRegistration, RegistrationMethod};
use serde_json::Value;
use std::time::Duration;

/// When to try again where the provider could not be reached.
const SOON: Duration = Duration::from_secs(5);

/// How an app gets its client.
#[derive(Debug)]
pub struct Registration {
    /// By which of the two ways.
    pub method: RegistrationMethod,
    /// What the provider's consent page calls it; the app's id where nothing is said.
    pub client_name: Option<String>,
    /// Lets it register where the provider does not let everybody (RFC 7591 section 3). It is not kept.
    pub initial_access_token: Option<ClientSecret>,
}

impl Broker {
    /// Registers an app, and its client with it.
    pub async fn register_app(
        &self,
        caller: &Caller,
        id: AppId,
        input: AppInput,
        how: Registration,
    ) -> Result<AppView> {
        caller.require(ApiScope::AppsWrite)?;
        // Before anything is sent: a client that nobody then owns would stay at the provider.
        if self.store.app_get(caller.environment, &id).await?.is_some() {
            return Err(Error::Exists("app"));
        }
        let key = AppKey::generate(&*self.clock, &*self.entropy);
        let input = self.with_client(caller, key, &id, input, how).await?;
        self.insert_app(caller, key, id, input).await
    }

    /// Changes an app, and registers a new client for it: connections of the one before do not outlive that.
    pub async fn reregister_app(
        &self,
        caller: &Caller,
        id: &AppId,
        input: AppInput,
        how: Registration,
    ) -> Result<AppView> {
        caller.require(ApiScope::AppsWrite)?;
        let row = self.app_row(caller, id).await?;
        if self.store.app_in_use(row.key).await? {
            let why = "its connections belong to the client that it has; delete them first, or register another app";
            return Err(Error::InUse { what: "client", why });
        }
        let input = self.with_client(caller, row.key, id, input, how).await?;
        self.update_app(caller, id, input).await
    }

    /// The document about the client of an app that is named by its URL.
    pub async fn client_document(&self, app: AppKey) -> Result<Value> {
        let missing = || Error::NotFound("client");
        let app = self.store.app_by_key(app).await?.filter(|app| app.deleted_at.is_none()).ok_or_else(missing)?;
        let registered = app.settings.registration.as_ref().ok_or_else(missing)?;
        if registered.method != RegistrationMethod::ClientIdMetadataDocument {
            return Err(missing());
        }
        let manifest = self.apps.manifest(&app, app.connector_version).await?;
        let redirect_uri = self.config.url(&callback_path(app.key));
        let name = registered.client_name.as_deref().unwrap_or(app.id.as_str());
        let mut document = described(&manifest, name, &redirect_uri, &app.scopes)?;
        document["client_id"] = app.client_id.into();
        Ok(document)
    }

    async fn with_client(
        &self,
        caller: &Caller,
        key: AppKey,
        id: &AppId,
        mut input: AppInput,
        how: Registration,
    ) -> Result<AppInput> {
        if !input.client_id.is_empty() || input.client_secret.is_some() {
            let detail = "the client is registered for you: leave its id and secret out, or leave this out";
            return Err(Error::invalid("/registration", detail));
        }
        if how.client_name.as_ref().is_some_and(|name| name.trim().is_empty() || name.len() > 100 || has_control(name))
        {
            return Err(Error::invalid("/client_name", "use 1 to 100 bytes on one line"));
        }
        let (_, manifest) = self.connector_for(caller, &input).await?;
        // What else is wrong is said before a client is made that nobody could use.
        input.client_id = "registered".to_owned();
        check(&manifest, &input, true)?;
        check_hosts(&self.config.egress, &manifest, &input.settings, None)?;
        let issuer = manifest.oauth2().ok_or_else(no_client)?.issuer.clone();
        let redirect_uri = self.config.url(&callback_path(key));
        let name = how.client_name.as_deref().unwrap_or(id.as_str());
        let mut registered = AppRegistration {
            method: how.method,
            client_name: how.client_name.clone(),
            issuer,
            client_secret_expires_at: None,
        };
        match how.method {
            RegistrationMethod::ClientIdMetadataDocument => {
                described(&manifest, name, &redirect_uri, &input.scopes)?;
                input.client_id = self.document_url(&manifest, key)?;
            }
            RegistrationMethod::Dynamic => {
                let client = NewClient {
                    name,
                    redirect_uri: &redirect_uri,
                    scopes: &input.scopes,
                    initial_access_token: how.initial_access_token.as_ref(),
                };
                let client = self.dynamic(&manifest, &input, &client).await?;
                registered.client_secret_expires_at = client.secret_expires_at.map(|end| end.timestamp());
                (input.client_id, input.client_secret) = (client.client_id, client.client_secret);
            }
        }
        input.settings.registration = Some(registered);
        Ok(input)
    }

    async fn dynamic(
        &self,
        manifest: &Manifest,
        input: &AppInput,
        client: &NewClient<'_>,
    ) -> Result<mortise_oauth::RegisteredClient> {
        let auth = manifest.oauth2().ok_or_else(no_client)?;
        // Only what the admin fixes is known here; a customer has no say in where a client is registered.
        let values = resolve_values(manifest, &input.settings.variables).unwrap_or_else(|_| {
            let fixed = &input.settings.variables;
            fixed.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
        });
        let provider = Provider { manifest, values: &values };
        let request = registration(&provider, client).map_err(refused)?.ok_or_else(|| {
            let detail = "this connector's manifest has no `registration_url`: enter a client by hand";
            Error::invalid("/registration", detail)
        })?;
        let sent = request_registration(&*self.transport, request, auth, client.redirect_uri).await;
        sent.map_err(|failure| not_registered(&failure))
    }

    fn document_url(&self, manifest: &Manifest, key: AppKey) -> Result<String> {
        let auth = manifest.oauth2().ok_or_else(no_client)?;
        if auth.client_authentication != mortise_connectors::ClientAuthentication::None {
            let detail = "such a client has no secret, and this connector's clients prove themselves by one: its manifest needs `client_authentication: none`";
            return Err(Error::invalid("/registration", detail));
        }
        Ok(self.config.url(&format!("/oauth/clients/{}", key.as_uuid().simple())))
    }
}

fn described(manifest: &Manifest, name: &str, redirect_uri: &str, scopes: &ScopeSet) -> Result<Value> {
    let client = NewClient { name, redirect_uri, scopes, initial_access_token: None };
    client_metadata(manifest.oauth2().ok_or_else(no_client)?, &client).map_err(refused)
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

fn no_client() -> Error {
    Error::invalid("/registration", "this connector has no OAuth client: leave it out")
}

fn refused(error: ProtocolError) -> Error {
    match error {
        ProtocolError::NotRegistrable => {
            let detail =
                "this connector's clients prove themselves in a way that they cannot register for: enter one by hand";
            Error::invalid("/registration", detail)
        }
        ProtocolError::Template(_) => {
            let detail =
                "the registration address names a variable that only the app can set: add it to `settings.variables`";
            Error::invalid("/settings/variables", detail)
        }
        other => other.into(),
    }
}

fn not_registered(failure: &Failure) -> Error {
    match failure.class {
        FailureClass::NotSent | FailureClass::Ambiguous => {
            Error::ProviderUnavailable { class: failure.class, retry_after: failure.retry_after.unwrap_or(SOON) }
        }
        FailureClass::Throttled => Error::ProviderThrottled { retry_after: failure.retry_after.unwrap_or(SOON) },
        FailureClass::AppMisconfigured | FailureClass::GrantRejected | FailureClass::Unknown => {
            Error::invalid("/registration", format!("the provider does not register the client: {failure}"))
        }
    }
}
