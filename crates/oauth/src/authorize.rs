//! The URL of the authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
//!
//! Invariant: the protocol's own parameters stand in it once, under the names that the provider has for them. Deliberately
//! absent: any other flow than that of a code, and any code challenge method but `S256`.

use crate::{ClientRegistration, ProtocolError, Provider};
use mortise_connectors::{Grant, OAuth2, Parameter};
use mortise_domain::{PkceVerifier, ScopeSet, StateToken};
use url::Url;
use url::form_urlencoded::Serializer;

/// What a manifest may not set: values that tie the reply to this flow, or change what it answers.
const RESERVED: &[&str] = &[
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "resource",
    "request",
    "request_uri",
];

/// Where to send the browser. The manifest's `default_scopes` are added to `scopes`; with no scope at all the parameter is
/// left out (RFC 6749 section 3.3).
///
/// # Errors
/// A manifest that has no authorization URL, does not expand, or sets a parameter of the protocol.
pub fn authorization_url(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    scopes: &ScopeSet,
    state: &StateToken,
    verifier: &PkceVerifier,
) -> Result<Url, ProtocolError> {
    let mut query = Serializer::new(String::new());
    for (name, value) in parameters(provider, client, scopes, state, verifier)? {
        query.append_pair(name, &value);
    }
    visited(provider, query)
}

/// The same where the request itself was left with the provider, under the name `request_uri` (RFC 9126 section 4).
///
/// # Errors
/// See [`authorization_url`].
pub fn pushed_authorization_url(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    request_uri: &str,
) -> Result<Url, ProtocolError> {
    let mut query = Serializer::new(String::new());
    query.append_pair(name_of(provider.auth()?, Parameter::ClientId), client.client_id);
    query.append_pair("request_uri", request_uri);
    visited(provider, query)
}

/// The authorization endpoint with `query` behind what its URL has already.
fn visited(provider: &Provider<'_>, mut query: Serializer<'_, String>) -> Result<Url, ProtocolError> {
    let auth = provider.auth()?;
    let template = auth.authorization_url.as_deref().ok_or(ProtocolError::NoAuthorizationUrl)?;
    let mut url = provider.url(template)?;
    if let Some((name, _)) = url.query_pairs().find(|(name, _)| RESERVED.contains(&name.as_ref())) {
        return Err(ProtocolError::ReservedParameter { name: name.into_owned() });
    }
    // A space is `%20` to every reader of a query, `+` only to those that read it as a form; a plus itself is `%2B` here.
    let ours = query.finish().replace('+', "%20");
    if let Some(route) = &auth.authorization_request.route {
        url.set_fragment(Some(&format!("{route}?{ours}")));
        return Ok(url);
    }
    let query = match url.query().filter(|given| !given.is_empty()) {
        Some(given) => format!("{given}&{ours}"),
        None => ours,
    };
    url.set_query(Some(&query));
    url.set_fragment(auth.authorization_request.fragment.as_deref());
    Ok(url)
}

/// What a parameter of the authorization request is called here.
pub(crate) fn name_of(auth: &OAuth2, parameter: Parameter) -> &str {
    auth.authorization_request.names.get(&parameter).map_or(parameter.as_str(), String::as_str)
}

/// What the request says, wherever it stands.
pub(crate) fn parameters<'a>(
    provider: &Provider<'a>,
    client: &ClientRegistration<'_>,
    scopes: &ScopeSet,
    state: &StateToken,
    verifier: &PkceVerifier,
) -> Result<Vec<(&'a str, String)>, ProtocolError> {
    let auth = provider.auth()?;
    // There is no code to protect: the token comes itself.
    let implicit = auth.grant == Grant::Implicit;
    let written = &auth.authorization_request;
    let mut said: Vec<(&'a str, String)> = Vec::new();
    let mut say = |parameter: Parameter, value: &str| {
        if !written.omit.contains(&parameter) {
            said.push((name_of(auth, parameter), value.to_owned()));
        }
    };
    say(Parameter::ResponseType, written.response_type.as_deref().unwrap_or(if implicit { "token" } else { "code" }));
    say(Parameter::ClientId, client.client_id);
    say(Parameter::RedirectUri, client.redirect_uri);
    let scopes = scopes.union(&auth.default_scopes);
    if !scopes.is_empty() {
        say(Parameter::Scope, &scopes.join(&auth.scope_separator));
    }
    said.push(("state", state.expose().to_owned()));
    if auth.pkce_disabled_reason.is_none() && !implicit {
        said.push(("code_challenge", mortise_vault::code_challenge(verifier)));
        said.push(("code_challenge_method", "S256".to_owned()));
    }
    if let Some(resource) = &auth.resource {
        said.push(("resource", provider.text(resource)?));
    }
    for (name, template) in &auth.authorization_params {
        if RESERVED.contains(&name.as_str()) || written.names.values().any(|taken| taken == name) {
            return Err(ProtocolError::ReservedParameter { name: name.clone() });
        }
        said.push((name, provider.text(template)?));
    }
    Ok(said)
}

#[cfg(test)]
mod tests;
