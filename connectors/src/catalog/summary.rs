//! What people choose from: every entry in a few words.

use crate::{Auth, Confidence, Grant, Manifest, parse};
use std::sync::LazyLock;

/// An entry in a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its id.
    pub id: String,
    /// The provider's name.
    pub name: String,
    /// How a customer's access is obtained: the grant of OAuth 2, `api_key` or `basic`.
    pub mode: &'static str,
    /// The kinds of provider that it is.
    pub categories: Vec<String>,
    /// How sure its facts are; `None` for entries that were written by hand.
    pub confidence: Option<Confidence>,
    /// How many independent sources state them; 0 where nobody counted.
    pub sources: u32,
    /// Where the provider documents itself.
    pub docs_url: Option<String>,
}

/// All entries, in the order of their ids. They are read once a process: an edit shows after a restart.
pub fn summaries() -> &'static [Summary] {
    static ALL: LazyLock<Vec<Summary>> = LazyLock::new(|| {
        let manifests = super::ids().into_iter().filter_map(|id| parse(&super::get(&id)?).ok());
        manifests.map(summary).collect()
    });
    &ALL
}

fn summary(manifest: Manifest) -> Summary {
    Summary {
        id: manifest.id.to_string(),
        mode: mode(&manifest.auth),
        name: manifest.name,
        categories: manifest.categories,
        confidence: manifest.provenance.as_ref().map(|provenance| provenance.confidence),
        sources: manifest.provenance.as_ref().map_or(0, |provenance| provenance.sources),
        docs_url: manifest.docs_url,
    }
}

fn mode(auth: &Auth) -> &'static str {
    match auth {
        Auth::Oauth2(auth) => match auth.grant {
            Grant::AuthorizationCode => "authorization_code",
            Grant::ClientCredentials => "client_credentials",
            Grant::DeviceCode => "device_code",
            Grant::Implicit => "implicit",
            Grant::Password => "password",
            Grant::JwtBearer => "jwt_bearer",
            Grant::Saml2Bearer => "saml2_bearer",
            Grant::TokenExchange => "token_exchange",
        },
        Auth::Oauth1(_) => "oauth1",
        Auth::ApiKey(_) => "api_key",
        Auth::Basic(_) => "basic",
        Auth::TwoStep(_) => "two_step",
        Auth::SignedJwt(_) => "signed_jwt",
    }
}
