//! The URL of the authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
//!
//! Invariant: the protocol's own parameters stand in it once, whatever the manifest says. Deliberately absent: any
//! `response_type` but `code`, and any code challenge method but `S256`.

use crate::{ClientRegistration, ProtocolError, Provider};
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
    let auth = provider.auth();
    let template = auth.authorization_url.as_deref().ok_or(ProtocolError::NoAuthorizationUrl)?;
    let mut url = provider.url(template)?;
    if let Some((name, _)) = url.query_pairs().find(|(name, _)| RESERVED.contains(&name.as_ref())) {
        return Err(ProtocolError::ReservedParameter { name: name.into_owned() });
    }
    let mut query = Serializer::new(String::new());
    query.append_pair("response_type", "code");
    query.append_pair("client_id", client.client_id);
    query.append_pair("redirect_uri", client.redirect_uri);
    let scopes = scopes.union(&auth.default_scopes);
    if !scopes.is_empty() {
        query.append_pair("scope", &scopes.join(&auth.scope_separator));
    }
    query.append_pair("state", state.expose());
    if auth.pkce_disabled_reason.is_none() {
        query.append_pair("code_challenge", &mortise_vault::code_challenge(verifier));
        query.append_pair("code_challenge_method", "S256");
    }
    for (name, template) in &auth.authorization_params {
        if RESERVED.contains(&name.as_str()) {
            return Err(ProtocolError::ReservedParameter { name: name.clone() });
        }
        query.append_pair(name, &provider.text(template)?);
    }
    // A space is `%20` to every reader of a query, `+` only to those that read it as a form; a plus itself is `%2B` here.
    let ours = query.finish().replace('+', "%20");
    let query = match url.query().filter(|given| !given.is_empty()) {
        Some(given) => format!("{given}&{ours}"),
        None => ours,
    };
    url.set_query(Some(&query));
    Ok(url)
}

#[cfg(test)]
mod tests;
