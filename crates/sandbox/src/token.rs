//! The token endpoint (RFC 6749 section 3.2): code exchange, refresh, client credentials, and what needs no consent.

mod given;
mod grants;
mod issue;

use crate::device;
use crate::flight::Decision;
use crate::inbound::Inbound;
use crate::params::Params;
use crate::reply::OAuthError;
use crate::shared::Shared;
use crate::state::State;
use actix_web::http::header::AUTHORIZATION;
use grants::{exchange_code, refresh};
pub use issue::{issue, issue_tokens};
use mortise_domain::ScopeSet;

/// `POST /{class}/token`
pub fn decide(state: &mut State, shared: &Shared, inbound: &Inbound, params: &Params) -> Result<Decision, OAuthError> {
    let class = inbound.class;
    if params.get("grant_type") == Some(given::JWT_BEARER) {
        return given::jwt_bearer(state, shared, inbound, params);
    }
    let client = inbound.authenticate(state, params)?;
    match params.get("grant_type") {
        Some("password") => given::password(state, shared, inbound, &client, params),
        Some(given::SAML2_BEARER) => given::saml2_bearer(state, shared, inbound, &client, params),
        Some(given::TOKEN_EXCHANGE) => given::token_exchange(state, shared, inbound, &client, params),
        Some("authorization_code") => exchange_code(state, shared, class, &client, params),
        Some(device::GRANT_TYPE) => device::token(state, shared, class, &client, params),
        Some("refresh_token") => refresh(state, shared, class, &client, params),
        Some("client_credentials")
            if params.get("client_secret").is_some() || inbound.headers.contains_key(AUTHORIZATION) =>
        {
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
