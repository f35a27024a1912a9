//! The two sides of a request: the provider as its manifest describes it, and the client that is registered there.

use crate::{ProtocolError, Signer};
use mortise_connectors::{Manifest, OAuth2, Values, expand_text, expand_url};
use mortise_domain::{ClientSecret, DpopKey};
use url::Url;

/// A manifest and what was filled in for its variables.
#[derive(Debug, Clone, Copy)]
pub struct Provider<'a> {
    /// The provider, described.
    pub manifest: &'a Manifest,
    /// Values by variable, already resolved: defaults filled in, types checked.
    pub values: &'a Values,
}

impl<'a> Provider<'a> {
    pub(crate) fn auth(&self) -> Result<&'a OAuth2, ProtocolError> {
        self.manifest.oauth2().ok_or(ProtocolError::NotOAuth2)
    }

    pub(crate) fn url(&self, template: &str) -> Result<Url, ProtocolError> {
        Ok(expand_url(template, self.manifest, self.values)?)
    }

    pub(crate) fn text(&self, template: &str) -> Result<String, ProtocolError> {
        Ok(expand_text(template, self.values)?)
    }
}

/// A client as it is registered with a provider (RFC 6749 section 2).
#[derive(Debug, Clone, Copy)]
pub struct ClientRegistration<'a> {
    /// Section 2.2.
    pub client_id: &'a str,
    /// Section 2.3.1; a public client has none.
    pub secret: Option<&'a ClientSecret>,
    /// Where the provider sends the browser back (section 3.1.2).
    pub redirect_uri: &'a str,
    /// Who signs for it. `None`: its requests are to be shown and cannot be sent where anything is to be signed.
    pub signer: Option<&'a Signer>,
    /// What the connection's tokens are bound to (RFC 9449); `None`: nothing yet.
    pub dpop_key: Option<&'a DpopKey>,
}
