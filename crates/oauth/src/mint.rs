//! A token that is asked for with what the customer gave, with the client's own credentials, or with a refresh token.
//!
//! Invariant: whatever the mode, this is the one way to it, so a first token and a later one are asked for alike, or signed
//! here where nobody is asked.
//! Deliberately absent: what is kept to ask with.

use crate::{
    ClientRegistration, Credentials, Outbound, ProtocolError, Provider, RefreshFailure, Transport, client_credentials,
    refresh, request_further_refresh, request_refresh, two_step,
};
use crate::{grants, signed_jwt};
use mortise_connectors::{Auth, Grant};
use mortise_domain::{FurtherGrant, RefreshToken, ScopeSet, Timestamp, TokenGrant};
use std::time::Duration;

/// What there is to ask with.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// What the customer gave, by the manifest's names; empty where the client asks in its own name.
    pub credentials: &'a Credentials,
    /// What the app asks for. The manifest's `default_scopes` are added.
    pub scopes: &'a ScopeSet,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// The manifest does not lead to a request. Nothing was sent.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// It was asked for in vain.
    #[error(transparent)]
    Refused(#[from] RefreshFailure),
}

/// Asks for a token at `sent_at` (by our own clock), within `deadline` from now on.
///
/// # Errors
/// See [`MintError`].
pub async fn mint(
    transport: &dyn Transport,
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    given: &Given<'_>,
    deadline: Duration,
    sent_at: Timestamp,
) -> Result<TokenGrant, MintError> {
    match &provider.manifest.auth {
        Auth::Oauth2(auth) => {
            let mut request = grant_request(provider, client, given)?;
            request.deadline = request.deadline.min(deadline);
            let asked = request_refresh(transport, request, provider.manifest, sent_at).await;
            Ok(asked.map_err(|refused| grants::as_meant(auth, refused))?)
        }
        Auth::TwoStep(_) => two_step::log_in(transport, provider, given, deadline, sent_at).await,
        Auth::SignedJwt(auth) => Ok(signed_jwt::signed(provider, auth, given.credentials, sent_at)?),
        Auth::Oauth1(_) | Auth::ApiKey(_) | Auth::Basic(_) => Err(ProtocolError::NotOAuth2.into()),
    }
}

/// Asks for another token with the refresh token, at `sent_at` and within `deadline`; `kept` is what was kept beside the
/// access token.
///
/// # Errors
/// See [`MintError`].
pub async fn renew(
    transport: &dyn Transport,
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    (token, kept): (&RefreshToken, &Credentials),
    deadline: Duration,
    sent_at: Timestamp,
) -> Result<TokenGrant, MintError> {
    match &provider.manifest.auth {
        Auth::TwoStep(_) => two_step::renew(transport, provider, token, kept, deadline, sent_at).await,
        Auth::Oauth2(_) | Auth::Oauth1(_) | Auth::ApiKey(_) | Auth::Basic(_) | Auth::SignedJwt(_) => {
            let mut request = refresh(provider, client, token)?;
            request.deadline = request.deadline.min(deadline);
            Ok(request_refresh(transport, request, provider.manifest, sent_at).await?)
        }
    }
}

/// Asks for the further token `name` anew with its own refresh token, at `sent_at` and within `deadline`.
///
/// # Errors
/// See [`MintError`].
pub async fn renew_further(
    transport: &dyn Transport,
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    (name, token): (&str, &RefreshToken),
    deadline: Duration,
    sent_at: Timestamp,
) -> Result<FurtherGrant, MintError> {
    let mut request = refresh(provider, client, token)?;
    request.deadline = request.deadline.min(deadline);
    Ok(request_further_refresh(transport, request, provider.manifest, name, sent_at).await?)
}

/// The one request of an OAuth 2 grant that needs no browser.
///
/// # Errors
/// A manifest that does not expand or sets a parameter of the protocol, or an app without the secret that it needs.
pub fn grant_request(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    given: &Given<'_>,
) -> Result<Outbound, ProtocolError> {
    match provider.auth()?.grant {
        Grant::ClientCredentials => client_credentials(provider, client, given.scopes),
        Grant::AuthorizationCode | Grant::DeviceCode | Grant::Implicit => Err(ProtocolError::NeedsABrowser),
        Grant::Password => grants::password(provider, client, given),
        Grant::JwtBearer => grants::jwt_bearer(provider, client, given),
        Grant::Saml2Bearer => grants::saml2_bearer(provider, client, given),
        Grant::TokenExchange => grants::token_exchange(provider, client, given),
    }
}
