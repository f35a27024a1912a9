//! Demonstrating proof of possession (RFC 9449): a key of its own for each connection, and what it proves.
//!
//! Invariant: a key is `ES256`, belongs to one connection, and is sealed wherever its tokens are. Deliberately absent: what
//! callers of APIs sign, which they do with the key that is handed out to them beside the token.

use crate::{Method, ProtocolError, Signer, SigningKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::{Error as JwtError, ErrorKind};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, Header};
use mortise_domain::{AccessToken, DpopKey};
use mortise_vault::sha256;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

/// A proof to be signed.
pub(crate) struct DpopProof {
    /// `None`: a request to be shown.
    key: Option<(SigningKey, Jwk, DpopKey)>,
    /// Of the access token that is shown beside the proof.
    ath: Option<String>,
}

impl DpopProof {
    /// A proof with `key`, or with a new one where the connection has none yet.
    pub(crate) fn with(key: Option<&DpopKey>, signer: Option<&Signer>) -> Result<Self, ProtocolError> {
        let made = match (key, signer) {
            (Some(key), Some(_)) => Some(DpopKey::new(key.expose())),
            (None, Some(signer)) => Some(new_key(signer)?),
            (_, None) => None,
        };
        let key = match made {
            Some(key) => {
                let signing = SigningKey::read(key.expose(), None).map_err(ProtocolError::DpopKey)?;
                let public: Jwk = serde_json::from_str(key.expose())?;
                Some((signing, public, key))
            }
            None => None,
        };
        Ok(Self { key, ath: None })
    }

    /// For a call that carries `token` (section 7).
    pub(crate) fn beside(mut self, token: &AccessToken) -> Self {
        self.ath = Some(URL_SAFE_NO_PAD.encode(sha256(token.expose())));
        self
    }

    /// Section 4.2, but for what only the moment of sending knows.
    pub(crate) fn claims(&self, method: Method, htu: &str, nonce: Option<&str>) -> Map<String, Value> {
        let htm = match method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let mut claims = Map::from_iter([("htm".to_owned(), json!(htm)), ("htu".to_owned(), json!(htu))]);
        claims.extend(self.ath.iter().map(|ath| ("ath".to_owned(), json!(ath))));
        claims.extend(nonce.map(|nonce| ("nonce".to_owned(), json!(nonce))));
        claims
    }

    pub(crate) fn sign(&self, claims: &Value) -> Result<Zeroizing<String>, JwtError> {
        let (key, public, _) = self.key.as_ref().ok_or(ErrorKind::InvalidKeyFormat)?;
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("dpop+jwt".to_owned());
        header.jwk = Some(public.clone());
        key.sign_under(&header, claims)
    }

    /// What the tokens of the reply are bound to.
    pub(crate) fn key(&self) -> DpopKey {
        DpopKey::new(self.key.as_ref().map_or("", |(_, _, key)| key.expose()))
    }
}

/// A new key as a private JWK (RFC 7518 section 6.2.2).
fn new_key(signer: &Signer) -> Result<DpopKey, ProtocolError> {
    let unsound = || ProtocolError::DpopKey(crate::KeyFault::Unsound);
    let mut scalar = Zeroizing::new([0_u8; 32]);
    signer.entropy().fill(scalar.as_mut());
    // A scalar beyond the order of the curve comes once in four thousand million.
    let private = PrivateKey::from_private_key(&ECDH_P256, scalar.as_ref()).map_err(|_| unsound())?;
    let point = private.compute_public_key().map_err(|_| unsound())?;
    let (x, y) = point.as_ref().get(1..65).ok_or_else(unsound)?.split_at(32);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    let d = Zeroizing::new(URL_SAFE_NO_PAD.encode(scalar.as_ref()));
    Ok(DpopKey::new(format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}","d":"{}"}}"#, *d)))
}

#[cfg(test)]
mod tests;
