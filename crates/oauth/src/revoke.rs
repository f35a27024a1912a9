//! The revocation of a token (RFC 7009 section 2.1).

use crate::request::Draft;
use crate::style::Style;
use crate::two_step::{ending, two_step};
use crate::{ClientRegistration, Outbound, PresentedToken, ProtocolError, Provider};

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
    if let (Some(auth), RevocationToken::Access(token)) = (two_step(provider), &token) {
        return ending(provider, auth, token);
    }
    let Some(auth) = provider.manifest.oauth2() else { return Ok(None) };
    let Some(template) = auth.revocation_url.as_deref() else { return Ok(None) };
    let mut draft = Draft::new(provider.url(template)?, Style::of_question(auth));
    let (text, hint) = token.text_and_hint();
    draft.set_secret("token", text);
    draft.set("token_type_hint", hint);
    draft.finish(provider, client).map(Some)
}
