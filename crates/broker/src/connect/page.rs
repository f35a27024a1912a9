//! What the consent page shows. Looking at it changes nothing.

use crate::{Broker, ConnectFault, Result};
use mortise_connectors::{Auth, CredentialKind, Grant, Manifest, VariableKind};
use mortise_domain::{AppId, ScopeSet, Timestamp};
use mortise_store::{ConnectSession, SessionStatus};
use mortise_vault::sha256;

/// Everything the customer has to know before they click.
#[derive(Debug, Clone)]
pub struct ConnectPage {
    /// Who asks.
    pub asker: String,
    /// How the asker calls the customer.
    pub customer: String,
    /// What can be connected.
    pub choices: Vec<AppChoice>,
    /// Where the browser goes afterwards.
    pub return_url: Option<String>,
    /// Whether an existing connection is repaired.
    pub repairs: bool,
    /// When the link ends.
    pub expires_at: Timestamp,
}

/// One app to connect.
#[derive(Debug, Clone)]
pub struct AppChoice {
    /// The app.
    pub app: AppId,
    /// The provider's name.
    pub provider: String,
    /// One line about it.
    pub description: Option<String>,
    /// The host that will ask for consent, with variables in braces.
    pub host: String,
    /// What is asked for: the scope and what it means, where the manifest says.
    pub scopes: Vec<(String, Option<String>)>,
    /// What has to be filled in.
    pub fields: Vec<Field>,
    /// Whether the customer is sent to the provider (else the client's own credentials are used).
    pub redirects: bool,
    /// Whether the customer gets a code here and enters it at the provider.
    pub enters_code: bool,
    /// Whether the customer pastes credentials here.
    pub pastes: bool,
}

/// One field to fill in.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name in URLs.
    pub name: String,
    /// Its label.
    pub title: String,
    /// Its help.
    pub description: Option<String>,
    /// The allowed values, where they are listed.
    pub values: Vec<String>,
    /// What stands in it at first.
    pub default: Option<String>,
    /// Whether a credential is pasted here, and of which kind.
    pub pasted: Option<CredentialKind>,
    /// What a value looks like.
    pub example: Option<String>,
    /// The host that its value becomes part of, such as `{subdomain}.acme.example`.
    pub becomes: Option<String>,
}

impl Broker {
    /// The page behind a link.
    pub async fn connect_page(&self, token: &str) -> Result<ConnectPage> {
        let session = self.live_session(token).await?;
        let environment = self.environment(session.environment).await?;
        let customer = self.store.customer_by_key(session.customer).await?.ok_or(ConnectFault::UnknownLink)?;
        let mut choices = Vec::with_capacity(session.apps.len());
        for key in &session.apps {
            if let Some(app) = self.store.app_by_key(*key).await? {
                choices.push(self.choice(app).await?);
            }
        }
        Ok(ConnectPage {
            asker: environment.settings.display_name,
            customer: customer.name.unwrap_or_else(|| customer.id.to_string()),
            choices,
            return_url: session.return_url,
            repairs: session.connection.is_some(),
            expires_at: session.expires_at,
        })
    }

    /// The session of a link that can still be used.
    pub(super) async fn live_session(&self, token: &str) -> Result<ConnectSession> {
        let session = self.store.connect_session_by_token(&sha256(token)).await?.ok_or(ConnectFault::UnknownLink)?;
        match session.status {
            SessionStatus::Open if session.expires_at > self.clock.now() => Ok(session),
            SessionStatus::Open => Err(ConnectFault::LinkExpired.into()),
            SessionStatus::AwaitingCompletion | SessionStatus::Completed | SessionStatus::Failed => {
                Err(ConnectFault::LinkUsed.into())
            }
        }
    }

    async fn choice(&self, app: mortise_store::App) -> Result<AppChoice> {
        let manifest = self.apps.manifest(&app, app.connector_version).await?;
        let shown = shown_url(&manifest);
        let host = shown.split_once("://").map_or(shown, |(_, rest)| rest).split(['/', '?']).next();
        // What the admin fixed is no riddle for the customer.
        let fixed = &app.settings.variables;
        let fill = |host: String, (name, value): (&String, &String)| host.replace(&format!("{{{name}}}"), value);
        let host = fixed.iter().fold(host.unwrap_or_default().to_owned(), fill);
        let asked = match manifest.oauth2() {
            Some(auth) => app.scopes.union(&auth.default_scopes),
            None => ScopeSet::default(),
        };
        let scopes = asked.iter().map(|scope| (scope.to_owned(), manifest.scopes.get(scope).cloned())).collect();
        let asked = |name: &String| !app.settings.variables.contains_key(name) && manifest.customers_fill(name);
        let open = manifest.variables.iter().filter(|(name, _)| asked(name));
        let fields = open.map(|(name, variable)| Field {
            name: name.clone(),
            title: variable.title.clone(),
            description: variable.description.clone(),
            values: variable.values.clone(),
            default: variable.default.clone(),
            pasted: None,
            example: None,
            becomes: (variable.kind == VariableKind::HostLabel && host.contains(&format!("{{{name}}}")))
                .then(|| host.clone()),
        });
        let pasted = manifest.auth.asks().into_iter().flatten();
        let pasted = pasted.map(|(name, credential)| Field {
            name: name.clone(),
            title: credential.title.clone(),
            description: credential.description.clone(),
            values: Vec::new(),
            default: None,
            pasted: Some(credential.kind),
            example: credential.example.clone(),
            becomes: None,
        });
        let mut pasted: Vec<_> = pasted.collect();
        // The user name before the password, whatever they are called.
        pasted.sort_by_key(|field| field.pasted != Some(CredentialKind::Text));
        let grant = manifest.oauth2().map(|auth| auth.grant);
        Ok(AppChoice {
            pastes: manifest.auth.asks().is_some(),
            fields: fields.chain(pasted).collect(),
            app: app.id,
            provider: manifest.name.clone(),
            description: manifest.description.clone(),
            host,
            scopes,
            redirects: manifest.auth.oauth1().is_some()
                || grant.is_some_and(|grant| matches!(grant, Grant::AuthorizationCode | Grant::Implicit)),
            enters_code: grant == Some(Grant::DeviceCode),
        })
    }
}

/// Where the customer's browser, or the first call with what they paste, goes.
fn shown_url(manifest: &Manifest) -> &str {
    match &manifest.auth {
        Auth::Oauth2(auth) => {
            let visited = auth.authorization_url.as_ref().or(auth.device_authorization_url.as_ref());
            visited.unwrap_or(&auth.token_url)
        }
        Auth::Oauth1(auth) => &auth.authorization_url,
        _ => {
            let base = manifest.api.as_ref().map(|api| api.base_url.as_str());
            let called = manifest.auth.urls().into_iter().map(|(_, url)| url.as_str()).next();
            called.or(base).unwrap_or_default()
        }
    }
}
