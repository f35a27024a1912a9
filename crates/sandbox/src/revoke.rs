//! The revocation endpoint (RFC 7009). A refresh token takes its whole grant along, an access token only itself.

use crate::class::RecoveryClass;
use crate::client_auth::credentials;
use crate::ledger::{Ended, TokenId};
use crate::log::Endpoint;
use crate::params::Params;
use crate::reply::{OAuthError, Reply, ReplyBody};
use crate::serve::{Decision, serve};
use crate::shared::Shared;
use crate::state::{Call, State};
use crate::token::{authenticate, read_params};
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};

/// `POST /{class}/revoke`
pub async fn revoke(
    request: HttpRequest,
    class: Path<RecoveryClass>,
    body: Result<Bytes, actix_web::Error>,
    shared: Data<Shared>,
) -> HttpResponse<ReplyBody> {
    let class = class.into_inner();
    let headers = request.headers().clone();
    let params = read_params(&headers, body);
    let call = describe(&headers, params.as_ref().ok());
    serve(&shared, class, Endpoint::Revoke, call, move |state, _| {
        params.and_then(|params| decide(state, class, &headers, &params)).unwrap_or_else(Decision::from)
    })
    .await
}

/// What the log says of a request that carries a `token`.
pub fn describe(headers: &HeaderMap, params: Option<&Params>) -> Call {
    Call {
        client_id: params.and_then(|params| credentials(headers, params).ok()).map(|c| c.client_id),
        token: params.and_then(|params| params.get("token")).map(TokenId::of),
        ..Call::default()
    }
}

fn decide(
    state: &mut State,
    class: RecoveryClass,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Decision, OAuthError> {
    let client = authenticate(state, headers, params)?;
    let token = params.get("token").map(TokenId::of).ok_or(OAuthError::invalid_request("`token` is missing"))?;
    let ledger = &mut state.ledger;
    let family_id = match (ledger.refresh.get(&token), ledger.access.get(&token)) {
        (Some(record), _) => record.family,
        (None, Some(record)) => record.family,
        // Unknown tokens are as revoked as can be (RFC 7009 section 2.2).
        (None, None) => return Ok(Decision::plain(Reply::empty(StatusCode::OK), "ok")),
    };
    let ours = ledger.families.get(&family_id).is_some_and(|f| f.class == class && f.client_id == client);
    if !ours {
        return Err(OAuthError::bad_request("unauthorized_client", "the token was issued to somebody else"));
    }
    match ledger.access.get_mut(&token) {
        Some(record) => record.revoked = true,
        None => {
            ledger.end(family_id, Ended::Revoked);
        }
    }
    let mut decision = Decision::plain(Reply::empty(StatusCode::OK), "ok");
    decision.family = Some(family_id);
    decision.changed = true;
    Ok(decision)
}
