//! How the client signs: the algorithms, and what a client assertion says (RFC 7523 section 3).
//!
//! Invariant: what is unset is left out of the canonical text. Deliberately absent: `none`, and the keys, which are the
//! app's secret.

use serde::{Deserialize, Serialize};

/// A signature algorithm by its registered name (RFC 7518 section 3.1, RFC 8037 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SigningAlgorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// EdDSA with Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl SigningAlgorithm {
    /// Whether both sides have the same key.
    pub fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    /// The registered name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// What a client assertion says where it is not as RFC 7523 and the key have it. Texts may name variables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientAssertion {
    /// The claim `aud`; absent: the issuer where the manifest names it, else the URL of the token endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The claim `iss`; absent: the client's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// How it is signed; absent: as the key is usually used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<SigningAlgorithm>,
    /// The header member `kid`; absent: what the key itself says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Seconds from `iat` to `exp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<u32>,
}

impl ClientAssertion {
    /// Seconds from `iat` to `exp`: a minute, where nothing else is said.
    pub fn lifetime(&self) -> u32 {
        self.lifetime.unwrap_or(60)
    }

    /// The templates, with their JSON pointers in the manifest.
    pub(crate) fn templates(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let texts = [
            ("/auth/client_assertion/audience", &self.audience),
            ("/auth/client_assertion/issuer", &self.issuer),
            ("/auth/client_assertion/key_id", &self.key_id),
        ];
        texts.into_iter().filter_map(|(path, text)| Some((path, text.as_ref()?)))
    }
}
