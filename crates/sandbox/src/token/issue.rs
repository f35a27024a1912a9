//! Issuing tokens and saying so (RFC 6749 section 5.1).

use crate::class::RecoveryClass;
use crate::ledger::{FamilyId, Mint, Minted, TokenId};
use crate::reply::{OAuthError, Reply};
use crate::serve::Decision;
use crate::settings::ExpiresIn;
use crate::shared::Shared;
use crate::state::State;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use mortise_domain::ScopeSet;
use serde_json::{Value, json};

/// Issues tokens for a family.
pub fn issue(
    state: &mut State,
    shared: &Shared,
    class: RecoveryClass,
    family: FamilyId,
    parent: Option<TokenId>,
    with_refresh: bool,
    scopes: ScopeSet,
) -> Result<Decision, OAuthError> {
    let order = Mint {
        parent,
        with_refresh,
        ends_prior_access: state.settings(class).ends_prior_access_tokens,
        lifetime: state.settings(class).lifetime_ms(),
        scopes: scopes.clone(),
        now: shared.now(),
    };
    let minted =
        state.ledger.mint(family, order, &*shared.entropy).ok_or(OAuthError::server_error("the grant vanished"))?;
    Ok(Decision {
        reply: Reply::json(StatusCode::OK, &reply_body(state, shared, class, &scopes, &minted)),
        outcome: "issued",
        family: Some(family),
        issued: (Some(minted.access_id), minted.refresh_id),
        changed: true,
    })
}

fn reply_body(state: &State, shared: &Shared, class: RecoveryClass, scopes: &ScopeSet, minted: &Minted) -> Value {
    let settings = state.settings(class);
    let mut body = json!({
        "access_token": minted.access.expose(),
        "token_type": "Bearer",
        "instance_url": shared.issuer(class),
    });
    let seconds = settings.access_token_lifetime;
    match settings.expires_in {
        ExpiresIn::Number => body["expires_in"] = seconds.into(),
        ExpiresIn::Text => body["expires_in"] = seconds.to_string().into(),
        ExpiresIn::Omitted => {}
    }
    if let Some(refresh) = &minted.refresh {
        body["refresh_token"] = refresh.expose().into();
    }
    if !scopes.is_empty() {
        body["scope"] = scopes.join(" ").into();
    }
    for (name, value) in &settings.extra {
        body[name] = value.clone();
    }
    body
}

/// Adds a member to a JSON reply.
pub fn with_member(mut reply: Reply, name: &str, value: &str) -> Reply {
    if let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) {
        body[name] = value.into();
        reply.body = Bytes::from(body.to_string());
    }
    reply
}
