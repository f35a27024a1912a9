//! The refresh of an access token (RFC 6749 section 6).

use crate::request::{DEADLINE, Draft};
use crate::style::Style;
use crate::{ClientRegistration, Outbound, ProtocolError, Provider};
use mortise_connectors::{Parameter, RecoveryClass};
use mortise_domain::RefreshToken;
use std::time::Duration;

/// Where a refresh token is spent by its use, giving up early throws its successor away.
const PATIENT_DEADLINE: Duration = Duration::from_secs(120);

/// The request that uses `token`. Scopes are left out, which asks for what was granted before.
///
/// # Errors
/// A manifest that does not expand or sets a parameter of the protocol, or an app without the secret that it needs.
pub fn refresh(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    token: &RefreshToken,
) -> Result<Outbound, ProtocolError> {
    let auth = provider.auth()?;
    let url = provider.url(auth.refresh_url.as_deref().unwrap_or(&auth.token_url))?;
    let mut draft = Draft::new(url, Style::of_refresh(auth));
    draft.say(Parameter::GrantType, auth.refresh_request.grant_type.as_deref().unwrap_or("refresh_token"));
    draft.say_secret(Parameter::RefreshToken, token.expose());
    draft.extend(provider, &auth.refresh_params)?;
    draft.fresh_connection = single_use(auth.recovery_class);
    draft.deadline = if single_use(auth.recovery_class) { PATIENT_DEADLINE } else { DEADLINE };
    draft.finish(provider, client)
}

fn single_use(class: RecoveryClass) -> bool {
    match class {
        RecoveryClass::S | RecoveryClass::F => true,
        RecoveryClass::N | RecoveryClass::M | RecoveryClass::G | RecoveryClass::U => false,
    }
}
