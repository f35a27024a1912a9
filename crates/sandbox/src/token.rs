//! The token endpoint (RFC 6749 section 3.2): code exchange, refresh, client credentials.

mod grants;
mod issue;

use crate::class::RecoveryClass;
use crate::client_auth::credentials;
use crate::ledger::TokenId;
use crate::log::Endpoint;
use crate::params::{Params, ParamsError};
use crate::reply::{OAuthError, ReplyBody};
use crate::serve::{Decision, serve};
use crate::shared::Shared;
use crate::state::{Call, State};
use actix_web::http::header::HeaderMap;
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use grants::{exchange_code, refresh};
use issue::issue;
use mortise_domain::ScopeSet;

/// `POST /{class}/token`
pub async fn token(
    request: HttpRequest,
    class: Path<RecoveryClass>,
    body: Result<Bytes, actix_web::Error>,
    shared: Data<Shared>,
) -> HttpResponse<ReplyBody> {
    let class = class.into_inner();
    let headers = request.headers().clone();
    let params = read_params(&headers, body);
    let call = describe(&headers, params.as_ref().ok());
    serve(&shared, class, Endpoint::Token, call, move |state, shared| {
        params.and_then(|params| decide(state, shared, class, &headers, &params)).unwrap_or_else(Decision::from)
    })
    .await
}

/// The parameters of a POST, or what is wrong with them.
pub fn read_params(headers: &HeaderMap, body: Result<Bytes, actix_web::Error>) -> Result<Params, OAuthError> {
    let body = body.map_err(|_| OAuthError::too_large())?;
    Params::from_body(headers, &body).map_err(|error| match error {
        ParamsError::ContentType => {
            OAuthError::invalid_request("the body must be application/x-www-form-urlencoded or application/json")
        }
        ParamsError::Json => OAuthError::invalid_request("the JSON body must be an object whose members are strings"),
        ParamsError::Repeated => OAuthError::invalid_request("a parameter is repeated"),
    })
}

fn describe(headers: &HeaderMap, params: Option<&Params>) -> Call {
    let Some(params) = params else {
        return Call::default();
    };
    let grant_type = params.get("grant_type");
    let exchanges = grant_type == Some("refresh_token");
    let token = if exchanges { params.get("refresh_token") } else { params.get("code") };
    Call {
        grant_type: grant_type.map(str::to_owned),
        client_id: credentials(headers, params).ok().map(|credentials| credentials.client_id),
        token: token.map(TokenId::of),
        exchanges,
    }
}

fn decide(
    state: &mut State,
    shared: &Shared,
    class: RecoveryClass,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Decision, OAuthError> {
    let client = authenticate(state, headers, params)?;
    match params.get("grant_type") {
        Some("authorization_code") => exchange_code(state, shared, class, &client, params),
        Some("refresh_token") => refresh(state, shared, class, &client, params),
        Some("client_credentials") if params.get("client_secret").is_some() || is_basic(headers) => {
            let scopes = ScopeSet::parse(params.get("scope").unwrap_or_default(), " ");
            let family = state.ledger.open_service(class, &client, shared.now());
            issue(state, shared, class, family, None, false, scopes)
        }
        Some("client_credentials") => {
            Err(OAuthError::bad_request("unauthorized_client", "a public client has no credentials of its own"))
        }
        Some(_) => Err(OAuthError::bad_request("unsupported_grant_type", "this grant type is not known here")),
        None => Err(OAuthError::invalid_request("`grant_type` is missing")),
    }
}

fn is_basic(headers: &HeaderMap) -> bool {
    headers.contains_key(actix_web::http::header::AUTHORIZATION)
}

/// The id of the client that proved itself.
pub fn authenticate(state: &State, headers: &HeaderMap, params: &Params) -> Result<String, OAuthError> {
    let credentials = credentials(headers, params)?;
    if state.clients.authenticate(&credentials) {
        Ok(credentials.client_id)
    } else {
        Err(OAuthError::invalid_client("the client is unknown or its secret is wrong", credentials.basic))
    }
}
