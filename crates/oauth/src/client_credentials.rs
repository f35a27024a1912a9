//! A token for the client itself (RFC 6749 section 4.4.2).

use crate::request::Draft;
use crate::style::Style;
use crate::{ClientRegistration, Outbound, ProtocolError, Provider};
use mortise_connectors::Parameter;
use mortise_domain::ScopeSet;

/// The request for a token of the client's own. The manifest's `default_scopes` are added to `scopes`.
///
/// # Errors
/// A manifest that does not expand or sets a parameter of the protocol, or an app without the secret that it needs.
pub fn client_credentials(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    scopes: &ScopeSet,
) -> Result<Outbound, ProtocolError> {
    let auth = provider.auth()?;
    let mut draft = Draft::new(provider.url(&auth.token_url)?, Style::of_token(auth));
    draft.say(Parameter::GrantType, auth.token_request.grant_type.as_deref().unwrap_or("client_credentials"));
    let scopes = scopes.union(&auth.default_scopes);
    if !scopes.is_empty() {
        draft.say(Parameter::Scope, &scopes.join(&auth.scope_separator));
    }
    draft.extend(provider, &auth.token_params)?;
    draft.finish(provider, client)
}
