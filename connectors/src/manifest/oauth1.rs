//! OAuth 1.0 as a provider speaks it (RFC 5849).
//!
//! Field names are those of the RFC where it has one, else the words that providers use. Deliberately absent: scopes and
//! refreshes, which OAuth 1.0 does not have, and `RSA-SHA1`, because no library that may be used signs with it.

use super::is_default;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// OAuth 1.0, as this provider speaks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth1 {
    /// Where temporary credentials are asked for (RFC 5849 section 2.1).
    pub request_token_url: String,
    /// Where customers consent (section 2.2).
    pub authorization_url: String,
    /// Where token credentials are asked for (section 2.3).
    pub token_url: String,
    /// How requests are signed (section 3.4).
    #[serde(default, skip_serializing_if = "is_default")]
    pub signature_method: SignatureMethod,
    /// The protection realm that stands in the header `Authorization` and is not signed (section 3.5.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// Extra parameters of the request for temporary credentials. Values may name variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub request_token_params: BTreeMap<String, String>,
    /// Extra parameters of the address where customers consent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub authorization_params: BTreeMap<String, String>,
    /// What of the reply that brings the token is handed out with it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub token_response: OAuth1TokenResponse,
}

/// What of the token reply is handed out, beside token and token secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OAuth1TokenResponse {
    /// Fields of the reply, by the name they get.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
}

/// How requests are signed, by the names of RFC 5849 and, for SHA-256, of the providers that have it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignatureMethod {
    /// Section 3.4.2.
    #[default]
    #[serde(rename = "HMAC-SHA1")]
    HmacSha1,
    /// The same with SHA-256.
    #[serde(rename = "HMAC-SHA256")]
    HmacSha256,
    /// Section 3.4.4: both secrets as they are, over TLS.
    #[serde(rename = "PLAINTEXT")]
    Plaintext,
}

impl SignatureMethod {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::Plaintext => "PLAINTEXT",
        }
    }
}

impl OAuth1 {
    /// Every URL that is called or visited, with its JSON pointer in the manifest. They may name variables.
    pub fn urls(&self) -> [(&'static str, &String); 3] {
        [
            ("/auth/request_token_url", &self.request_token_url),
            ("/auth/authorization_url", &self.authorization_url),
            ("/auth/token_url", &self.token_url),
        ]
    }
}
