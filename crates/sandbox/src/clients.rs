//! The clients that are registered at the sandbox. Secrets are kept as SHA-256 digests.

use crate::client_auth::Credentials;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use url::Url;

/// The client that every sandbox knows from the start.
pub const DEFAULT_CLIENT_ID: &str = "sandbox-client";
/// Its secret, no secret at all.
pub const DEFAULT_CLIENT_SECRET: &str = "sandbox-secret";

/// A client to register, or to register anew.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewClient {
    /// 1 to 255 printable ASCII characters.
    pub client_id: String,
    /// Absent: a public client, which proves itself by PKCE alone.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// What the consent page calls it; the id if absent.
    #[serde(default)]
    pub name: Option<String>,
    /// Where it may send the browser back to, compared to the byte. Empty: anywhere by http or https.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
}

/// Why a client cannot be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The id is out of shape.
    #[error("`client_id` must be 1 to 255 printable ASCII characters")]
    Id,
    /// A secret that says nothing.
    #[error("`client_secret` must not be empty: leave it out for a public client")]
    EmptySecret,
    /// A redirect URI that could never be used.
    #[error("each of `redirect_uris` must be an absolute http or https URL without a fragment")]
    RedirectUri,
}

/// A registered client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Client {
    /// What the consent page calls it.
    pub name: String,
    secret_digest: Option<[u8; 32]>,
    redirect_uris: Vec<String>,
}

impl Client {
    /// Whether the browser may be sent to `uri` (RFC 6749 section 3.1.2.3).
    pub fn may_return_to(&self, uri: &str) -> bool {
        is_return_address(uri) && (self.redirect_uris.is_empty() || self.redirect_uris.iter().any(|known| known == uri))
    }
}

/// All clients by id.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Clients(BTreeMap<String, Client>);

impl Default for Clients {
    fn default() -> Self {
        let client = Client {
            name: "Mortise demo app".to_owned(),
            secret_digest: Some(digest(DEFAULT_CLIENT_SECRET)),
            redirect_uris: Vec::new(),
        };
        Self(BTreeMap::from([(DEFAULT_CLIENT_ID.to_owned(), client)]))
    }
}

impl Clients {
    /// Registers a client; one with the same id is replaced.
    pub fn register(&mut self, new: NewClient) -> Result<(), ClientError> {
        if new.client_id.is_empty() || new.client_id.len() > 255 || !new.client_id.bytes().all(|b| b.is_ascii_graphic())
        {
            return Err(ClientError::Id);
        }
        if new.client_secret.as_deref() == Some("") {
            return Err(ClientError::EmptySecret);
        }
        if !new.redirect_uris.iter().all(|uri| is_return_address(uri)) {
            return Err(ClientError::RedirectUri);
        }
        let client = Client {
            name: new.name.unwrap_or_else(|| new.client_id.clone()),
            secret_digest: new.client_secret.as_deref().map(digest),
            redirect_uris: new.redirect_uris,
        };
        self.0.insert(new.client_id, client);
        Ok(())
    }

    /// The client called `id`.
    pub fn get(&self, id: &str) -> Option<&Client> {
        self.0.get(id)
    }

    /// Whether the credentials are those of a registered client.
    pub fn authenticate(&self, credentials: &Credentials) -> bool {
        self.0.get(&credentials.client_id).is_some_and(|client| {
            // Digests are compared, so the time taken says nothing about the secret.
            client.secret_digest == credentials.client_secret.as_deref().map(digest)
        })
    }
}

fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

fn is_return_address(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.fragment().is_none())
}
