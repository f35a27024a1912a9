//! Issuing tokens and saying so (RFC 6749 section 5.1).

use crate::class::RecoveryClass;
use crate::flight::Decision;
use crate::ledger::{FamilyId, Mint, TokenId};
use crate::reply::{OAuthError, Reply};
use crate::settings::ExpiresIn;
use crate::shared::Shared;
use crate::state::State;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use mortise_domain::{AccessToken, RefreshToken, ScopeSet};
use serde_json::{Value, json};

/// What a client gets.
pub struct Issued {
    pub access: AccessToken,
    pub access_id: TokenId,
    pub refresh: Option<RefreshToken>,
    pub refresh_id: Option<TokenId>,
    /// That the access token has left.
    pub seconds: u32,
}

/// Issues tokens for a family by its class's settings. `None`: there is no such family.
pub fn issue_tokens(
    state: &mut State,
    shared: &Shared,
    family_id: FamilyId,
    parent: Option<TokenId>,
    with_refresh: bool,
    scopes: ScopeSet,
) -> Option<Issued> {
    let now = shared.now();
    let family = state.ledger.families.get(&family_id)?;
    let settings = state.settings(family.class);
    let until_the_end = settings.rules().absolute_end(family).map_or(i64::MAX, |end| end.saturating_sub(now));
    let lifetime = settings.lifetime_ms(family.generation).min(until_the_end.max(0));
    let (ends_prior_access, keeps) = (settings.ends_prior_access_tokens, settings.same_access_token);
    let repeated = if keeps { repeatable(state, family_id, now) } else { None };
    let order = Mint {
        parent,
        repeat_access: repeated.as_ref().map(|(id, _)| *id),
        with_refresh,
        ends_prior_access,
        lifetime: repeated.map_or(lifetime, |(_, left)| left),
        scopes,
        now,
    };
    let seconds = u32::try_from(order.lifetime / 1000).unwrap_or(u32::MAX);
    let minted = state.ledger.mint(family_id, order, &*shared.entropy)?;
    let access = match minted.access {
        Some(access) => {
            if keeps {
                state.repeatable.insert(family_id, AccessToken::new(access.expose().to_owned()));
            }
            access
        }
        None => AccessToken::new(state.repeatable.get(&family_id)?.expose().to_owned()),
    };
    Some(Issued {
        access,
        access_id: minted.access_id,
        refresh: minted.refresh,
        refresh_id: minted.refresh_id,
        seconds,
    })
}

/// The access token to give out again, with the milliseconds that it has left: at least a second.
fn repeatable(state: &State, family: FamilyId, now: i64) -> Option<(TokenId, i64)> {
    let id = TokenId::of(state.repeatable.get(&family)?.expose());
    let record = state.ledger.access.get(&id)?;
    let rules = state.settings(state.ledger.families.get(&family)?.class).rules();
    let left = record.expires_at.saturating_sub(now);
    (left >= 1000 && state.ledger.access_is_good(record, &rules, now)).then_some((id, left))
}

/// Issues tokens and tells the client.
pub fn issue(
    state: &mut State,
    shared: &Shared,
    class: RecoveryClass,
    family: FamilyId,
    parent: Option<TokenId>,
    with_refresh: bool,
    scopes: ScopeSet,
) -> Result<Decision, OAuthError> {
    let issued = issue_tokens(state, shared, family, parent, with_refresh, scopes.clone())
        .ok_or(OAuthError::server_error("the grant vanished"))?;
    Ok(Decision {
        reply: Reply::json(StatusCode::OK, &reply_body(state, shared, class, family, &scopes, &issued)),
        outcome: "issued",
        family: Some(family),
        issued: (Some(issued.access_id), issued.refresh_id),
        reuse: false,
        changed: true,
    })
}

fn reply_body(
    state: &State,
    shared: &Shared,
    class: RecoveryClass,
    family: FamilyId,
    scopes: &ScopeSet,
    issued: &Issued,
) -> Value {
    let settings = state.settings(class);
    let mut body = json!({
        "access_token": issued.access.expose(),
        "token_type": "Bearer",
        "instance_url": shared.issuer(class),
    });
    match settings.expires_in {
        ExpiresIn::Number => body["expires_in"] = issued.seconds.into(),
        ExpiresIn::Text => body["expires_in"] = issued.seconds.to_string().into(),
        ExpiresIn::Omitted => {}
    }
    if let Some(refresh) = &issued.refresh {
        body["refresh_token"] = refresh.expose().into();
    }
    if settings.refresh_token_expires_in
        && let Some(end) = state.ledger.families.get(&family).and_then(|family| settings.rules().refresh_end(family))
    {
        body["refresh_token_expires_in"] = (end.saturating_sub(shared.now()) / 1000).into();
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
