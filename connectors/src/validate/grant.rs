//! What a grant needs, what it has no use for, and how long things last.

use super::Findings;
use crate::diagnostic::Code;
use crate::{Auth, ClientAuthentication, Grant, RecoveryClass};

/// Ten years, the longest lifetime that anybody means (seconds).
const LONGEST: u32 = 10 * 365 * 86_400;
const GRANT: &str = "/auth/grant";

pub(super) fn check(auth: &Auth, found: &mut Findings) {
    match auth.grant {
        Grant::AuthorizationCode if auth.authorization_url.is_none() => {
            let message = "the grant `authorization_code` needs an `authorization_url`: say where customers consent";
            found.add(Code::MissingMember, "/auth/authorization_url", message).about(GRANT);
        }
        Grant::AuthorizationCode => {}
        Grant::ClientCredentials => client_credentials(auth, found),
    }
    if auth.recovery_class != RecoveryClass::G && auth.grace.is_some() {
        let message = "only recovery class G has a `grace`: remove it, or set `recovery_class: G`";
        found.add(Code::IgnoredMember, "/auth/grace", message).at_name().about("/auth/recovery_class");
    }
    let member = "/auth/authorization_response_iss_parameter_supported";
    if auth.authorization_response_iss_parameter_supported && auth.issuer.is_none() {
        let message = "an `iss` can only be checked against an `issuer`: add it";
        found.add(Code::MissingMember, "/auth/issuer", message).about(member);
    }
    lifetimes(auth, found);
}

fn client_credentials(auth: &Auth, found: &mut Findings) {
    let useless = [
        ("authorization_url", auth.authorization_url.is_some(), "nobody is sent there"),
        ("authorization_params", !auth.authorization_params.is_empty(), "there is no authorization request"),
        ("refresh_url", auth.refresh_url.is_some(), "a new token is asked for instead of a refresh"),
        ("refresh_params", !auth.refresh_params.is_empty(), "a new token is asked for instead of a refresh"),
        ("pkce_disabled_reason", auth.pkce_disabled_reason.is_some(), "there is no PKCE to leave out"),
        ("issuer", auth.issuer.is_some(), "there is no callback to check it in"),
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

fn lifetimes(auth: &Auth, found: &mut Findings) {
    let numbers =
        [("default_lifetime", auth.default_lifetime), ("refresh_margin", auth.refresh_margin), ("grace", auth.grace)];
    for (name, number) in numbers {
        if number.is_some_and(|n| !(1..=LONGEST).contains(&n)) {
            found.add(Code::OutOfRange, format!("/auth/{name}"), format!("use 1 to {LONGEST} seconds (ten years)"));
        }
    }
    if let (Some(life), Some(margin)) = (auth.default_lifetime, auth.refresh_margin)
        && margin > life / 2
    {
        let message = "no refresh starts before half of the lifetime is over, so this margin is cut to that";
        found.add(Code::MarginTooLong, "/auth/refresh_margin", message).warning().about("/auth/default_lifetime");
    }
}
