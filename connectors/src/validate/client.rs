//! How the client proves itself with keys and certificates, and what tokens are bound to.

use super::Findings;
use super::extras::LONGEST_VALUE;
use crate::diagnostic::Code;
use crate::template::{PLACEHOLDER, Parts, parts};
use crate::{ClientAuthentication, Grant, Manifest, OAuth2};
use url::Url;

const METHOD: &str = "/auth/client_authentication";
/// What an assertion may be good for at most (seconds): a copy of it is worth nothing soon after.
const LONGEST_ASSERTION: u32 = 300;

pub(super) fn check(manifest: &Manifest, auth: &OAuth2, found: &mut Findings) {
    assertion(manifest, auth, found);
    certificate(auth, found);
    pushed(auth, found);
    possession(auth, found);
    resource(manifest, auth, found);
    if auth.resource.is_some() && auth.grant == Grant::Implicit {
        let message = "no token is asked for at a token endpoint, which is where the resource is said: remove it";
        found.add(Code::IgnoredMember, "/auth/resource", message).at_name().about("/auth/grant");
    }
}

/// RFC 8707 section 2: an absolute URI without a fragment.
fn resource(manifest: &Manifest, auth: &OAuth2, found: &mut Findings) {
    const PATH: &str = "/auth/resource";
    let Some(text) = &auth.resource else { return };
    found.template(manifest, PATH, text);
    let Ok(Parts { literals, .. }) = parts(text) else { return };
    let plain = text.len() <= LONGEST_VALUE && text.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
    if !plain || text.contains('#') || Url::parse(&literals.join(PLACEHOLDER)).is_err() {
        let message = "give the API's whole URI without a fragment, such as https://api.acme.example/";
        found.add(Code::BadUrl, PATH, message);
    }
}

fn assertion(manifest: &Manifest, auth: &OAuth2, found: &mut Findings) {
    const BASE: &str = "/auth/client_assertion";
    let assertion = &auth.client_assertion;
    if !auth.client_authentication.signs() {
        if *assertion != Default::default() {
            let message = "only the client authentications `private_key_jwt` and `client_secret_jwt` sign an assertion: \
                           remove it, or set one of them";
            found.add(Code::IgnoredMember, BASE, message).at_name().about(METHOD);
        }
        return;
    }
    for (path, text) in assertion.templates() {
        found.template(manifest, path, text);
        if text.is_empty() || text.len() > LONGEST_VALUE || text.chars().any(char::is_control) {
            let message = format!("give 1 to {LONGEST_VALUE} bytes without control characters, or leave it out");
            found.add(Code::BadParameter, path, message);
        }
    }
    let shared = auth.client_authentication == ClientAuthentication::ClientSecretJwt;
    let path = format!("{BASE}/algorithm");
    match assertion.algorithm {
        Some(algorithm) if shared && !algorithm.is_symmetric() => {
            let message = "a shared secret signs with HS256, HS384 or HS512; for a private key use private_key_jwt";
            found.add(Code::BadParameter, path, message).about(METHOD);
        }
        Some(algorithm) if !shared && algorithm.is_symmetric() => {
            let message = "a private key does not sign with HS algorithms; for a shared secret use client_secret_jwt";
            found.add(Code::BadParameter, path, message).about(METHOD);
        }
        Some(algorithm) if shared && algorithm.as_str() == "HS256" => {
            found.add(Code::IgnoredMember, path, "`HS256` is used anyway: remove it").at_name();
        }
        Some(_) | None => {}
    }
    if assertion.lifetime.is_some_and(|seconds| !(1..=LONGEST_ASSERTION).contains(&seconds)) {
        let message = format!("an assertion is good for 1 to {LONGEST_ASSERTION} seconds");
        found.add(Code::BadParameter, format!("{BASE}/lifetime"), message);
    }
}

/// A certificate is shown in the handshake of TLS, and nowhere else.
fn certificate(auth: &OAuth2, found: &mut Findings) {
    let method = auth.client_authentication;
    if auth.client_certificate && (method.shows_certificate() || method.signs() || method == ClientAuthentication::None)
    {
        let message = "a certificate stands beside a secret that is sent: remove this, or use `tls_client_auth`, where it stands alone";
        found.add(Code::IgnoredMember, "/auth/client_certificate", message).at_name().about(METHOD);
    }
    if !method.shows_certificate() && !auth.client_certificate {
        return;
    }
    let asked = ["token_url", "refresh_url", "revocation_url", "introspection_url", "pushed_authorization_request_url"];
    for (path, url) in auth.urls() {
        let member = path.trim_start_matches("/auth/");
        if asked.contains(&member) && url.starts_with("http:") {
            let message = "a certificate can be shown over https only";
            found.add(Code::BadUrl, path, message).about(METHOD);
        }
    }
}

fn pushed(auth: &OAuth2, found: &mut Findings) {
    if auth.pushed_authorization_request_url.is_some() && auth.grant != Grant::AuthorizationCode {
        let message = "there is no authorization request to push: remove it";
        let path = "/auth/pushed_authorization_request_url";
        found.add(Code::IgnoredMember, path, message).at_name().about("/auth/grant");
    }
}

fn possession(auth: &OAuth2, found: &mut Findings) {
    if !auth.dpop {
        return;
    }
    let member = "/auth/dpop";
    if auth.grant == Grant::Implicit {
        let message = "a token that comes by the browser is bound to nothing: remove it";
        found.add(Code::IgnoredMember, member, message).at_name().about("/auth/grant");
    }
    if auth.token_response.token_type_optional {
        let message = "a reply without a type means `bearer`, and these tokens are `DPoP`: remove it";
        let path = "/auth/token_response/token_type_optional";
        found.add(Code::IgnoredMember, path, message).at_name().about(member);
    }
    if auth.long_lived_exchange.is_some() {
        let message =
            "the exchange for a long-lived token shows a bearer token, and these are bound: remove one of the two";
        found.add(Code::BadParameter, "/auth/long_lived_exchange", message).about(member);
    }
}

#[cfg(test)]
mod tests;
