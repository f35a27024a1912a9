//! What the device flow (RFC 8628) and the implicit grant (RFC 6749 section 4.2) need, and what they have no use for.

use super::Findings;
use crate::diagnostic::Code;
use crate::{ClientAuthentication, OAuth2, RecoveryClass, TokenBody};

const GRANT: &str = "/auth/grant";
const NO_PKCE: &str = "there is no code to protect with PKCE";
const NO_CALLBACK: &str = "there is no callback";
const NO_REFRESH: &str = "nothing is refreshed";
const NO_TOKEN_REQUEST: &str = "the token comes with the callback";
const NO_REQUEST: &str = "the provider is asked nothing";

pub(super) fn device_code(auth: &OAuth2, found: &mut Findings) {
    if auth.device_authorization_url.is_none() {
        let message = "the grant `device_code` needs a `device_authorization_url`: say where a user code is asked for";
        found.add(Code::MissingMember, "/auth/device_authorization_url", message).about(GRANT);
    }
    let useless = [
        ("authorization_url", auth.authorization_url.is_some(), "the provider says where customers go"),
        ("pkce_disabled_reason", auth.pkce_disabled_reason.is_some(), NO_PKCE),
        ("issuer", auth.issuer.is_some() && !auth.client_authentication.signs(), "there is no callback to check it in"),
        ("authorization_request", auth.authorization_request != Default::default(), "nobody is sent anywhere"),
        ("callback", auth.callback != Default::default(), NO_CALLBACK),
        ("long_lived_exchange", auth.long_lived_exchange.is_some(), "there is no code to exchange"),
    ];
    refuse("device_code", &useless, found);
}

pub(super) fn implicit(auth: &OAuth2, found: &mut Findings) {
    if auth.authorization_url.is_none() {
        let message = "the grant `implicit` needs an `authorization_url`: say where customers consent";
        found.add(Code::MissingMember, "/auth/authorization_url", message).about(GRANT);
    }
    let asks = auth.revocation_url.is_some() || auth.introspection_url.is_some();
    let usual_client = auth.client_authentication == ClientAuthentication::default();
    let useless = [
        ("token_url", !auth.token_url.is_empty(), NO_TOKEN_REQUEST),
        ("token_body", auth.token_body != TokenBody::default(), NO_TOKEN_REQUEST),
        ("token_params", !auth.token_params.is_empty(), NO_TOKEN_REQUEST),
        ("token_request", auth.token_request != Default::default(), NO_TOKEN_REQUEST),
        ("long_lived_exchange", auth.long_lived_exchange.is_some(), "there is no code to exchange"),
        ("pkce_disabled_reason", auth.pkce_disabled_reason.is_some(), NO_PKCE),
        ("refresh_url", auth.refresh_url.is_some(), NO_REFRESH),
        ("refresh_params", !auth.refresh_params.is_empty(), NO_REFRESH),
        ("refresh_request", auth.refresh_request != Default::default(), NO_REFRESH),
        ("refresh_errors", !auth.refresh_errors.is_empty(), NO_REFRESH),
        ("refresh_margin", auth.refresh_margin.is_some(), NO_REFRESH),
        ("refresh_window", auth.refresh_window.is_some(), NO_REFRESH),
        ("recovery_class", auth.recovery_class != RecoveryClass::default(), NO_REFRESH),
        ("grace", auth.grace.is_some(), NO_REFRESH),
        ("kills_prior_access_token", auth.kills_prior_access_token, NO_REFRESH),
        ("reuse_penalty", auth.reuse_penalty, NO_REFRESH),
        ("mint_rate", auth.mint_rate.is_some(), NO_REFRESH),
        ("rate_limit", auth.rate_limit.is_some(), NO_REFRESH),
        ("concurrency", auth.concurrency.is_some(), NO_REFRESH),
        ("idle_limit", auth.idle_limit.is_some(), "there is no refresh token to end"),
        ("absolute_limit", auth.absolute_limit.is_some(), "the grant ends with its token"),
        ("client_authentication", !asks && !usual_client, NO_REQUEST),
        ("client_id_header", !asks && auth.client_id_header.is_some(), NO_REQUEST),
        ("client_secret_header", !asks && auth.client_secret_header.is_some(), NO_REQUEST),
        ("token_headers", !asks && !auth.token_headers.is_empty(), NO_REQUEST),
        ("retry_hint", auth.retry_hint.is_some(), NO_REFRESH),
    ];
    refuse("implicit", &useless, found);
    let message = "the token passes through the browser's address and cannot be renewed (RFC 9700 section 2.1.2): use \
                   `authorization_code` wherever the provider has it";
    found.add(Code::LegacyGrant, GRANT, message).warning();
    for (member, given) in [("code", auth.callback.code.is_some()), ("hmac", auth.callback.hmac.is_some())] {
        if given {
            let message =
                format!("`{member}` has no use with the grant `implicit`, whose callback brings no code: remove it");
            found.add(Code::IgnoredMember, format!("/auth/callback/{member}"), message).at_name().about(GRANT);
        }
    }
}

/// What belongs to one of these grants alone.
pub(super) fn elsewhere(auth: &OAuth2, found: &mut Findings) {
    if auth.device_authorization_url.is_some() {
        let message = "`device_authorization_url` belongs to the grant `device_code`: remove it";
        found.add(Code::IgnoredMember, "/auth/device_authorization_url", message).at_name().about(GRANT);
    }
}

fn refuse(grant: &str, useless: &[(&str, bool, &str)], found: &mut Findings) {
    for (member, _, why) in useless.iter().filter(|(_, given, _)| *given) {
        let message = format!("`{member}` has no use with the grant `{grant}`, where {why}: remove it");
        found.add(Code::IgnoredMember, format!("/auth/{member}"), message).at_name().about(GRANT);
    }
}
