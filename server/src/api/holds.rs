//! What an admin switched off.

use super::wire::{Extent, Page, PageQuery, Time};
use crate::access::{HoldsRead, HoldsWrite};
use crate::call::Call;
use crate::input::{Id, Json, Nothing};
use crate::problem::{Code, Result};
use crate::reply::{self, Reply};
use crate::routes::Routes;
use mortise_broker::{HoldInput, HoldView};
use mortise_domain::{ApiKeyId, HoldId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) fn add(routes: &mut Routes) {
    routes
        .create(__path_create_hold, create_hold, &[Code::AlreadyExists])
        .add(__path_list_holds, list_holds, &[])
        .add(__path_get_hold, get_hold, &[])
        .add(__path_delete_hold, delete_hold, &[]);
}

/// What shall be switched off.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HoldFields {
    /// How much.
    scope: Extent,
    /// The id of the connection, app, customer or connector, or the name of the environment.
    id: String,
    /// Why, for whoever finds it off.
    #[schema(min_length = 1, max_length = 255)]
    reason: String,
}

/// What is, or was, switched off.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Hold {
    /// Its id.
    #[schema(value_type = String, example = "hold_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e")]
    id: HoldId,
    /// How much.
    scope: Extent,
    /// The id of what is off, of the kind that the scope has.
    target: String,
    /// Why.
    reason: String,
    /// The API key that switched it off.
    #[schema(value_type = String, example = "key_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e")]
    held_by: ApiKeyId,
    /// When.
    held_at: Time,
    /// The API key that switched it on again.
    #[schema(value_type = Option<String>, required = true)]
    lifted_by: Option<ApiKeyId>,
    /// When; `null`: it is off.
    #[schema(required = true)]
    lifted_at: Option<Time>,
}

impl From<HoldView> for Hold {
    fn from(view: HoldView) -> Self {
        Self {
            id: view.id,
            scope: Extent(view.scope),
            target: view.target,
            reason: view.reason,
            held_by: view.held_by,
            held_at: Time(view.held_at),
            lifted_by: view.lifted_by,
            lifted_at: view.lifted_at.map(Time),
        }
    }
}

/// Switch off
///
/// When this answers, every active connection that is reached is `held`: nothing is sent to its provider and no token of it
/// is served. The reply to a refresh that was on its way is kept. Connections that are made later are reached too.
#[utoipa::path(
    post, path = "/v1/holds", tag = "holds", request_body = HoldFields,
    responses((status = 201, description = "It is off.", body = Hold)),
)]
async fn create_hold(call: Call<HoldsWrite, (), Nothing, Json<HoldFields>>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    let HoldFields { scope, id, reason } = call.body.0;
    let hold = broker.create_hold(&call.caller, HoldInput { scope: scope.0, id, reason }).await?;
    reply::created(&Hold::from(hold))
}

/// List holds
///
/// Oldest first, lifted ones too.
#[utoipa::path(
    get, path = "/v1/holds", tag = "holds", params(PageQuery),
    responses((status = 200, description = "A page of them.", body = Page<Hold>)),
)]
async fn list_holds(call: Call<HoldsRead, (), PageQuery>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    reply::ok(&Page::<Hold>::of(broker.list_holds(&call.caller, &call.query.into()).await?))
}

/// Get a hold
#[utoipa::path(
    get, path = "/v1/holds/{id}", tag = "holds",
    params(("id" = String, Path, description = "The hold's id.")),
    responses((status = 200, description = "The hold.", body = Hold)),
)]
async fn get_hold(call: Call<HoldsRead, Id<HoldId>>) -> Result<Reply> {
    reply::ok(&Hold::from(call.broker().hold(&call.caller, call.path.0).await?))
}

/// Switch on again
///
/// Connections that no other hold reaches are `active` again. What became due meanwhile is spread over time. The hold
/// stays in the list.
#[utoipa::path(
    delete, path = "/v1/holds/{id}", tag = "holds",
    params(("id" = String, Path, description = "The hold's id.")),
    responses((status = 204, description = "It is on again.")),
)]
async fn delete_hold(call: Call<HoldsWrite, Id<HoldId>>) -> Result<Reply> {
    call.broker().lift_hold(&call.caller, call.path.0).await?;
    reply::nothing()
}
