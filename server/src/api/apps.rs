//! Apps: OAuth clients registered at a provider. Their secrets go in and never come out.

use super::wire::{ClientState, Page, PageQuery, Time};
use crate::access::{AppsRead, AppsWrite};
use crate::call::Call;
use crate::input::{Id, Json, Nothing, Object};
use crate::problem::{Code, Result};
use crate::reply::{self, Reply};
use crate::routes::Routes;
use mortise_broker::{
    AppInput, AppRate, AppRegistration, AppSettings, AppView, Error, Registration, RegistrationMethod,
};
use mortise_domain::{AppId, ClientSecret, ConnectorId, ScopeSet, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

pub(super) fn add(routes: &mut Routes) {
    routes
        .create(
            __path_create_app,
            create_app,
            &[Code::ProviderThrottled, Code::ProviderUnavailable, Code::AlreadyExists],
        )
        .add(__path_list_apps, list_apps, &[])
        .add(__path_get_app, get_app, &[])
        .add(
            __path_update_app,
            update_app,
            &[Code::ProviderThrottled, Code::ProviderUnavailable, Code::InUse, Code::Stale],
        )
        .add(__path_delete_app, delete_app, &[Code::InUse]);
}

/// What an app is made of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewApp {
    /// Its id, chosen by you: kebab-case.
    #[schema(value_type = String, example = "acme")]
    id: AppId,
    /// The connector it belongs to.
    #[schema(value_type = String)]
    connector: ConnectorId,
    /// Which version of it; absent: the newest that is not retired.
    connector_version: Option<i32>,
    /// RFC 6749 section 2.2. Left out for a connector whose customers paste credentials.
    #[serde(default)]
    #[schema(max_length = 512)]
    client_id: String,
    /// Absent for a public client. It is never shown again.
    #[schema(value_type = Option<String>, write_only)]
    client_secret: Option<ClientSecret>,
    /// How the client comes to be, where nobody enters it: `client_id` and `client_secret` are left out then.
    registration: Option<Method>,
    /// With `registration`: what the provider's consent page calls the client. Absent: the app's id.
    #[schema(max_length = 100)]
    client_name: Option<String>,
    /// With `registration`: lets the client register where the provider does not let everybody. It is not kept.
    #[schema(value_type = Option<String>, write_only)]
    initial_access_token: Option<ClientSecret>,
    /// What every authorization asks for.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    scopes: ScopeSet,
    /// Return URLs, fixed variables and budgets.
    #[serde(default)]
    #[schema(value_type = Settings)]
    settings: Object<Settings>,
}

/// How a client comes to be without anybody entering it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Method {
    /// It registers at the provider by itself (RFC 7591).
    Dynamic,
    /// Its id is the URL of a document that this service serves about it.
    ClientIdMetadataDocument,
}

impl Method {
    fn with(self, client_name: Option<String>, initial_access_token: Option<ClientSecret>) -> Registration {
        let method = match self {
            Self::Dynamic => RegistrationMethod::Dynamic,
            Self::ClientIdMetadataDocument => RegistrationMethod::ClientIdMetadataDocument,
        };
        Registration { method, client_name, initial_access_token }
    }
}

/// Members that say something about a registration that nobody asked for.
fn refuse_without_registration(name: Option<&String>, token: Option<&ClientSecret>) -> Result<()> {
    let alone = [("/client_name", name.is_some()), ("/initial_access_token", token.is_some())];
    match alone.into_iter().find(|(_, given)| *given) {
        Some((pointer, _)) => Err(Error::invalid(pointer, "this goes with `registration` alone: leave it out").into()),
        None => Ok(()),
    }
}

/// How a client came to be.
#[derive(Debug, Serialize, ToSchema)]
struct ClientRegistration {
    /// By which way.
    method: Method,
    /// The issuer that knows it.
    #[schema(required = true)]
    issuer: Option<String>,
    /// When its secret ends: register another before.
    #[schema(required = true)]
    client_secret_expires_at: Option<Time>,
}

impl From<AppRegistration> for ClientRegistration {
    fn from(AppRegistration { method, issuer, client_secret_expires_at, .. }: AppRegistration) -> Self {
        let method = match method {
            RegistrationMethod::Dynamic => Method::Dynamic,
            RegistrationMethod::ClientIdMetadataDocument => Method::ClientIdMetadataDocument,
        };
        let end = client_secret_expires_at.and_then(|seconds| Timestamp::from_timestamp(seconds, 0));
        Self { method, issuer, client_secret_expires_at: end.map(Time) }
    }
}

/// What an app becomes: everything but the secret is replaced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AppFields {
    /// The connector it belongs to.
    #[schema(value_type = String)]
    connector: ConnectorId,
    /// Which version of it; absent: the one that it has. Connections that run already follow by a move.
    connector_version: Option<i32>,
    /// RFC 6749 section 2.2. Left out for a connector whose customers paste credentials.
    #[serde(default)]
    #[schema(max_length = 512)]
    client_id: String,
    /// A new secret, beside which the one before stays in use for a day. Absent: the stored one stays.
    #[schema(value_type = Option<String>, write_only)]
    client_secret: Option<ClientSecret>,
    /// How another client comes to be, where nobody enters it: `client_id` and `client_secret` are left out then.
    registration: Option<Method>,
    /// With `registration`: what the provider's consent page calls the client. Absent: the app's id.
    #[schema(max_length = 100)]
    client_name: Option<String>,
    /// With `registration`: lets the client register where the provider does not let everybody. It is not kept.
    #[schema(value_type = Option<String>, write_only)]
    initial_access_token: Option<ClientSecret>,
    /// What every authorization asks for.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    scopes: ScopeSet,
    /// Return URLs, fixed variables and budgets.
    #[serde(default)]
    #[schema(value_type = Settings)]
    settings: Object<Settings>,
}

/// An app's settings.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    /// Where browsers may be sent after connecting, compared as text.
    return_urls: Vec<String>,
    /// Variables of the connector that no customer may choose.
    variables: BTreeMap<String, String>,
    /// At most so many refreshes of all its connections together, on top of what the connector allows. Absent: as many as
    /// the connector allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit: Option<RateLimit>,
    /// At most so many of its refreshes under way at once, over all processes. Absent: no limit of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100_000)]
    concurrency: Option<u32>,
}

/// So many requests in so many seconds.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RateLimit {
    /// How many.
    #[schema(minimum = 1, maximum = 1_000_000)]
    requests: u32,
    /// In any window of this length.
    #[schema(minimum = 1, maximum = 86_400)]
    seconds: u32,
}

impl From<Settings> for AppSettings {
    fn from(Settings { return_urls, variables, rate_limit, concurrency }: Settings) -> Self {
        let rate_limit = rate_limit.map(|RateLimit { requests, seconds }| AppRate { requests, seconds });
        Self { return_urls, variables, rate_limit, concurrency, registration: None }
    }
}

impl From<AppSettings> for Settings {
    fn from(AppSettings { return_urls, variables, rate_limit, concurrency, registration: _ }: AppSettings) -> Self {
        let rate_limit = rate_limit.map(|AppRate { requests, seconds }| RateLimit { requests, seconds });
        Self { return_urls, variables, rate_limit, concurrency }
    }
}

/// An app, without its secrets.
#[derive(Debug, Serialize, ToSchema)]
struct App {
    /// Its id.
    #[schema(value_type = String)]
    id: AppId,
    /// The connector it belongs to.
    #[schema(value_type = String)]
    connector: ConnectorId,
    /// The version it speaks.
    connector_version: i32,
    /// RFC 6749 section 2.2.
    client_id: String,
    /// Whether a secret is stored.
    has_client_secret: bool,
    /// Until when the secret before it stays in use.
    #[schema(required = true)]
    previous_secret_expires_at: Option<Time>,
    /// How the client came to be, where nobody entered it.
    #[schema(required = true)]
    registration: Option<ClientRegistration>,
    /// What every authorization asks for.
    #[schema(value_type = Vec<String>)]
    scopes: ScopeSet,
    /// Return URLs, fixed variables and budgets.
    settings: Settings,
    /// Register this at the provider.
    #[schema(format = "uri")]
    redirect_uri: String,
    /// Whether the provider accepts the client.
    state: ClientState,
    /// Why not.
    #[schema(required = true)]
    held_reason: Option<String>,
    /// Counts the changes.
    revision: i32,
    /// When it was registered.
    created_at: Time,
    /// When it was changed last.
    updated_at: Time,
}

impl From<AppView> for App {
    fn from(view: AppView) -> Self {
        Self {
            id: view.id,
            connector: view.connector,
            connector_version: view.connector_version,
            client_id: view.client_id,
            has_client_secret: view.has_client_secret,
            previous_secret_expires_at: view.previous_secret_expires_at.map(Time),
            scopes: view.scopes,
            registration: view.settings.registration.clone().map(ClientRegistration::from),
            settings: view.settings.into(),
            redirect_uri: view.redirect_uri,
            state: ClientState(view.state),
            held_reason: view.held_reason,
            revision: view.revision,
            created_at: Time(view.created_at),
            updated_at: Time(view.updated_at),
        }
    }
}

/// Register an app
#[utoipa::path(
    post, path = "/v1/apps", tag = "apps", request_body = NewApp,
    responses((status = 201, description = "It is registered.", body = App)),
)]
async fn create_app(call: Call<AppsWrite, (), Nothing, Json<NewApp>>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    let NewApp {
        id,
        connector,
        connector_version,
        client_id,
        client_secret,
        scopes,
        settings,
        registration,
        client_name,
        initial_access_token,
    } = call.body.0;
    let settings = settings.0.into();
    let input = AppInput { connector, connector_version, client_id, client_secret, scopes, settings };
    let app = match registration {
        Some(how) => broker.register_app(&call.caller, id, input, how.with(client_name, initial_access_token)).await?,
        None => {
            refuse_without_registration(client_name.as_ref(), initial_access_token.as_ref())?;
            broker.create_app(&call.caller, id, input).await?
        }
    };
    reply::created(&App::from(app))
}

/// List apps
#[utoipa::path(
    get, path = "/v1/apps", tag = "apps", params(PageQuery),
    responses((status = 200, description = "A page of them.", body = Page<App>)),
)]
async fn list_apps(call: Call<AppsRead, (), PageQuery>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    reply::ok(&Page::<App>::of(broker.list_apps(&call.caller, &call.query.into()).await?))
}

/// Get an app
#[utoipa::path(
    get, path = "/v1/apps/{id}", tag = "apps",
    params(("id" = String, Path, description = "The app.")),
    responses((status = 200, description = "The app.", body = App)),
)]
async fn get_app(call: Call<AppsRead, Id<AppId>>) -> Result<Reply> {
    reply::ok(&App::from(call.broker().app(&call.caller, &call.path.0).await?))
}

/// Replace an app
///
/// Also lifts the hold that the provider's `invalid_client` put on it. A connector version that sends the secret or the
/// browser to another host needs the secret again, and an app without connections: those that run already are moved with
/// `POST /v1/moves`.
#[utoipa::path(
    put, path = "/v1/apps/{id}", tag = "apps", request_body = AppFields,
    params(("id" = String, Path, description = "The app.")),
    responses((status = 200, description = "The changed app.", body = App)),
)]
async fn update_app(call: Call<AppsWrite, Id<AppId>, Nothing, Json<AppFields>>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    let AppFields {
        connector,
        connector_version,
        client_id,
        client_secret,
        scopes,
        settings,
        registration,
        client_name,
        initial_access_token,
    } = call.body.0;
    let settings = settings.0.into();
    let input = AppInput { connector, connector_version, client_id, client_secret, scopes, settings };
    let app = match registration {
        Some(how) => {
            broker
                .reregister_app(&call.caller, &call.path.0, input, how.with(client_name, initial_access_token))
                .await?
        }
        None => {
            refuse_without_registration(client_name.as_ref(), initial_access_token.as_ref())?;
            broker.update_app(&call.caller, &call.path.0, input).await?
        }
    };
    reply::ok(&App::from(app))
}

/// Delete an app without connections
#[utoipa::path(
    delete, path = "/v1/apps/{id}", tag = "apps",
    params(("id" = String, Path, description = "The app.")),
    responses((status = 204, description = "It is gone.")),
)]
async fn delete_app(call: Call<AppsWrite, Id<AppId>>) -> Result<Reply> {
    call.broker().delete_app(&call.caller, &call.path.0).await?;
    reply::nothing()
}
