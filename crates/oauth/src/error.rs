//! Why a request could not be built. Each is a fault of the manifest, of what was filled in, or of the app.

use crate::{IdentityFault, KeyFault};
use mortise_connectors::TemplateError;

/// Why a request could not be built. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// A URL or text template does not expand.
    #[error("a template of the manifest does not expand")]
    Template(#[from] TemplateError),
    /// The connector's customers paste credentials: there is no token to ask for.
    #[error("the connector does not speak OAuth 2")]
    NotOAuth2,
    /// The grant is given in a browser only.
    #[error("the connector's grant begins in a customer's browser")]
    NeedsABrowser,
    /// The connector does not speak OAuth 1.0.
    #[error("the connector does not speak OAuth 1.0")]
    NotOAuth1,
    /// The signature method PLAINTEXT is for encrypted connections (RFC 5849 section 3.4.4).
    #[error("PLAINTEXT would send the secrets as they are, and the address is no https one")]
    PlaintextInTheClear,
    /// The authorization code grant needs an authorization URL.
    #[error("the manifest has no `authorization_url`, which its grant needs")]
    NoAuthorizationUrl,
    /// The manifest authenticates the client by a secret and the app has none.
    #[error("the app has no client secret, which its connector sends: add one to the app")]
    NoClientSecret,
    /// The manifest sends the client's secret in a header and does not say in which.
    #[error("the manifest has no `client_secret_header`, which its client authentication needs")]
    NoSecretHeader,
    /// The app's secret is not the key that its connector's clients sign with.
    #[error("the app's secret is not the key that its connector needs: {0}")]
    ClientKey(#[from] KeyFault),
    /// What is to be sent as a secret is a private key, which nobody else may ever see.
    #[error(
        "this is a private key, and the connector sends its clients' secret as it is: give the secret that the provider gave you, or use a connector with `private_key_jwt`"
    )]
    KeyAsSecret,
    /// The app's secret is not the certificate that its connector's clients show.
    #[error("the app's secret is not the certificate that its connector needs: {0}")]
    ClientIdentity(#[from] IdentityFault),
    /// The manifest does not say what its grant signs.
    #[error("the manifest has no `assertion`, which its grant needs")]
    NoAssertion,
    /// What a customer gave is not the key that their assertions are signed with.
    #[error("the credential `{credential}` is not the key that its connector needs: {fault}")]
    PastedKey {
        /// Which one.
        credential: String,
        /// Why, with the way out.
        fault: KeyFault,
    },
    /// A connection's own key does not read.
    #[error("the connection's key for proofs of possession does not read: {0}")]
    DpopKey(KeyFault),
    /// An extra parameter would replace or repeat one that the protocol sets.
    #[error("the extra parameter `{name}` is set by the protocol and cannot come from the manifest")]
    ReservedParameter {
        /// The parameter's name.
        name: String,
    },
    /// An extra header is malformed, or would replace one that the protocol sets.
    #[error("the extra header `{name}` is malformed, or set by the protocol")]
    Header {
        /// The header's name.
        name: String,
    },
    /// A client cannot register by itself for the way in which the manifest authenticates it.
    #[error("a client cannot register by itself for the manifest's `client_authentication`")]
    NotRegistrable,
    /// The body could not be written.
    #[error("the request body could not be written as JSON")]
    Json(#[from] serde_json::Error),
}
