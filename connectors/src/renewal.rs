//! What a connection's access is renewed with, and what its customers fill in for that, whatever the mode.
//!
//! Invariant: the one place that knows it by mode; nobody else asks which grant it is to find out.

use crate::manifest::Credential;
use crate::{Auth, ClientAuthentication, Grant};
use std::collections::BTreeMap;

/// What a further token is asked for with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenewedBy {
    /// The refresh token that came with the token (RFC 6749 section 6).
    RefreshToken,
    /// What the customer gave: the token is asked for anew. Where the reply brings a refresh token, that one takes its
    /// place, so that no password is kept where it is not needed.
    Credentials,
    /// The client's own credentials (RFC 6749 section 4.4).
    Client,
}

impl Auth {
    /// What a new connection's access is renewed with; `None`: it never is.
    pub fn renewal(&self) -> Option<RenewedBy> {
        match self {
            Self::Oauth2(auth) => match auth.grant {
                Grant::AuthorizationCode | Grant::DeviceCode => Some(RenewedBy::RefreshToken),
                Grant::Implicit => None,
                Grant::ClientCredentials => Some(RenewedBy::Client),
                Grant::Password | Grant::Saml2Bearer | Grant::TokenExchange => Some(RenewedBy::Credentials),
                // An assertion about what the admin or the customer filled in, signed with the app's key.
                Grant::JwtBearer if auth.asked().is_empty() => Some(RenewedBy::Client),
                Grant::JwtBearer => Some(RenewedBy::Credentials),
            },
            // Nobody is asked, and the key is there each time.
            Self::TwoStep(_) | Self::SignedJwt(_) => Some(RenewedBy::Credentials),
            Self::Oauth1(_) | Self::ApiKey(_) | Self::Basic(_) => None,
        }
    }

    /// The fields in which the customer gives credentials, where that is how this provider is connected.
    pub fn asks(&self) -> Option<&BTreeMap<String, Credential>> {
        match self {
            Self::Oauth2(auth) => Some(auth.asked()).filter(|fields| !fields.is_empty()),
            Self::Oauth1(_) => None,
            Self::ApiKey(auth) => Some(&auth.credentials),
            Self::Basic(auth) => Some(&auth.credentials),
            Self::TwoStep(auth) => Some(&auth.credentials),
            Self::SignedJwt(auth) => Some(&auth.credentials),
        }
    }

    /// Whether an app's client has to have a secret.
    pub fn proves_client(&self) -> bool {
        match self {
            Self::Oauth1(_) => true,
            Self::Oauth2(auth) => {
                // The token comes with the callback: only these two questions prove the client.
                let asks = auth.revocation_url.is_some() || auth.introspection_url.is_some();
                let proves = auth.client_authentication != ClientAuthentication::None || auth.signs_with_app_key();
                proves && (auth.grant != Grant::Implicit || asks)
            }
            Self::TwoStep(_) | Self::ApiKey(_) | Self::Basic(_) | Self::SignedJwt(_) => false,
        }
    }

    /// Whether an app is a client that is registered at the provider.
    pub fn has_client(&self) -> bool {
        match self {
            Self::Oauth2(_) | Self::Oauth1(_) => true,
            Self::ApiKey(_) | Self::Basic(_) | Self::TwoStep(_) | Self::SignedJwt(_) => false,
        }
    }

    /// The fields beside a token that are told once, with the first one, and so outlive its renewals.
    pub fn told_once(&self) -> Vec<&str> {
        match self {
            Self::Oauth2(auth) => auth.told_once().collect(),
            // A login tells them each time; what renews its token may not.
            Self::TwoStep(auth) if !auth.refresh.is_empty() => {
                auth.token_response.extra.keys().map(String::as_str).collect()
            }
            Self::TwoStep(_) | Self::Oauth1(_) | Self::ApiKey(_) | Self::Basic(_) | Self::SignedJwt(_) => Vec::new(),
        }
    }
}
