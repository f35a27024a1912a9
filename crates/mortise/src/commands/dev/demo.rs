//! The demo: a connector, an app and a customer at the sandbox provider, a first API key, and a fresh link.

use crate::settings::Settings;
use anyhow::Context as _;
use mortise_broker::{
    AppInput, AppSettings, Broker, Caller, ConnectorView, CustomerInput, Error, ManifestSource, NewApiKey, NewSession,
};
use mortise_domain::{ApiKeySecret, ApiScope, AppId, ClientSecret, ScopeSet};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

const ENVIRONMENT: &str = "dev";
const APP: &str = "sandbox";
const CUSTOMER: &str = "demo";
/// The sandbox's client, which belongs to the sandbox and opens nothing else.
const CLIENT: (&str, &str) = ("sandbox-client", "sandbox-secret");

/// What is printed.
pub(super) struct Demo {
    key: ApiKeySecret,
    link: String,
    app: AppId,
}

/// Sets up what is missing; what is there already stays as it is.
pub(super) async fn set_up(broker: &Broker, data_dir: &Path, sandbox: &str) -> anyhow::Result<Demo> {
    let key = first_key(broker, &data_dir.join("first-api-key")).await?;
    let caller = broker.authenticate(key.expose()).await.context(
        "the first API key was revoked: remove the file `first-api-key` from the data folder to get another",
    )?;
    let app = register(broker, &caller, sandbox).await?;
    let customer = CUSTOMER.parse().context("the demo customer")?;
    let input = CustomerInput { name: Some("Demo customer".to_owned()), ..CustomerInput::default() };
    broker.put_customer(&caller, &customer, input).await?;
    let apps = Some(vec![app.clone()]);
    let session = NewSession { customer, apps, connection: None, return_url: None, expires_in: None };
    let link = broker.create_session(&caller, session).await?.url;
    Ok(Demo { key, link, app })
}

/// The key of the first start, which later starts print again. Its file is as private as the key file beside it.
async fn first_key(broker: &Broker, file: &Path) -> anyhow::Result<ApiKeySecret> {
    if file.exists() {
        return Ok(ApiKeySecret::new(std::fs::read_to_string(file)?.trim()));
    }
    let environment = ENVIRONMENT.parse().context("the environment")?;
    let new = NewApiKey { name: "first key".to_owned(), scopes: ApiScope::ALL.to_vec(), expires_at: None };
    let (_, key) = broker.create_api_key_locally(&environment, new).await?;
    let mut out = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    writeln!(out, "{}", key.expose())?;
    out.sync_all()?;
    Ok(key)
}

/// Answers with the app to try. The sandbox's address is part of the manifest: started on another port, it is a new version.
/// What was connected at the old address holds on to it, and so does its app; then there is another app for the new one.
async fn register(broker: &Broker, caller: &Arc<Caller>, sandbox: &str) -> anyhow::Result<AppId> {
    let manifest = manifest(sandbox);
    let id = APP.parse().context("the demo connector")?;
    let connector = match broker.register_connector(caller, ManifestSource::Text(manifest.clone())).await {
        Err(Error::Exists(_)) => broker.update_connector(caller, &id, ManifestSource::Text(manifest)).await,
        registered => registered,
    }
    .context("the demo connector")?;
    let app: AppId = APP.parse().context("the demo app")?;
    let port = sandbox.rsplit(':').next().unwrap_or_default();
    let another: AppId = format!("{APP}-{port}").parse().context("the demo app")?;
    match client(broker, caller, &app, &connector).await {
        Ok(()) => Ok(app),
        Err(Error::InUse { .. }) => {
            client(broker, caller, &another, &connector).await.context("the demo app")?;
            Ok(another)
        }
        Err(error) => Err(error).context("the demo app"),
    }
}

/// The app in this version of the connector.
async fn client(broker: &Broker, caller: &Arc<Caller>, app: &AppId, of: &ConnectorView) -> Result<(), Error> {
    let input = AppInput {
        connector: of.id.clone(),
        connector_version: Some(of.version),
        client_id: CLIENT.0.to_owned(),
        client_secret: Some(ClientSecret::new(CLIENT.1)),
        scopes: ScopeSet::parse("profile contacts.read", " "),
        settings: AppSettings::default(),
    };
    match broker.app(caller, app).await {
        Ok(known) if known.connector_version == of.version => return Ok(()),
        Ok(_) => broker.update_app(caller, app, input).await,
        Err(Error::NotFound(_)) => broker.create_app(caller, app.clone(), input).await,
        Err(error) => Err(error),
    }
    .map(drop)
}

fn manifest(sandbox: &str) -> String {
    format!(
        "id: {APP}
name: Sandbox provider
description: A provider on this machine to try connections on.
auth:
  type: oauth2
  grant: authorization_code
  authorization_url: {sandbox}/f/authorize
  token_url: {sandbox}/f/token
  revocation_url: {sandbox}/f/revoke
  issuer: {sandbox}/f
  authorization_response_iss_parameter_supported: true
  client_authentication: client_secret_basic
  recovery_class: F
scopes:
  profile: See your name and picture
  contacts.read: Read your contacts
api:
  base_url: {sandbox}/f
"
    )
}

impl Demo {
    /// What a newcomer needs, ready to be clicked and pasted.
    pub(super) fn greeting(&self, settings: &Settings) -> String {
        let base = settings.public_url.as_str().trim_end_matches('/');
        let (key, link, app) = (self.key.expose(), &self.link, &self.app);
        format!(
            "
Mortise runs at {base}

  Console       {base}/console   (sign in with the API key)
  API           {base}/docs
  API key       {key}

  1. Open this link and allow access, as the customer `{CUSTOMER}` would:

     {link}

  2. Then ask for a token, as your integration would:

     curl -s -H 'Authorization: Bearer {key}' '{base}/v1/token?customer={CUSTOMER}&app={app}'

The token lives for a minute and is renewed before it ends. Ctrl-C stops; the next start goes on from here.
"
        )
    }
}
