//! Environments: the caller's own, and new ones.

use super::api_keys::CreatedApiKey;
use super::wire::{Finisher, Page, Time};
use crate::access::{EnvironmentsRead, EnvironmentsWrite};
use crate::call::Call;
use crate::input::{Json, Nothing};
use crate::problem::{Code, Result};
use crate::reply::{self, Reply};
use crate::routes::Routes;
use mortise_broker::{EnvironmentInput, EnvironmentView, NewApiKey};
use mortise_domain::{ApiScope, EnvironmentName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) fn add(routes: &mut Routes) {
    routes
        .add(__path_get_environment, get_environment, &[])
        .add(__path_update_environment, update_environment, &[])
        .create(__path_create_environment, create_environment, &[Code::AlreadyExists])
        .add(__path_list_environments, list_environments, &[]);
}

/// An environment.
#[derive(Debug, Serialize, ToSchema)]
struct Environment {
    /// Its name.
    #[schema(value_type = String, example = "prod")]
    name: EnvironmentName,
    /// Who asks, as the consent page says it.
    display_name: String,
    /// Whether the backend has to confirm who came back.
    finisher_check: Finisher,
    /// When it was made.
    created_at: Time,
}

impl From<EnvironmentView> for Environment {
    fn from(EnvironmentView { name, settings, created_at }: EnvironmentView) -> Self {
        let finisher_check = settings.finisher_check.into();
        Self { name, display_name: settings.display_name, finisher_check, created_at: Time(created_at) }
    }
}

/// An environment's name; its settings are for its own keys.
#[derive(Debug, Serialize, ToSchema)]
struct EnvironmentListed {
    /// Its name.
    #[schema(value_type = String)]
    name: EnvironmentName,
    /// When it was made.
    created_at: Time,
}

impl From<EnvironmentView> for EnvironmentListed {
    fn from(EnvironmentView { name, created_at, .. }: EnvironmentView) -> Self {
        Self { name, created_at: Time(created_at) }
    }
}

/// What of an environment can be changed; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EnvironmentChange {
    /// Who asks, as the consent page says it.
    #[schema(min_length = 1, max_length = 80)]
    display_name: Option<String>,
    /// Whether the backend has to confirm who came back.
    finisher_check: Option<Finisher>,
}

/// What an environment shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewEnvironment {
    /// Its name: kebab-case.
    #[schema(value_type = String)]
    name: EnvironmentName,
    /// Who asks, as the consent page says it.
    #[schema(min_length = 1, max_length = 80)]
    display_name: Option<String>,
    /// Whether the backend has to confirm who came back; absent: it has to.
    finisher_check: Option<Finisher>,
}

/// A new environment with its first API key, which is shown this once.
#[derive(Serialize, ToSchema)]
struct CreatedEnvironment<'a> {
    /// The environment.
    environment: Environment,
    /// A key that may do everything in it.
    api_key: CreatedApiKey<'a>,
}

/// Get the environment of the calling key
#[utoipa::path(
    get, path = "/v1/environment", tag = "environments",
    responses((status = 200, description = "The environment.", body = Environment)),
)]
async fn get_environment(call: Call<EnvironmentsRead>) -> Result<Reply> {
    reply::ok(&Environment::from(call.broker().own_environment(&call.caller).await?))
}

/// Change the environment of the calling key
#[utoipa::path(
    patch, path = "/v1/environment", tag = "environments", request_body = EnvironmentChange,
    responses((status = 200, description = "The changed environment.", body = Environment)),
)]
async fn update_environment(call: Call<EnvironmentsWrite, (), Nothing, Json<EnvironmentChange>>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    let EnvironmentChange { display_name, finisher_check } = call.body.0;
    let input = EnvironmentInput { display_name, finisher_check: finisher_check.map(Into::into) };
    reply::ok(&Environment::from(broker.update_own_environment(&call.caller, input).await?))
}

/// Make an environment
///
/// It shares nothing with any other; its first API key is part of the answer.
#[utoipa::path(
    post, path = "/v1/environments", tag = "environments", request_body = NewEnvironment,
    responses((status = 201, description = "The environment and its first key.", body = CreatedEnvironment)),
)]
async fn create_environment(call: Call<EnvironmentsWrite, (), Nothing, Json<NewEnvironment>>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    let NewEnvironment { name, display_name, finisher_check } = call.body.0;
    let input = EnvironmentInput { display_name, finisher_check: finisher_check.map(Into::into) };
    let environment = broker.create_environment(&name, input).await?.into();
    let first = NewApiKey { name: "first key".to_owned(), scopes: ApiScope::ALL.to_vec(), expires_at: None };
    let (view, secret) = broker.create_api_key_locally(&name, first).await?;
    reply::created(&CreatedEnvironment { environment, api_key: CreatedApiKey::new(view, &secret) })
}

/// List environments
///
/// Their names; settings are shown to an environment's own keys only.
#[utoipa::path(
    get, path = "/v1/environments", tag = "environments",
    responses((status = 200, description = "All of them.", body = Page<EnvironmentListed>)),
)]
async fn list_environments(call: Call<EnvironmentsRead>) -> Result<Reply> {
    let environments = call.broker().list_environments().await?;
    reply::ok(&Page::whole(environments.into_iter().map(EnvironmentListed::from).collect()))
}
