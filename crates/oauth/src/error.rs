//! Why a request could not be built. Each is a fault of the manifest, of what was filled in, or of the app.

use mortise_connectors::TemplateError;

/// Why a request could not be built. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// A URL or text template does not expand.
    #[error("a template of the manifest does not expand")]
    Template(#[from] TemplateError),
    /// The authorization code grant needs an authorization URL.
    #[error("the manifest has no `authorization_url`, which its grant needs")]
    NoAuthorizationUrl,
    /// The manifest authenticates the client by a secret and the app has none.
    #[error("the app has no client secret, which its connector sends: add one to the app")]
    NoClientSecret,
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
    /// The body could not be written.
    #[error("the request body could not be written as JSON")]
    Json(#[from] serde_json::Error),
}
