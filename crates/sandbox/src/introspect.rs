//! The introspection endpoint (RFC 7662). Tokens of others look like unknown ones; asking is not using.

use crate::class::RecoveryClass;
use crate::ledger::{FamilyId, TokenId};
use crate::log::Endpoint;
use crate::params::Params;
use crate::reply::{OAuthError, Reply, ReplyBody};
use crate::revoke::describe;
use crate::serve::{Decision, serve};
use crate::shared::Shared;
use crate::state::State;
use crate::token::{authenticate, read_params};
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

/// `POST /{class}/introspect`
pub async fn introspect(
    request: HttpRequest,
    class: Path<RecoveryClass>,
    body: Result<Bytes, actix_web::Error>,
    shared: Data<Shared>,
) -> HttpResponse<ReplyBody> {
    let class = class.into_inner();
    let headers = request.headers().clone();
    let params = read_params(&headers, body);
    let call = describe(&headers, params.as_ref().ok());
    serve(&shared, class, Endpoint::Introspect, call, move |state, shared| {
        params.and_then(|params| decide(state, shared, class, &headers, &params)).unwrap_or_else(Decision::from)
    })
    .await
}

fn decide(
    state: &State,
    shared: &Shared,
    class: RecoveryClass,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Decision, OAuthError> {
    let client = authenticate(state, headers, params)?;
    let token = params.get("token").map(TokenId::of).ok_or(OAuthError::invalid_request("`token` is missing"))?;
    let (family, body) = look_up(state, shared, class, &client, token)
        .map_or((None, json!({"active": false})), |(family, body)| (Some(family), body));
    let mut decision = Decision::plain(Reply::json(StatusCode::OK, &body), "ok");
    decision.family = family;
    Ok(decision)
}

/// The family and what to say about it, if the token is good and `client`'s.
fn look_up(
    state: &State,
    shared: &Shared,
    class: RecoveryClass,
    client: &str,
    token: TokenId,
) -> Option<(FamilyId, Value)> {
    let (ledger, now) = (&state.ledger, shared.now());
    let grace = state.settings(class).grace_ms();
    let (family_id, scopes, mut body) = if let Some(record) = ledger.refresh.get(&token) {
        let family = ledger.families.get(&record.family)?;
        let good = ledger.refresh_is_good(record, grace, now);
        good.then(|| (record.family, &family.scopes, json!({"active": true, "iat": record.issued_at / 1000})))?
    } else {
        let record = ledger.access.get(&token).filter(|record| ledger.access_is_good(record, now))?;
        let (issued, expires) = (record.issued_at / 1000, record.expires_at / 1000);
        let body = json!({"active": true, "token_type": "Bearer", "iat": issued, "exp": expires});
        (record.family, &record.scopes, body)
    };
    let family = ledger.families.get(&family_id).filter(|f| f.class == class && f.client_id == client)?;
    body["client_id"] = family.client_id.as_str().into();
    body["iss"] = shared.issuer(class).into();
    if !scopes.is_empty() {
        body["scope"] = scopes.join(" ").into();
    }
    if let Some(subject) = &family.subject {
        body["sub"] = subject.as_str().into();
    }
    Some((family_id, body))
}
