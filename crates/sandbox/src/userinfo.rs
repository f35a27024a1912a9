//! Stands for the provider's API: answers who consented, to whoever holds a good access token (RFC 6750 section 2.1).

use crate::accounts::account;
use crate::flight::Decision;
use crate::inbound::Inbound;
use crate::reply::{OAuthError, Reply};
use crate::shared::Shared;
use crate::state::State;
use actix_web::http::StatusCode;
use serde_json::json;

/// `GET /{class}/userinfo`
pub fn decide(state: &mut State, shared: &Shared, inbound: &Inbound) -> Result<Decision, OAuthError> {
    let class = inbound.class;
    let token = inbound.bearer().ok_or(OAuthError::invalid_token("no bearer token was sent"))?;
    let rules = state.settings(class).rules();
    let (family, record) = state
        .ledger
        .use_access(token, class, &rules, shared.now())
        .ok_or(OAuthError::invalid_token("the access token is unknown, expired or revoked"))?;
    let mut body = json!({"sub": family.subject, "client_id": family.client_id, "scope": record.scopes.join(" ")});
    if let Some(account) = family.subject.as_deref().and_then(account) {
        body["name"] = account.name.into();
        body["email"] = account.email.into();
    }
    let mut decision = Decision::plain(Reply::json(StatusCode::OK, &body), "ok");
    // Being used may end the refresh token that it was issued for.
    decision.changed = class.use_supersedes_parent();
    Ok(decision)
}
