//! The revocation of a token (RFC 7009 section 2.1).

use crate::request::Draft;
use crate::{ClientRegistration, Outbound, PresentedToken, ProtocolError, Provider};
use mortise_connectors::TokenBody;

/// A token to end.
pub type RevocationToken<'a> = PresentedToken<'a>;

/// The request that ends `token`. `None`: the provider offers no way.
///
/// # Errors
/// A manifest that does not expand, or an app without the secret that it needs.
pub fn revocation(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    token: RevocationToken<'_>,
) -> Result<Option<Outbound>, ProtocolError> {
    let Some(template) = provider.auth().revocation_url.as_deref() else { return Ok(None) };
    // The RFC knows forms only; a manifest's JSON bodies are those of the token endpoint.
    let mut draft = Draft::new(provider.url(template)?, TokenBody::Form);
    let (text, hint) = token.text_and_hint();
    draft.set_secret("token", text);
    draft.set("token_type_hint", hint);
    draft.finish(provider, client).map(Some)
}
