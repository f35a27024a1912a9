//! Credentials for a token: requests of the provider's own, each of which may use what those before it were told.
//!
//! Invariant: a value that came from somebody only fills the place that the manifest has for it, escaped for how that place
//! is written; what a reply tells is bounded, and wiped with everything else. Deliberately absent: what is kept of it.

mod body;
mod carried;
mod request;
mod talk;

pub use carried::carried_token;
pub(crate) use request::{Known, request};
pub(crate) use talk::{log_in, renew};

use crate::{Credentials, Outbound, ProtocolError, Provider};
use mortise_connectors::{Auth, LoginStep, TwoStep};
use mortise_domain::{AccessToken, PastedSecret};

/// What templates call the token.
const ACCESS_TOKEN: &str = "access_token";
/// What they call the refresh token.
const REFRESH_TOKEN: &str = "refresh_token";

/// The request that ends `token`. `None`: the manifest has none.
pub(crate) fn ending(
    provider: &Provider<'_>,
    auth: &TwoStep,
    token: &AccessToken,
) -> Result<Option<Outbound>, ProtocolError> {
    let Some(step) = &auth.revocation else { return Ok(None) };
    let mut known = Known::default();
    known.learn(ACCESS_TOKEN, token.expose());
    Ok(Some(request(step, provider, &known, auth.retry_hint.as_ref())?))
}

/// Every request of a login and of what follows it, with stand-ins for what is known only then.
pub(crate) fn simulated(provider: &Provider<'_>, auth: &TwoStep) -> Result<Vec<(Kind, Outbound)>, ProtocolError> {
    let mut known = Known::from(&stand_ins(auth.credentials.keys()));
    let mut requests = Vec::new();
    known.learn(ACCESS_TOKEN, "ACCESS_TOKEN");
    let mut add = |kind, step: &LoginStep, known: &mut Known| -> Result<(), ProtocolError> {
        requests.push((kind, request(step, provider, known, auth.retry_hint.as_ref())?));
        for (name, value) in stand_ins(step.take.keys()) {
            known.learn(&name, value.expose());
        }
        Ok(())
    };
    for step in &auth.steps {
        add(Kind::Token, step, &mut known)?;
    }
    known.learn(REFRESH_TOKEN, "REFRESH_TOKEN");
    for step in &auth.refresh {
        add(Kind::Refresh, step, &mut known)?;
    }
    if let Some(step) = &auth.revocation {
        add(Kind::Revoke, step, &mut known)?;
    }
    Ok(requests)
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The token is asked for.
    Token,
    /// It is renewed with the refresh token.
    Refresh,
    /// It is ended.
    Revoke,
}

fn stand_ins<'a>(names: impl Iterator<Item = &'a String>) -> Credentials {
    names.map(|name| (name.clone(), PastedSecret::new(name.to_ascii_uppercase()))).collect()
}

/// The mode, if it is that.
pub(crate) fn two_step<'a>(provider: &Provider<'a>) -> Option<&'a TwoStep> {
    match &provider.manifest.auth {
        Auth::TwoStep(auth) => Some(auth),
        Auth::Oauth2(_) | Auth::Oauth1(_) | Auth::ApiKey(_) | Auth::Basic(_) | Auth::SignedJwt(_) => None,
    }
}

#[cfg(test)]
mod tests;
