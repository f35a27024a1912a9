//! Signed assertions (RFC 7523 section 3) as an authorization server looks at them.
//!
//! Invariant: nothing of a token is believed before its signature was checked with the key that was registered for whoever
//! it names, by the algorithm that was registered with it. Deliberately absent: keys that a token brings along.

use crate::reply::OAuthError;
use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::{Deserialize, Serialize};

/// Milliseconds by which clocks may differ.
const SKEW: i64 = 60_000;
/// Milliseconds that an assertion may be good for.
const LONGEST_LIFE: i64 = 3_600_000;

/// What signatures are checked with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedKey {
    /// The one algorithm that counts.
    pub algorithm: Algorithm,
    /// A public key in PEM or as a JWK; with `HS256` to `HS512` the shared secret.
    pub key: String,
}

impl TrustedKey {
    /// Whether anything can be checked with it.
    pub fn is_usable(&self) -> bool {
        self.decoding().is_some()
    }

    pub(crate) fn decoding(&self) -> Option<DecodingKey> {
        let text = self.key.trim();
        match self.algorithm {
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
                (!text.is_empty()).then(|| DecodingKey::from_secret(self.key.as_bytes()))
            }
            _ if text.starts_with('{') => DecodingKey::from_jwk(&serde_json::from_str::<Jwk>(text).ok()?).ok(),
            Algorithm::ES256 | Algorithm::ES384 => DecodingKey::from_ec_pem(text.as_bytes()).ok(),
            Algorithm::EdDSA => DecodingKey::from_ed_pem(text.as_bytes()).ok(),
            _ => DecodingKey::from_rsa_pem(text.as_bytes()).ok(),
        }
    }
}

/// What an assertion says.
#[derive(Debug, Clone, Deserialize)]
pub struct Claims {
    /// Who signed it.
    pub iss: String,
    /// Whom it is about.
    #[serde(default)]
    pub sub: Option<String>,
    /// Text: of several audiences one may be somebody who could use it elsewhere.
    pub aud: String,
    exp: i64,
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default)]
    nbf: Option<i64>,
    /// What tells it from all others.
    pub jti: String,
    /// The scopes that are asked for, at providers that want them here.
    #[serde(default)]
    pub scope: Option<String>,
}

impl Claims {
    /// When it ends, in unix milliseconds.
    pub fn ends_at(&self) -> i64 {
        self.exp.saturating_mul(1000)
    }
}

/// Who an assertion says signed it, which nobody may believe yet.
pub fn claimed_issuer(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Issuer {
        iss: String,
    }
    insecure_decode_claims::<Issuer>(token).ok().map(|claims| claims.iss)
}

/// What an assertion says, if its signature is good and it is meant for one of `audiences` now.
pub fn verify(token: &str, key: &TrustedKey, audiences: &[String], now: i64) -> Result<Claims, OAuthError> {
    let refused = |why| Err(OAuthError::invalid_grant(why));
    let header = decode_header(token).map_err(|_| OAuthError::invalid_grant("the assertion is no JWT"))?;
    if header.alg != key.algorithm {
        return refused("the assertion is not signed by the algorithm that was registered");
    }
    let unusable = OAuthError::server_error("the registered key cannot be read");
    // Times are compared with the sandbox's own clock below, and the audience is one text.
    let mut by_signature = Validation::new(key.algorithm);
    by_signature.required_spec_claims.clear();
    (by_signature.validate_exp, by_signature.validate_aud) = (false, false);
    let decoded = decode::<serde_json::Value>(token, &key.decoding().ok_or(unusable)?, &by_signature);
    let claims = decoded.map_err(|_| OAuthError::invalid_grant("the assertion's signature is not good"))?.claims;
    let claims: Claims = serde_json::from_value(claims)
        .map_err(|_| OAuthError::invalid_grant("the assertion lacks `iss`, `aud` as one text, `exp` or `jti`"))?;
    let (ends, begins) = (claims.ends_at(), claims.nbf.or(claims.iat));
    if !audiences.contains(&claims.aud) {
        return refused("the assertion is meant for somebody else");
    }
    if ends <= now {
        return refused("the assertion has expired");
    }
    if ends > now + LONGEST_LIFE + SKEW {
        return refused("the assertion is good for longer than an hour");
    }
    if begins.is_some_and(|at| at.saturating_mul(1000) > now + SKEW) {
        return refused("the assertion is not good yet");
    }
    Ok(claims)
}
