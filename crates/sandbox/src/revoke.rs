//! The revocation endpoint (RFC 7009). A refresh token takes its whole grant along, an access token only itself.

use crate::flight::Decision;
use crate::inbound::Inbound;
use crate::ledger::{Ended, TokenId};
use crate::params::Params;
use crate::reply::{OAuthError, Reply};
use crate::shared::Shared;
use crate::state::State;
use actix_web::http::StatusCode;

/// `POST /{class}/revoke`
pub fn decide(state: &mut State, shared: &Shared, inbound: &Inbound, params: &Params) -> Result<Decision, OAuthError> {
    let client = inbound.authenticate(state, params)?;
    let token = params.get("token").map(TokenId::of).ok_or(OAuthError::invalid_request("`token` is missing"))?;
    let ledger = &mut state.ledger;
    let family_id = match (ledger.refresh.get(&token), ledger.access.get(&token)) {
        (Some(record), _) => record.family,
        (None, Some(record)) => record.family,
        // Unknown tokens are as revoked as can be (RFC 7009 section 2.2).
        (None, None) => return Ok(Decision::plain(Reply::empty(StatusCode::OK), "ok")),
    };
    let ours = ledger.families.get(&family_id).is_some_and(|f| f.class == inbound.class && f.client_id == client);
    if !ours {
        return Err(OAuthError::bad_request("unauthorized_client", "the token was issued to somebody else"));
    }
    match ledger.access.get_mut(&token) {
        Some(record) => record.revoked = true,
        None => {
            ledger.end(family_id, Ended::Revoked, shared.now());
        }
    }
    let mut decision = Decision::plain(Reply::empty(StatusCode::OK), "ok");
    decision.family = Some(family_id);
    decision.changed = true;
    Ok(decision)
}
