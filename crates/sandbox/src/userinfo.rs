//! Stands for the provider's API: answers who consented, to whoever holds a good access token (RFC 6750 section 2.1).

use crate::accounts::account;
use crate::class::RecoveryClass;
use crate::ledger::TokenId;
use crate::log::Endpoint;
use crate::reply::{OAuthError, Reply, ReplyBody};
use crate::serve::{Decision, serve};
use crate::shared::Shared;
use crate::state::{Call, State};
use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

/// `GET /{class}/userinfo`
pub async fn userinfo(
    request: HttpRequest,
    class: Path<RecoveryClass>,
    shared: Data<Shared>,
) -> HttpResponse<ReplyBody> {
    let class = class.into_inner();
    let token = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| TokenId::of(token.trim()));
    let call = Call { token, ..Call::default() };
    serve(&shared, class, Endpoint::Userinfo, call, move |state, shared| decide(state, shared, class, token)).await
}

fn decide(state: &mut State, shared: &Shared, class: RecoveryClass, token: Option<TokenId>) -> Decision {
    let Some(token) = token else {
        return OAuthError::invalid_token("no bearer token was sent").into();
    };
    let Some((family, record)) = state.ledger.use_access(token, class, shared.now()) else {
        return OAuthError::invalid_token("the access token is unknown, expired or revoked").into();
    };
    let mut body = json!({"sub": family.subject, "client_id": family.client_id, "scope": record.scopes.join(" ")});
    if let Some(account) = family.subject.as_deref().and_then(account) {
        body["name"] = account.name.into();
        body["email"] = account.email.into();
    }
    let mut decision = Decision::plain(Reply::json(StatusCode::OK, &body), "ok");
    // Being used may end the refresh token that it was issued for.
    decision.changed = class.use_supersedes_parent();
    decision
}
