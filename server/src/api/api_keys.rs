//! API keys of the caller's environment.

use super::wire::{KeyScope, Page, PageQuery, Time};
use crate::access::{ApiKeysRead, ApiKeysWrite};
use crate::call::Call;
use crate::input::{Id, Json, Nothing};
use crate::problem::Result;
use crate::reply::{self, Reply};
use crate::routes::Routes;
use mortise_broker::{ApiKeyView, NewApiKey};
use mortise_domain::{ApiKeyId, ApiKeySecret};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) fn add(routes: &mut Routes) {
    routes.create(__path_create_api_key, create_api_key, &[]).add(__path_list_api_keys, list_api_keys, &[]).add(
        __path_delete_api_key,
        delete_api_key,
        &[],
    );
}

/// What a key shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApiKeyFields {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What it may do: nothing that the calling key may not.
    #[schema(min_items = 1)]
    scopes: Vec<KeyScope>,
    /// When it ends; absent: when it is deleted.
    expires_at: Option<Time>,
}

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApiKey {
    /// Its id, which is part of the key.
    #[schema(value_type = String, example = "key_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e")]
    id: ApiKeyId,
    /// What it is for.
    name: String,
    /// What it may do.
    scopes: Vec<KeyScope>,
    /// When it was made.
    created_at: Time,
    /// When it ends by itself.
    #[schema(required = true)]
    expires_at: Option<Time>,
    /// When it was deleted.
    #[schema(required = true)]
    revoked_at: Option<Time>,
}

impl From<ApiKeyView> for ApiKey {
    fn from(view: ApiKeyView) -> Self {
        Self {
            id: view.id,
            name: view.name,
            scopes: view.scopes.into_iter().map(KeyScope).collect(),
            created_at: Time(view.created_at),
            expires_at: view.expires_at.map(Time),
            revoked_at: view.revoked_at.map(Time),
        }
    }
}

/// A new key with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedApiKey<'a> {
    /// The key as it is listed from now on.
    #[serde(flatten)]
    listed: ApiKey,
    /// What to send as `Authorization: Bearer …`. It is not stored and cannot be shown again.
    key: &'a str,
}

impl<'a> CreatedApiKey<'a> {
    pub(super) fn new(view: ApiKeyView, secret: &'a ApiKeySecret) -> Self {
        Self { listed: view.into(), key: secret.expose() }
    }
}

/// Make an API key
#[utoipa::path(
    post, path = "/v1/api-keys", tag = "api keys", request_body = ApiKeyFields,
    responses((status = 201, description = "The key, shown this once.", body = CreatedApiKey)),
)]
async fn create_api_key(call: Call<ApiKeysWrite, (), Nothing, Json<ApiKeyFields>>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    let ApiKeyFields { name, scopes, expires_at } = call.body.0;
    let new = NewApiKey {
        name,
        scopes: scopes.into_iter().map(|scope| scope.0).collect(),
        expires_at: expires_at.map(|at| at.0),
    };
    let (view, secret) = broker.create_api_key(&call.caller, new).await?;
    reply::created(&CreatedApiKey::new(view, &secret))
}

/// List API keys
///
/// Oldest first, deleted ones too.
#[utoipa::path(
    get, path = "/v1/api-keys", tag = "api keys", params(PageQuery),
    responses((status = 200, description = "A page of them.", body = Page<ApiKey>)),
)]
async fn list_api_keys(call: Call<ApiKeysRead, (), PageQuery>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    reply::ok(&Page::<ApiKey>::of(broker.list_api_keys(&call.caller, &call.query.into()).await?))
}

/// Delete an API key
///
/// It stops working at once here, and within five seconds on every other server.
#[utoipa::path(
    delete, path = "/v1/api-keys/{id}", tag = "api keys",
    params(("id" = String, Path, description = "The key's id.")),
    responses((status = 204, description = "It works no longer.")),
)]
async fn delete_api_key(call: Call<ApiKeysWrite, Id<ApiKeyId>>) -> Result<Reply> {
    call.broker().revoke_api_key(&call.caller, call.path.0).await?;
    reply::nothing()
}
