//! Moves of an app's connections to another version of its connector.

use super::wire::{Page, Phase, Progress, Time, Trouble};
use crate::access::{AppsRead, AppsWrite};
use crate::call::Call;
use crate::input::{Id, Json, Nothing};
use crate::problem::{Code, Result};
use crate::reply::{self, Reply};
use crate::routes::Routes;
use mortise_broker::{MoveInput, MoveOrder, MoveView, PageRequest};
use mortise_domain::{ApiKeyId, AppId, ClientSecret, ConnectorId, MoveId, MoveTerms};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::{IntoParams, ToSchema};

pub(super) fn add(routes: &mut Routes) {
    routes
        .create(__path_create_move, create_move, &[Code::InUse, Code::Stale])
        .add(__path_list_moves, list_moves, &[])
        .add(__path_get_move, get_move, &[])
        .add(__path_pause_move, pause_move, &[Code::InUse, Code::Stale])
        .add(__path_resume_move, resume_move, &[Code::InUse, Code::Stale])
        .add(__path_roll_back_move, roll_back_move, &[Code::InUse, Code::Stale]);
}

/// A move to be. What is left out is as the answer shows it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMove {
    /// Whose connections are moved: all of them.
    #[schema(value_type = String, example = "acme")]
    app: AppId,
    /// Where to; absent: the newest version that is not retired.
    to_version: Option<i32>,
    /// The part of the connections that goes first, in percent; at least one.
    #[schema(minimum = 1, maximum = 100, default = 5)]
    canary_percent: Option<u32>,
    /// So many renewals are needed to judge by, or as many as there can be.
    #[schema(minimum = 1, maximum = 10_000, default = 20)]
    minimum_sample: Option<u32>,
    /// By so many percentage points what was moved may fail more often than what was not.
    #[schema(minimum = 0, maximum = 50, default = 5)]
    tolerance_percent: Option<u32>,
    /// How many are moved at once after the first ones.
    #[schema(minimum = 1, maximum = 500, default = 100)]
    batch_size: Option<u32>,
    /// Seconds between two batches.
    #[schema(minimum = 0, maximum = 86_400, default = 30)]
    batch_interval: Option<u32>,
    /// Whether the first ones are renewed at once, so that there is something to judge by. Not done for connectors with
    /// `refresh_window` or `mint_rate`.
    #[schema(default = true)]
    renew_canary: Option<bool>,
    /// Whether the version that the app comes from is retired in the end, if nothing else uses it.
    #[schema(default = false)]
    retire_when_done: Option<bool>,
    /// The app's secret once more, where the new version would send it to a host that it was not entered for.
    #[schema(value_type = Option<String>, write_only)]
    client_secret: Option<ClientSecret>,
    /// Hosts that the new version reaches and the one before does not, as the refusal names them.
    #[serde(default)]
    accept_hosts: BTreeSet<String>,
}

impl From<NewMove> for MoveInput {
    fn from(new: NewMove) -> Self {
        let usual = MoveTerms::default();
        let terms = MoveTerms {
            canary_percent: new.canary_percent.unwrap_or(usual.canary_percent),
            minimum_sample: new.minimum_sample.unwrap_or(usual.minimum_sample),
            tolerance_percent: new.tolerance_percent.unwrap_or(usual.tolerance_percent),
            batch_size: new.batch_size.unwrap_or(usual.batch_size),
            batch_interval: new.batch_interval.unwrap_or(usual.batch_interval),
            renew_canary: new.renew_canary.unwrap_or(usual.renew_canary),
            retire_when_done: new.retire_when_done.unwrap_or(usual.retire_when_done),
        };
        let NewMove { app, to_version, client_secret, accept_hosts, .. } = new;
        Self { app, to_version, terms, client_secret, accept_hosts }
    }
}

/// A move.
#[derive(Debug, Serialize, ToSchema)]
struct Move {
    /// Its id.
    #[schema(value_type = String, example = "mov_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e")]
    id: MoveId,
    /// Whose connections are moved.
    #[schema(value_type = String)]
    app: AppId,
    /// Between versions of this connector.
    #[schema(value_type = String)]
    connector: ConnectorId,
    /// What the app was pinned to when it began. Its connections go back to where each of them came from.
    from_version: i32,
    /// Where to.
    to_version: i32,
    /// Where it is.
    state: Progress,
    /// How far it has come.
    stage: Phase,
    /// Why it is paused, or was taken back.
    #[schema(required = true)]
    reason: Option<Trouble>,
    /// The part of the connections that goes first, in percent.
    canary_percent: u32,
    /// How many go first.
    canary_size: u64,
    /// So many renewals are needed to judge by.
    minimum_sample: u32,
    /// By so many percentage points what was moved may fail more often.
    tolerance_percent: u32,
    /// How many are moved at once.
    batch_size: u32,
    /// Seconds between two batches.
    batch_interval: u32,
    /// Whether the first ones are renewed at once.
    renew_canary: bool,
    /// Whether the version that the app comes from is retired in the end.
    retire_when_done: bool,
    /// Its connections: now, or when it ended.
    connections: Counts,
    /// The API key that began it.
    #[schema(value_type = String, example = "key_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e")]
    begun_by: ApiKeyId,
    /// When.
    begun_at: Time,
    /// When its stage began.
    stage_since: Time,
    /// When it ended; `null`: it stands.
    #[schema(required = true)]
    finished_at: Option<Time>,
}

/// How many connections.
#[derive(Debug, Serialize, ToSchema)]
struct Counts {
    /// Are moved.
    moved: u64,
    /// Stay where they are, because their values do not fit the new version.
    skipped: u64,
    /// Were taken back.
    returned: u64,
    /// Are still to be moved.
    remaining: u64,
    /// Can tell something, of the moved ones: they are renewed, and did not fail when they were moved.
    judged: u64,
    /// Of those were renewed since.
    renewed: u64,
    /// Of those fail since.
    failed: u64,
    /// Were renewed since the move began, of those that are not moved.
    others_renewed: u64,
    /// Fail since the move began, of those that are not moved.
    others_failed: u64,
}

impl From<MoveView> for Move {
    fn from(view: MoveView) -> Self {
        let known = view.known;
        Self {
            id: view.id,
            app: view.app,
            connector: view.connector,
            from_version: view.from_version,
            to_version: view.to_version,
            state: Progress(view.state),
            stage: Phase(view.stage),
            reason: view.reason.map(Trouble),
            canary_percent: view.terms.canary_percent,
            canary_size: view.canary,
            minimum_sample: view.terms.minimum_sample,
            tolerance_percent: view.terms.tolerance_percent,
            batch_size: view.terms.batch_size,
            batch_interval: view.terms.batch_interval,
            renew_canary: view.terms.renew_canary,
            retire_when_done: view.terms.retire_when_done,
            connections: Counts {
                moved: known.moved,
                skipped: known.skipped,
                returned: known.returned,
                remaining: known.remaining,
                judged: known.judged,
                renewed: known.renewed,
                failed: known.failed,
                others_renewed: known.others_renewed,
                others_failed: known.others_failed,
            },
            begun_by: view.begun_by,
            begun_at: Time(view.begun_at),
            stage_since: Time(view.stage_since),
            finished_at: view.finished_at.map(Time),
        }
    }
}

/// Which moves.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MovesQuery {
    /// Only this app's.
    #[param(value_type = Option<String>)]
    app: Option<AppId>,
    /// How many items at most: 1 to 100, 20 where nothing is said.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// `next_cursor` of the page before, unchanged.
    cursor: Option<String>,
}

/// Move an app's connections to another version
///
/// A few go first, drawn by chance, and are renewed. When enough of them were, and they fail no more often than those that
/// were not moved, the others follow in batches, and then the app is pinned to the version. When they do fail more often, or
/// the provider refuses the app's client, everything goes back by itself. Customers notice nothing: tokens are served all
/// the while.
#[utoipa::path(
    post, path = "/v1/moves", tag = "moves", request_body = NewMove,
    responses((status = 201, description = "It stands; the worker carries it out.", body = Move)),
)]
async fn create_move(call: Call<AppsWrite, (), Nothing, Json<NewMove>>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    reply::created(&Move::from(broker.create_move(&call.caller, call.body.0.into()).await?))
}

/// List moves
///
/// Oldest first, those that have ended too.
#[utoipa::path(
    get, path = "/v1/moves", tag = "moves", params(MovesQuery),
    responses((status = 200, description = "A page of them.", body = Page<Move>)),
)]
async fn list_moves(call: Call<AppsRead, (), MovesQuery>) -> Result<Reply> {
    let broker = call.state.broker.clone();
    let MovesQuery { app, limit, cursor } = call.query;
    let page = PageRequest { limit, cursor };
    reply::ok(&Page::<Move>::of(broker.list_moves(&call.caller, app.as_ref(), &page).await?))
}

/// Get a move
#[utoipa::path(
    get, path = "/v1/moves/{id}", tag = "moves",
    params(("id" = String, Path, description = "The move's id.")),
    responses((status = 200, description = "The move.", body = Move)),
)]
async fn get_move(call: Call<AppsRead, Id<MoveId>>) -> Result<Reply> {
    reply::ok(&Move::from(call.broker().get_move(&call.caller, call.path.0).await?))
}

/// Pause a move
///
/// Nothing is moved on. What was moved is watched, and taken back if it fails.
#[utoipa::path(
    post, path = "/v1/moves/{id}/pause", tag = "moves",
    params(("id" = String, Path, description = "The move's id.")),
    responses((status = 200, description = "It is paused.", body = Move)),
)]
async fn pause_move(call: Call<AppsWrite, Id<MoveId>>) -> Result<Reply> {
    order(call, MoveOrder::Pause).await
}

/// Resume a move
///
/// One that was paused because too little was known goes on with all others.
#[utoipa::path(
    post, path = "/v1/moves/{id}/resume", tag = "moves",
    params(("id" = String, Path, description = "The move's id.")),
    responses((status = 200, description = "It goes on.", body = Move)),
)]
async fn resume_move(call: Call<AppsWrite, Id<MoveId>>) -> Result<Reply> {
    order(call, MoveOrder::Resume).await
}

/// Take a move back
///
/// Every connection goes back to the version that it came from, and what failed since is tried again there.
#[utoipa::path(
    post, path = "/v1/moves/{id}/roll-back", tag = "moves",
    params(("id" = String, Path, description = "The move's id.")),
    responses((status = 200, description = "It is being taken back.", body = Move)),
)]
async fn roll_back_move(call: Call<AppsWrite, Id<MoveId>>) -> Result<Reply> {
    order(call, MoveOrder::RollBack).await
}

async fn order(call: Call<AppsWrite, Id<MoveId>>, order: MoveOrder) -> Result<Reply> {
    reply::ok(&Move::from(call.broker().order_move(&call.caller, call.path.0, order).await?))
}
