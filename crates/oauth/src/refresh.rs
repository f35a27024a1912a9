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
    draft.deadline = patience(auth.recovery_class);
    draft.finish(provider, client)
}

/// How long a request that uses a refresh token may take.
pub(crate) fn patience(class: RecoveryClass) -> Duration {
    if single_use(class) { PATIENT_DEADLINE } else { DEADLINE }
}

/// Whether a refresh token is spent by its use, so that no request with one may get lost on a connection that nobody reads
/// from any more.
pub(crate) fn single_use(class: RecoveryClass) -> bool {
    match class {
        RecoveryClass::S | RecoveryClass::F => true,
        RecoveryClass::N | RecoveryClass::M | RecoveryClass::G | RecoveryClass::U => false,
    }
}
