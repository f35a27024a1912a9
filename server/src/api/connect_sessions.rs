//! Connect sessions: links for customers, and the confirmation of who came back.

use super::connections::Connection;
use super::wire::Time;
use crate::access::{ConnectSessionsRead, ConnectSessionsWrite};
use crate::call::Call;
use crate::input::{Id, Json, Nothing};
use crate::problem::{Code, Result};
use crate::reply::{self, Reply};
use crate::routes::Routes;
use mortise_broker::{Completion, Link, NewSession, SessionView};
use mortise_domain::{AppId, CompletionCode, ConnectSessionId, ConnectionId, CustomerId};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

pub(super) fn add(routes: &mut Routes) {
    let completing = [
        Code::SessionNotOpen,
        Code::WrongFinisher,
        Code::AccountMismatch,
        Code::ExchangeFailed,
        Code::AppHeld,
        Code::ProviderUnavailable,
    ];
    routes
        .create(__path_create_connect_session, create_connect_session, &[])
        .add(__path_get_connect_session, get_connect_session, &[])
        .create(__path_complete_connect_session, complete_connect_session, &completing);
}

/// What a customer's browser may do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewConnectSession {
    /// Whose browser it is for.
    #[schema(value_type = String)]
    customer: CustomerId,
    /// Which apps may be connected; absent: every app of the environment, at most 100.
    #[schema(value_type = Option<Vec<String>>)]
    apps: Option<Vec<AppId>>,
    /// The connection to repair, instead of apps.
    #[schema(value_type = Option<String>)]
    connection: Option<ConnectionId>,
    /// Where the browser goes afterwards: one of the `settings.return_urls` of every app concerned. Required where the
    /// environment requires the finisher check.
    #[schema(format = "uri")]
    return_url: Option<String>,
    /// Seconds that the link lives: 60 to 1800, 1800 where nothing is said.
    #[schema(minimum = 60, maximum = 1800)]
    expires_in: Option<u64>,
}

/// A link. Its token and its address are shown once.
#[derive(Serialize, ToSchema)]
struct ConnectLink<'a> {
    /// The session.
    #[schema(value_type = String, example = "cs_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e")]
    id: ConnectSessionId,
    /// The secret part of the link; worthless as an API key.
    token: &'a str,
    /// Send the customer's browser here.
    #[schema(format = "uri")]
    url: &'a str,
    /// Until when it works.
    expires_at: Time,
}

impl<'a> From<&'a Link> for ConnectLink<'a> {
    fn from(link: &'a Link) -> Self {
        Self { id: link.session, token: link.token.expose(), url: &link.url, expires_at: Time(link.expires_at) }
    }
}

/// How a session stands.
#[derive(Debug, Serialize, ToSchema)]
struct ConnectSession {
    /// Its id.
    #[schema(value_type = String)]
    id: ConnectSessionId,
    /// `open`, `awaiting_completion`, `completed`, `failed` or `expired`.
    #[schema(pattern = "^(open|awaiting_completion|completed|failed|expired)$")]
    status: &'static str,
    /// The connection that was made or repaired.
    #[schema(value_type = Option<String>, required = true)]
    connection: Option<ConnectionId>,
    /// Why it failed.
    #[schema(required = true)]
    error: Option<String>,
    /// When it was made.
    created_at: Time,
    /// When it ends.
    expires_at: Time,
}

impl From<SessionView> for ConnectSession {
    fn from(view: SessionView) -> Self {
        let SessionView { id, status, connection, error, created_at, expires_at } = view;
        Self { id, status, connection, error, created_at: Time(created_at), expires_at: Time(expires_at) }
    }
}

/// Who came back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    /// The `code` that the browser brought to the return URL.
    #[schema(value_type = String, write_only)]
    code: CompletionCode,
    /// The customer whose browser brought it, by your own sign-in.
    #[schema(value_type = String)]
    customer: CustomerId,
}

/// Make a connect link
///
/// Send the customer's browser to its `url`: there they choose, consent at the provider, and come back.
#[utoipa::path(
    post, path = "/v1/connect-sessions", tag = "connect sessions", request_body = NewConnectSession,
    responses((status = 201, description = "The link.", body = ConnectLink)),
)]
async fn create_connect_session(
    call: Call<ConnectSessionsWrite, (), Nothing, Json<NewConnectSession>>,
) -> Result<Reply> {
    let broker = call.state.broker.clone();
    let NewConnectSession { customer, apps, connection, return_url, expires_in } = call.body.0;
    let new = NewSession { customer, apps, connection, return_url, expires_in: expires_in.map(Duration::from_secs) };
    let link = broker.create_session(&call.caller, new).await?;
    reply::created(&ConnectLink::from(&link))
}

/// Get a connect session
#[utoipa::path(
    get, path = "/v1/connect-sessions/{id}", tag = "connect sessions",
    params(("id" = String, Path, description = "The session.")),
    responses((status = 200, description = "How it stands.", body = ConnectSession)),
)]
async fn get_connect_session(call: Call<ConnectSessionsRead, Id<ConnectSessionId>>) -> Result<Reply> {
    reply::ok(&ConnectSession::from(call.broker().session(&call.caller, call.path.0).await?))
}

/// Confirm who came back
///
/// The finisher check: only now the provider's code is exchanged. A wrong answer ends the session for everybody.
#[utoipa::path(
    post, path = "/v1/connect-sessions/{id}/complete", tag = "connect sessions", request_body = Confirmation,
    params(("id" = String, Path, description = "The session.")),
    responses((status = 200, description = "The connection that was made or repaired.", body = Connection)),
)]
async fn complete_connect_session(
    call: Call<ConnectSessionsWrite, Id<ConnectSessionId>, Nothing, Json<Confirmation>>,
) -> Result<Reply> {
    let broker = call.state.broker.clone();
    let Confirmation { code, customer } = call.body.0;
    let view = broker.complete_session(&call.caller, call.path.0, Completion { code, customer }).await?;
    reply::ok(&Connection::from(view))
}
