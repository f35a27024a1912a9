//! The authorization request left with the provider before the browser is sent there (RFC 9126).
//!
//! Invariant: what is pushed is what the URL would have said, and the client proves itself with it. Deliberately absent:
//! signed requests (RFC 9101), and using a `request_uri` twice.

use crate::authorize::{name_of, parameters};
use crate::outcome::accepted;
use crate::request::Draft;
use crate::sending::{Answered, deliver};
use crate::style::Style;
use crate::{ClientRegistration, Failure, FailureClass, Outbound, ProtocolError, Provider, Transport};
use mortise_connectors::{Parameter, TokenResponse};
use mortise_domain::{PkceVerifier, ScopeSet, StateToken};
use serde_json::Value;

/// Longer than any that was seen, and short enough for a URL.
const LONGEST: usize = 2000;

/// The request that leaves the authorization request there. `None`: the provider wants it in the browser's URL.
///
/// # Errors
/// A manifest that does not expand or sets a parameter of the protocol, or an app without the secret that it needs.
pub fn pushed_authorization(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    scopes: &ScopeSet,
    state: &StateToken,
    verifier: &PkceVerifier,
) -> Result<Option<Outbound>, ProtocolError> {
    let auth = provider.auth()?;
    let Some(template) = auth.pushed_authorization_request_url.as_deref() else { return Ok(None) };
    let mut draft = Draft::new(provider.url(template)?, Style::of_question(auth));
    for (name, value) in parameters(provider, client, scopes, state, verifier)? {
        draft.set(name, &value);
    }
    draft.names_client = Some(name_of(auth, Parameter::ClientId));
    draft.finish(provider, client).map(Some)
}

/// Sends it and reads the `request_uri` that stands for it (section 2.2).
///
/// # Errors
/// What went wrong. Nothing was granted, so another click may try again.
pub async fn request_pushed_authorization(transport: &dyn Transport, request: Outbound) -> Result<String, Failure> {
    let Answered { reply, secrets, .. } = deliver(transport, request).await?;
    let document = accepted(&reply, &TokenResponse::default(), &secrets)?;
    let fits = |uri: &&str| (1..=LONGEST).contains(&uri.len()) && uri.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
    let found = document.get("/request_uri").and_then(Value::as_str).filter(fits).map(str::to_owned);
    let detail = "the reply to the pushed authorization request holds no `request_uri`";
    found.ok_or_else(|| Failure::new(FailureClass::Ambiguous, Some(reply.status), detail))
}

#[cfg(test)]
mod tests;
