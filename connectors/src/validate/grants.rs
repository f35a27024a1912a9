//! Grants that take something from the customer to the token endpoint: everything that is asked for is sent, and what is
//! sent belongs to the grant.
//!
//! Invariant: a key that signs is in no request. Deliberately absent: whether a key is one, which its value tells.

use super::extras::LONGEST_VALUE;
use super::pasted::credentials_of;
use super::{Findings, escape, is_line};
use crate::diagnostic::Code;
use crate::manifest::{Assertion, Credential, CredentialKind, TokenExchange};
use crate::template::{is_name, parts};
use crate::{ClientAuthentication, Grant, Manifest, OAuth2};
use std::collections::{BTreeMap, BTreeSet};

const GRANT: &str = "/auth/grant";
const CREDENTIALS: &str = "/auth/credentials";
const ASSERTION: &str = "/auth/assertion";
const EXCHANGE: &str = "/auth/token_exchange";
/// What the broker puts into every assertion itself, or has members for.
const OWN_CLAIMS: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];
/// Google takes an hour; nobody is known to want more.
const LONGEST_LIFETIME: u32 = 3600;

pub(super) fn check(manifest: &Manifest, auth: &OAuth2, found: &mut Findings) {
    strangers(auth, found);
    if !auth.grant.mints() {
        return;
    }
    useless(auth, found);
    let asked = auth.asked();
    credentials_of(manifest, asked, auth.grant != Grant::JwtBearer, found);
    parameters(auth, found);
    match auth.grant {
        Grant::Password => legacy(found),
        Grant::JwtBearer => jwt_bearer(manifest, auth, found),
        Grant::Saml2Bearer => saml2_bearer(asked, found),
        Grant::TokenExchange => token_exchange(auth.exchange(), found),
        _ => {}
    }
    templates(manifest, auth, asked, found);
}

/// Members of another grant than the manifest's.
fn strangers(auth: &OAuth2, found: &mut Findings) {
    let grant = auth.grant;
    let members = [
        ("credentials", !auth.credentials.is_empty(), grant.mints(), "what customers paste"),
        ("username", auth.username.is_some(), grant == Grant::Password, "the user of the grant `password`"),
        ("password", auth.password.is_some(), grant == Grant::Password, "the password of the grant `password`"),
        ("assertion", auth.assertion.is_some(), grant == Grant::JwtBearer, "the JWT of the grant `jwt_bearer`"),
        (
            "token_exchange",
            auth.token_exchange.is_some(),
            grant == Grant::TokenExchange,
            "the tokens of the grant `token_exchange`",
        ),
    ];
    for (member, given, fits, what) in members {
        if given && !fits {
            let message = format!("`{member}` says {what}, which this grant does not send: remove it");
            found.add(Code::IgnoredMember, format!("/auth/{member}"), message).at_name().about(GRANT);
        }
    }
}

/// Members of the way by a browser. Those about refreshes stay: a reply may bring a refresh token.
fn useless(auth: &OAuth2, found: &mut Findings) {
    let members = [
        ("authorization_url", auth.authorization_url.is_some(), "nobody is sent there"),
        ("authorization_params", !auth.authorization_params.is_empty(), "there is no authorization request"),
        (
            "authorization_request",
            auth.authorization_request != Default::default(),
            "there is no authorization request",
        ),
        ("pkce_disabled_reason", auth.pkce_disabled_reason.is_some(), "there is no PKCE to leave out"),
        (
            "authorization_response_iss_parameter_supported",
            auth.authorization_response_iss_parameter_supported,
            "there is no callback",
        ),
        ("callback", auth.callback != Default::default(), "there is no callback"),
        ("long_lived_exchange", auth.long_lived_exchange.is_some(), "there is no code to exchange"),
        ("identity", auth.identity.is_some(), "there is no code exchange after which it would be asked"),
        ("absolute_limit", auth.absolute_limit.is_some(), "there is no consent to end"),
        ("max_live", auth.max_live.is_some(), "there is no consent to count"),
    ];
    for (member, given, why) in members {
        if given {
            let message = format!("`{member}` has no use with this grant, where {why}: remove it");
            found.add(Code::IgnoredMember, format!("/auth/{member}"), message).at_name().about(GRANT);
        }
    }
}

/// RFC 9700 section 2.4.
pub(super) fn legacy(found: &mut Findings) {
    let message = "this grant hands the customer's password to the client, which no new provider does (RFC 9700 section 2.4): \
                   use another one if the provider has it";
    found.add(Code::LegacyGrant, GRANT, message).warning();
}

fn jwt_bearer(manifest: &Manifest, auth: &OAuth2, found: &mut Findings) {
    let Some(assertion) = &auth.assertion else {
        let message = "the grant `jwt_bearer` needs an `assertion`: say at least its `issuer`";
        found.add(Code::MissingMember, ASSERTION, message).about(GRANT);
        return;
    };
    if assertion.lifetime.is_some_and(|seconds| !(1..=LONGEST_LIFETIME).contains(&seconds)) {
        let message = format!("use 1 to {LONGEST_LIFETIME} seconds: an assertion is used once, at once");
        found.add(Code::OutOfRange, format!("{ASSERTION}/lifetime"), message);
    }
    claims(assertion, found);
    key(auth, assertion, found);
    for name in ["client_id"] {
        if manifest.variables.contains_key(name) || auth.credentials.contains_key(name) {
            let path = if auth.credentials.contains_key(name) { CREDENTIALS } else { "/variables" };
            let message = format!("`{{{name}}}` is the app's own here: rename this");
            found.add(Code::BadVariable, format!("{path}/{name}"), message).at_name().about(GRANT);
        }
    }
}

fn claims(assertion: &Assertion, found: &mut Findings) {
    let names = assertion.claims.keys().map(|name| (format!("{ASSERTION}/claims/{}", escape(name)), name));
    let scopes = assertion.scope_claim.iter().map(|name| (format!("{ASSERTION}/scope_claim"), name));
    for (path, name) in names.chain(scopes) {
        if OWN_CLAIMS.contains(&name.as_str()) {
            let message = format!("`{name}` is set from the other members of `assertion`: remove it");
            found.add(Code::ReservedParameter, path, message).at_name();
        } else if !is_line(name, 200) {
            found.add(Code::BadParameter, path, "a claim's name is 1 to 200 characters").at_name();
        }
    }
    if let Some(name) = assertion.scope_claim.as_ref().filter(|name| assertion.claims.contains_key(*name)) {
        let message = format!("`{name}` carries the scopes: remove it, or `scope_claim`");
        found.add(Code::BadParameter, format!("{ASSERTION}/claims/{}", escape(name)), message).at_name();
    }
}

/// The key is a secret of the customer's, or else the app's, which then must not be sent as a secret.
fn key(auth: &OAuth2, assertion: &Assertion, found: &mut Findings) {
    let path = format!("{ASSERTION}/key");
    match assertion.key.as_ref().map(|name| (name, auth.credentials.get(name))) {
        Some((_, Some(Credential { kind: CredentialKind::Secret | CredentialKind::Document, .. }))) => {}
        Some((name, _)) => {
            let message = format!(
                "`{name}` is no secret among the credentials: add it with `type: document`, or leave `key` out, and the \
                 app's client secret signs"
            );
            found.add(Code::BadValue, path, message).about(CREDENTIALS);
        }
        None if sends_secret(auth.client_authentication) => {
            let message = "assertions are signed with the app's client secret, and this sends it to the provider: use \
                           `none`, or name the credential that signs in `assertion.key`";
            found.add(Code::BadValue, "/auth/client_authentication", message).about(path).about(GRANT);
        }
        None => {}
    }
}

fn sends_secret(how: ClientAuthentication) -> bool {
    matches!(
        how,
        ClientAuthentication::ClientSecretBasic
            | ClientAuthentication::ClientSecretPost
            | ClientAuthentication::ClientSecretAsUser
            | ClientAuthentication::ClientSecretHeader
    )
}

fn saml2_bearer(asked: &BTreeMap<String, Credential>, found: &mut Findings) {
    let one = asked.len() == 1 && asked.values().all(|credential| credential.kind != CredentialKind::Text);
    if !one {
        let message = "the assertion is the only credential of this grant: keep one, with `type: document`";
        found.add(Code::BadValue, CREDENTIALS, message).about(GRANT);
    }
}

fn token_exchange(exchange: &TokenExchange, found: &mut Findings) {
    match (&exchange.actor_token, &exchange.actor_token_type) {
        (Some(_), None) => {
            let message = "`actor_token_type` is needed too (RFC 8693 section 2.1): say what the actor's token is";
            found.add(Code::MissingMember, format!("{EXCHANGE}/actor_token_type"), message);
        }
        (None, Some(_)) => {
            let message = "there is no `actor_token` whose type this could be: remove it";
            found.add(Code::IgnoredMember, format!("{EXCHANGE}/actor_token_type"), message).at_name();
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
    let types = [
        ("subject_token_type", Some(&exchange.subject_token_type)),
        ("actor_token_type", exchange.actor_token_type.as_ref()),
        ("requested_token_type", exchange.requested_token_type.as_ref()),
    ];
    for (member, text) in types {
        if text.is_some_and(|text| !is_uri(text)) {
            let message = "a token's type is a URI, such as urn:ietf:params:oauth:token-type:access_token";
            found.add(Code::BadParameter, format!("{EXCHANGE}/{member}"), message);
        }
    }
}

fn is_uri(text: &str) -> bool {
    text.len() <= 500
        && text
            .split_once(':')
            .is_some_and(|(scheme, rest)| !rest.is_empty() && scheme.starts_with(|c: char| c.is_ascii_alphabetic()))
        && text.bytes().all(|b| b.is_ascii_graphic())
}

/// What the grant itself says, no list of extras may say.
fn parameters(auth: &OAuth2, found: &mut Findings) {
    let says: &[&str] = match auth.grant {
        Grant::Password => &["username", "password"],
        Grant::JwtBearer | Grant::Saml2Bearer => &["assertion"],
        Grant::TokenExchange => &[
            "subject_token",
            "subject_token_type",
            "actor_token",
            "actor_token_type",
            "requested_token_type",
            "audience",
        ],
        _ => &[],
    };
    for name in auth.token_params.keys().filter(|name| says.contains(&name.as_str())) {
        let message = format!("`{name}` belongs to this grant, which sets it itself: remove it");
        found
            .add(Code::ReservedParameter, format!("/auth/token_params/{}", escape(name)), message)
            .at_name()
            .about(GRANT);
    }
}

/// Every credential stands in a template, and templates name nothing else.
fn templates(manifest: &Manifest, auth: &OAuth2, asked: &BTreeMap<String, Credential>, found: &mut Findings) {
    let mut used: BTreeSet<&str> = auth.assertion.iter().filter_map(|assertion| assertion.key.as_deref()).collect();
    if auth.grant == Grant::Saml2Bearer {
        used.extend(asked.keys().map(String::as_str));
    }
    let secret = |name: &str| asked.get(name).is_some_and(|credential| credential.kind != CredentialKind::Text);
    for (path, template) in auth.grant_templates() {
        if template.is_empty() && path != "/auth/password" || template.len() > LONGEST_VALUE {
            found.add(Code::BadText, path.as_str(), format!("use 1 to {LONGEST_VALUE} bytes"));
        }
        let names = match parts(template) {
            Ok(parts) => parts.names,
            Err(error) => {
                found.add(Code::BadTemplate, path, format!("{error}: credentials look like {{username}}"));
                continue;
            }
        };
        for name in names {
            let own = auth.grant == Grant::JwtBearer && name == "client_id";
            if !own && !asked.contains_key(name) && !manifest.variables.contains_key(name) {
                let message = format!("`{{{name}}}` is neither in `auth.credentials` nor in `variables`: add it");
                found.add(Code::UnknownVariable, path.as_str(), message).about(CREDENTIALS).about("/variables");
            }
            if path.starts_with(ASSERTION) && secret(name) {
                let message = format!("anybody who sees an assertion reads it: `{{{name}}}` is a secret");
                found.add(Code::ExposesToken, path.as_str(), message).about(CREDENTIALS);
            }
            used.insert(name);
        }
    }
    for name in asked.keys().filter(|name| is_name(name) && !used.contains(name.as_str())) {
        let message = format!("no request carries `{{{name}}}`: name it where it belongs, or remove it");
        found.add(Code::UnusedCredential, format!("{CREDENTIALS}/{}", escape(name)), message).at_name().about("/auth");
    }
}

#[cfg(test)]
mod tests;
