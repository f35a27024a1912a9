//! Access tokens: the one place where a provider's token leaves the service.

use super::wire::Time;
use crate::access::TokensRead;
use crate::call::Call;
use crate::input::{Id, Json, Nothing, Object};
use crate::problem::{Code, Context, Problem, ProblemBody, Result};
use crate::reply::{self, Reply};
use crate::routes::Routes;
use actix_web::http::header::PRAGMA;
use futures_util::StreamExt as _;
use mortise_broker::{FurtherAnswer, Oauth1Answer, TokenAnswer, TokenRequest};
use mortise_domain::{AppId, ConnectionId, CustomerId, PastedSecret, ScopeSet};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// The most tokens of one call.
const MOST: usize = 100;
/// How many of them are looked up at once.
const AT_ONCE: usize = 16;

const CODES: &[Code] = &[
    Code::NotFound,
    Code::ConnectionNeedsReauth,
    Code::ConnectionPending,
    Code::ConnectionRevoked,
    Code::Held,
    Code::ConnectionQuarantined,
    Code::MinTtlUnavailable,
    Code::ProviderUnavailable,
    Code::ProviderThrottled,
    Code::AppHeld,
];

pub(super) fn add(routes: &mut Routes) {
    routes
        .add(__path_get_connection_token, get_connection_token, CODES)
        .add(__path_get_token, get_token, &[CODES, &[Code::AmbiguousConnection]].concat())
        .add(__path_get_tokens, get_tokens, &[]);
}

/// How long the token has to live.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TokenQuery {
    /// Seconds of life that the token must have left, at most half of what the provider's tokens live. Absent: a minute, or
    /// a quarter of a shorter life; and whatever is still valid where no refresh can bring that just now.
    min_ttl: Option<u32>,
}

/// Which connection, by its natural key.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NaturalKeyQuery {
    /// The customer's id.
    #[param(value_type = String)]
    customer: CustomerId,
    /// The app's id.
    #[param(value_type = String)]
    app: AppId,
    /// As for a connection's token.
    min_ttl: Option<u32>,
}

/// Which tokens.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokensRequest {
    /// One a token, 1 to 100.
    #[schema(value_type = Vec<TokenOf>, min_items = 1, max_items = 100)]
    tokens: Vec<Object<TokenOf>>,
}

/// One token: name `connection`, or `customer` and `app`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenOf {
    /// The connection.
    #[schema(value_type = Option<String>)]
    connection: Option<ConnectionId>,
    /// The customer's id.
    #[schema(value_type = Option<String>)]
    customer: Option<CustomerId>,
    /// The app's id.
    #[schema(value_type = Option<String>)]
    app: Option<AppId>,
    /// Seconds of life that the token must have left.
    min_ttl: Option<u32>,
}

/// A valid access token. Never the refresh token.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
struct TokenBody<'a> {
    /// Present this to the provider.
    access_token: &'a str,
    /// How to present it, in lower case (RFC 6749 section 7.1).
    #[schema(example = "bearer")]
    token_type: &'a str,
    /// When it ends; `null` where nobody knows.
    #[schema(required = true)]
    expires_at: Option<Time>,
    /// Whole seconds until then, at the moment of the answer.
    #[schema(required = true)]
    expires_in: Option<i64>,
    /// From then on a newer token is about to be there: ask again.
    #[schema(required = true)]
    refresh_after: Option<Time>,
    /// What the provider granted.
    #[schema(value_type = Vec<String>)]
    granted_scopes: &'a ScopeSet,
    /// What was asked for and not granted.
    #[schema(value_type = Vec<String>)]
    missing_scopes: &'a ScopeSet,
    /// Fields of the provider's reply that the manifest lifts, such as `instance_url`.
    #[schema(value_type = Object, additional_properties)]
    extra: &'a BTreeMap<String, Value>,
    /// Headers that every call to the provider carries, where the customer pasted credentials.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<&'a str, &'a str>,
    /// Parameters that the query of every call carries, where the customer pasted credentials.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query: BTreeMap<&'a str, &'a str>,
    /// Where the token is of OAuth 1.0 (`token_type` is `oauth1`): what calls are signed with (RFC 5849 section 3.4), but for
    /// the client's secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    oauth1: Option<Oauth1Body<'a>>,
    /// Where the token is bound to a key (`token_type` is `dpop`): the private key as a JWK, with which each call to the
    /// provider proves possession (RFC 9449 section 4). It stays the same for as long as the connection lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    dpop_key: Option<BTreeMap<&'a str, &'a str>>,
    /// Where the provider gives several tokens with one consent: the others, by the manifest's names. `expires_at` is that of
    /// `access_token`; each of these has its own. One that has ended is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    further_tokens: Option<BTreeMap<&'a str, FurtherBody<'a>>>,
    /// The connection.
    #[schema(value_type = String, example = "con_0192d5e8f3a17c0e9b1d2f3a4b5c6d7e")]
    connection: ConnectionId,
}

/// A further token of a connection.
#[derive(Serialize, ToSchema)]
#[schema(as = FurtherToken)]
struct FurtherBody<'a> {
    /// Present this to the provider.
    access_token: &'a str,
    /// How to present it, in lower case.
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// When it ends; `null` where nobody knows.
    #[schema(required = true)]
    expires_at: Option<Time>,
    /// What the provider granted to it; empty where it did not say.
    #[schema(value_type = Vec<String>)]
    granted_scopes: &'a ScopeSet,
}

impl<'a> From<&'a FurtherAnswer> for FurtherBody<'a> {
    fn from(answer: &'a FurtherAnswer) -> Self {
        Self {
            access_token: answer.access_token.expose(),
            token_type: "bearer",
            expires_at: answer.expires_at.map(Time),
            granted_scopes: &answer.granted_scopes,
        }
    }
}

/// What calls with a token of OAuth 1.0 are signed with. The client's secret stays here: whoever signs has it from where the
/// client was registered.
#[derive(Serialize, ToSchema)]
#[schema(as = Oauth1)]
struct Oauth1Body<'a> {
    /// `oauth_consumer_key`: the app's client id.
    consumer_key: &'a str,
    /// The secret that belongs to the access token.
    token_secret: &'a str,
    /// `oauth_signature_method`.
    #[schema(example = "HMAC-SHA1")]
    signature_method: &'a str,
}

impl<'a> From<&'a Oauth1Answer> for Oauth1Body<'a> {
    fn from(answer: &'a Oauth1Answer) -> Self {
        Self {
            consumer_key: &answer.consumer_key,
            token_secret: answer.token_secret.expose(),
            signature_method: answer.signature_method,
        }
    }
}

impl<'a> From<&'a TokenAnswer> for TokenBody<'a> {
    fn from(answer: &'a TokenAnswer) -> Self {
        Self {
            access_token: answer.access_token.expose(),
            token_type: answer.token_type.as_str(),
            expires_at: answer.expires_at.map(Time),
            expires_in: answer.expires_in,
            refresh_after: answer.refresh_after.map(Time),
            granted_scopes: &answer.granted_scopes,
            missing_scopes: &answer.missing_scopes,
            extra: &answer.extra,
            headers: exposed(&answer.headers),
            query: exposed(&answer.query),
            oauth1: answer.oauth1.as_ref().map(Oauth1Body::from),
            dpop_key: answer.dpop_key.as_ref().and_then(|key| serde_json::from_str(key.expose()).ok()),
            further_tokens: answer
                .further_tokens
                .as_ref()
                .map(|tokens| tokens.iter().map(|(name, token)| (name.as_str(), FurtherBody::from(token))).collect()),
            connection: answer.connection,
        }
    }
}

fn exposed(parts: &BTreeMap<String, PastedSecret>) -> BTreeMap<&str, &str> {
    parts.iter().map(|(name, value)| (name.as_str(), value.expose())).collect()
}

/// A call for several tokens.
type TokensCall = Call<TokensRead, (), Nothing, Json<TokensRequest>>;

/// The tokens in the order in which they were asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
struct TokensBody<'a> {
    /// One a request, each with a token or a problem.
    items: Vec<TokenOrProblem<'a>>,
}

/// Either of the two.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenOrProblem)]
#[serde(rename_all = "snake_case")]
enum TokenOrProblem<'a> {
    /// A valid token.
    Token(TokenBody<'a>),
    /// Why there is none.
    Problem(ProblemBody<'a>),
}

/// Get a connection's access token
///
/// Answers with a token that is valid for at least `min_ttl` seconds, refreshed inside the call where that is needed. A
/// token that is still valid is not withheld because a refresh failed, unless `min_ttl` asks for more life.
#[utoipa::path(
    get, path = "/v1/connections/{id}/token", tag = "tokens",
    params(("id" = String, Path, description = "The connection."), TokenQuery),
    responses((status = 200, description = "A valid token.", body = TokenBody)),
)]
async fn get_connection_token(call: Call<TokensRead, Id<ConnectionId>, TokenQuery>) -> Result<Reply> {
    let request = TokenRequest { min_ttl: call.query.min_ttl, request: Some(call.id) };
    let answer = call.broker().token(&call.caller, call.path.0, request).await?;
    Ok(reply::ok(&TokenBody::from(&answer))?.with(PRAGMA, "no-cache"))
}

/// Get an access token by customer and app
///
/// The same for whoever does not keep connection ids.
#[utoipa::path(
    get, path = "/v1/token", tag = "tokens",
    params(NaturalKeyQuery),
    responses((status = 200, description = "A valid token.", body = TokenBody)),
)]
async fn get_token(call: Call<TokensRead, (), NaturalKeyQuery>) -> Result<Reply> {
    let NaturalKeyQuery { customer, app, min_ttl } = &call.query;
    let request = TokenRequest { min_ttl: *min_ttl, request: Some(call.id) };
    let answer = call.broker().token_of(&call.caller, customer, app, request).await?;
    Ok(reply::ok(&TokenBody::from(&answer))?.with(PRAGMA, "no-cache"))
}

/// Get up to 100 access tokens
///
/// The answer is 200 whatever becomes of the single tokens: each item is a token or a problem.
#[utoipa::path(
    post, path = "/v1/tokens", tag = "tokens",
    request_body = TokensRequest,
    responses((status = 200, description = "A token or a problem for each.", body = TokensBody)),
)]
async fn get_tokens(call: TokensCall) -> Result<Reply> {
    let wanted = &call.body.0.tokens;
    if wanted.is_empty() || wanted.len() > MOST {
        return Err(Problem::invalid("/tokens", "ask for 1 to 100 tokens"));
    }
    let one = |(index, of)| token_of(&call, index, of);
    let found: Vec<_> = futures_util::stream::iter(wanted.iter().map(|of| &of.0).enumerate())
        .map(one)
        .buffered(AT_ONCE)
        .collect()
        .await;
    let items = found.iter().map(|found| shown(found, call.context())).collect();
    Ok(reply::ok(&TokensBody { items })?.with(PRAGMA, "no-cache"))
}

async fn token_of(call: &TokensCall, index: usize, of: &TokenOf) -> Result<TokenAnswer> {
    let (broker, caller) = (call.broker(), &call.caller);
    let request = TokenRequest { min_ttl: of.min_ttl, request: Some(call.id) };
    match (of.connection, &of.customer, &of.app) {
        (Some(id), None, None) => Ok(broker.token(caller, id, request).await?),
        (None, Some(customer), Some(app)) => Ok(broker.token_of(caller, customer, app, request).await?),
        _ => Err(Problem::invalid(format!("/tokens/{index}"), "name either `connection`, or `customer` and `app`")),
    }
}

fn shown<'a>(found: &'a Result<TokenAnswer>, context: Context<'_>) -> TokenOrProblem<'a> {
    match found {
        Ok(answer) => TokenOrProblem::Token(answer.into()),
        Err(problem) => TokenOrProblem::Problem(problem.body(context)),
    }
}
