//! The second request of providers whose code exchange gives a token for an hour: it is changed for one that lives for
//! weeks. RFC 8693 came later and is not what they speak.

use crate::request::Draft;
use crate::style::Style;
use crate::{ClientRegistration, Outbound, ProtocolError, Provider};
use mortise_connectors::Parameter;
use mortise_domain::AccessToken;

/// The request that changes `token`. `None`: the provider's tokens are what they are.
///
/// # Errors
/// A manifest that does not expand or sets a parameter twice, or an app without the secret that it needs.
pub fn long_lived_exchange(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    token: &AccessToken,
) -> Result<Option<Outbound>, ProtocolError> {
    let auth = provider.auth()?;
    let Some(exchange) = &auth.long_lived_exchange else { return Ok(None) };
    let mut draft = Draft::new(provider.url(&exchange.url)?, Style::of_long_lived(auth, exchange));
    draft.say(Parameter::GrantType, &exchange.grant_type);
    draft.set_secret(&exchange.token_parameter, token.expose());
    draft.finish(provider, client).map(Some)
}
