//! The introspection endpoint (RFC 7662). Tokens of others look like unknown ones; asking is not using.

use crate::class::RecoveryClass;
use crate::flight::Decision;
use crate::inbound::Inbound;
use crate::ledger::{FamilyId, TokenId};
use crate::params::Params;
use crate::reply::{OAuthError, Reply};
use crate::shared::Shared;
use crate::state::State;
use actix_web::http::StatusCode;
use serde_json::{Value, json};

/// `POST /{class}/introspect`
pub fn decide(state: &State, shared: &Shared, inbound: &Inbound, params: &Params) -> Result<Decision, OAuthError> {
    let client = inbound.authenticate(state, params)?;
    let token = params.get("token").map(TokenId::of).ok_or(OAuthError::invalid_request("`token` is missing"))?;
    let (family, body) = look_up(state, shared, inbound.class, &client, token)
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
    let rules = state.settings(class).rules();
    let (family_id, scopes, mut body) = if let Some(record) = ledger.refresh.get(&token) {
        let family = ledger.families.get(&record.family)?;
        if !ledger.refresh_is_good(record, &rules, now) {
            return None;
        }
        let mut body = json!({"active": true, "iat": record.issued_at / 1000});
        if let Some(end) = rules.refresh_end(family) {
            body["exp"] = (end / 1000).into();
        }
        (record.family, &family.scopes, body)
    } else {
        let record = ledger.access.get(&token).filter(|record| ledger.access_is_good(record, &rules, now))?;
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
