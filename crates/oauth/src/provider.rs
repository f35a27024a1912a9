//! The two sides of a request: the provider as its manifest describes it, and the client that is registered there.

use crate::ProtocolError;
use mortise_connectors::{Auth, Manifest, Values, expand_text, expand_url};
use mortise_domain::ClientSecret;
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
    pub(crate) fn auth(&self) -> &'a Auth {
        &self.manifest.auth
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
}
