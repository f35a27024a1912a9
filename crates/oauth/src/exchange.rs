//! The exchange of an authorization code for tokens (RFC 6749 section 4.1.3, RFC 7636 section 4.5).

use crate::request::Draft;
use crate::style::Style;
use crate::{ClientRegistration, Outbound, ProtocolError, Provider};
use mortise_connectors::Parameter;
use mortise_domain::{AuthorizationCode, PkceVerifier};

/// The request that spends `code`. A code is good for one request (RFC 6749 section 4.1.2), so it goes over a connection
/// of its own.
///
/// # Errors
/// A manifest that does not expand or sets a parameter of the protocol, or an app without the secret that it needs.
pub fn code_exchange(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    code: &AuthorizationCode,
    verifier: &PkceVerifier,
) -> Result<Outbound, ProtocolError> {
    let auth = provider.auth()?;
    let mut draft = Draft::new(provider.url(&auth.token_url)?, Style::of_token(auth));
    draft.say(Parameter::GrantType, auth.token_request.grant_type.as_deref().unwrap_or("authorization_code"));
    draft.say_secret(Parameter::Code, code.expose());
    draft.say(Parameter::RedirectUri, client.redirect_uri);
    if auth.pkce_disabled_reason.is_none() {
        draft.say_secret(Parameter::CodeVerifier, verifier.expose());
    }
    draft.extend(provider, &auth.token_params)?;
    draft.fresh_connection = true;
    draft.finish(provider, client)
}
