//! The revocation of a token (RFC 7009 section 2.1).

use crate::request::Draft;
use crate::{ClientRegistration, Outbound, ProtocolError, Provider};
use mortise_connectors::TokenBody;
use mortise_domain::{AccessToken, RefreshToken};

/// A token to end.
#[derive(Debug, Clone, Copy)]
pub enum RevocationToken<'a> {
    /// Usually ends the access tokens of the grant too.
    Refresh(&'a RefreshToken),
    /// Ends this one.
    Access(&'a AccessToken),
}

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
    let (text, hint) = match token {
        RevocationToken::Refresh(token) => (token.expose(), "refresh_token"),
        RevocationToken::Access(token) => (token.expose(), "access_token"),
    };
    draft.set_secret("token", text);
    draft.set("token_type_hint", hint);
    draft.finish(provider, client).map(Some)
}
