//! Asking the provider about a token (RFC 7662).
//!
//! Deliberately absent: replies as signed JWTs (RFC 9701), and every member that is not about life and death.

use crate::outcome::accepted;
use crate::request::Draft;
use crate::response::Expiry;
use crate::sending::{Answered, deliver};
use crate::style::Style;
use crate::{ClientRegistration, Failure, FailureClass, Outbound, PresentedToken, ProtocolError, Provider, Transport};
use mortise_connectors::TokenResponse;
use mortise_domain::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// What a provider says about a token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Introspection {
    /// Whether it is good. A token that the provider does not know, or does not want to talk about, is not.
    pub active: bool,
    expiry: Option<Expiry>,
}

impl Introspection {
    /// How long the token lives from `now` on; `None` where the provider does not say, or says nonsense.
    pub fn lifetime(&self, now: Timestamp) -> Option<Duration> {
        self.expiry.filter(|_| self.active)?.life(Some(now))
    }
}

/// The request that asks about `token`. `None`: the provider offers no way.
///
/// # Errors
/// A manifest that does not expand, or an app without the secret that it needs.
pub fn introspection(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    token: PresentedToken<'_>,
) -> Result<Option<Outbound>, ProtocolError> {
    let Some(auth) = provider.manifest.oauth2() else { return Ok(None) };
    let Some(template) = auth.introspection_url.as_deref() else { return Ok(None) };
    let mut draft = Draft::new(provider.url(template)?, Style::of_question(auth));
    let (text, hint) = token.text_and_hint();
    draft.set_secret("token", text);
    draft.set("token_type_hint", hint);
    draft.finish(provider, client).map(Some)
}

/// Sends an introspection and reads the reply (RFC 7662 section 2.2). Asking changes nothing at the provider, so that a
/// failure of any class leaves the token as it was.
///
/// # Errors
/// What went wrong. A reply without a plain `active` is ambiguous.
pub async fn request_introspection(transport: &dyn Transport, request: Outbound) -> Result<Introspection, Failure> {
    let Answered { reply, secrets, .. } = deliver(transport, request).await?;
    let document = accepted(&reply, &TokenResponse::default(), &secrets)?;
    let Some(active) = document.get("/active").and_then(Value::as_bool) else {
        let detail = "the reply does not say whether the token is active";
        return Err(Failure::new(FailureClass::Ambiguous, Some(reply.status), detail));
    };
    let instant = |pointer: &str| match document.get(pointer)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let expiry = instant("/exp").map(|exp| Expiry { exp, iat: instant("/iat") });
    Ok(Introspection { active, expiry })
}

#[cfg(test)]
mod tests;
