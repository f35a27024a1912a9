//! What a grant needs, and what it has no use for.

use super::{Findings, flows};
use crate::diagnostic::Code;
use crate::{ClientAuthentication, Grant, OAuth2};

const GRANT: &str = "/auth/grant";
const RENEWAL: &str = "a new token is asked for instead of a refresh";

pub(super) fn check(auth: &OAuth2, found: &mut Findings) {
    match auth.grant {
        Grant::AuthorizationCode if auth.authorization_url.is_none() => {
            let message = "the grant `authorization_code` needs an `authorization_url`: say where customers consent";
            found.add(Code::MissingMember, "/auth/authorization_url", message).about(GRANT);
        }
        Grant::AuthorizationCode => {}
        Grant::ClientCredentials => client_credentials(auth, found),
        Grant::DeviceCode => flows::device_code(auth, found),
        Grant::Implicit => flows::implicit(auth, found),
        // See `grants`.
        Grant::Password | Grant::JwtBearer | Grant::Saml2Bearer | Grant::TokenExchange => {}
    }
    if auth.grant != Grant::DeviceCode {
        flows::elsewhere(auth, found);
    }
    if auth.grant != Grant::Implicit && auth.token_url.is_empty() {
        let message = "the grant needs a `token_url`: say where tokens are asked for";
        found.add(Code::MissingMember, "/auth/token_url", message).about(GRANT);
    }
    let member = "/auth/authorization_response_iss_parameter_supported";
    if auth.authorization_response_iss_parameter_supported && auth.issuer.is_none() {
        let message = "an `iss` can only be checked against an `issuer`: add it";
        found.add(Code::MissingMember, "/auth/issuer", message).about(member);
    }
}

fn client_credentials(auth: &OAuth2, found: &mut Findings) {
    let useless = [
        ("authorization_url", auth.authorization_url.is_some(), "nobody is sent there"),
        ("authorization_params", !auth.authorization_params.is_empty(), "there is no authorization request"),
        ("refresh_url", auth.refresh_url.is_some(), RENEWAL),
        ("refresh_params", !auth.refresh_params.is_empty(), RENEWAL),
        ("pkce_disabled_reason", auth.pkce_disabled_reason.is_some(), "there is no PKCE to leave out"),
        ("issuer", auth.issuer.is_some() && !auth.client_authentication.signs(), "there is no callback to check it in"),
        ("refresh_window", auth.refresh_window.is_some(), RENEWAL),
        ("refresh_errors", !auth.refresh_errors.is_empty(), RENEWAL),
        ("idle_limit", auth.idle_limit.is_some(), "there is no refresh token to end"),
        ("absolute_limit", auth.absolute_limit.is_some(), "there is no consent to end"),
        ("max_live", auth.max_live.is_some(), "there are no accounts"),
        (
            "authorization_request",
            auth.authorization_request != Default::default(),
            "there is no authorization request",
        ),
        ("refresh_request", auth.refresh_request != Default::default(), RENEWAL),
        ("callback", auth.callback != Default::default(), "there is no callback"),
        ("long_lived_exchange", auth.long_lived_exchange.is_some(), "there is no code to exchange"),
        ("identity", auth.identity.is_some(), "there is no account to ask about"),
        ("reuse_penalty", auth.reuse_penalty, "there is no refresh token to use twice"),
    ];
    for (member, given, why) in useless {
        if given {
            let message = format!("`{member}` has no use with the grant `client_credentials`, where {why}: remove it");
            found.add(Code::IgnoredMember, format!("/auth/{member}"), message).at_name().about(GRANT);
        }
    }
    if auth.client_authentication == ClientAuthentication::None {
        let message =
            "`client_credentials` proves the client by its secret: use client_secret_basic or client_secret_post";
        found.add(Code::NoCredentials, "/auth/client_authentication", message).about(GRANT);
    }
}
