//! Private keys as JSON (RFC 7517, RFC 7518 section 6, RFC 8037).

use super::key::{KeyFault, ec, of_pkcs8};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde::Deserialize;
use zeroize::Zeroizing;

/// A key as it stands there. `d` is what makes it private.
#[derive(Deserialize)]
pub(super) struct Jwk {
    kty: String,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<Private>,
    p: Option<Private>,
    q: Option<Private>,
    dp: Option<Private>,
    dq: Option<Private>,
    qi: Option<Private>,
}

/// A member that nobody else may know.
#[derive(Deserialize)]
#[serde(from = "String")]
struct Private(Zeroizing<String>);

impl From<String> for Private {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl AsRef<str> for Private {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Jwk {
    pub(super) fn read(text: &str) -> Result<Self, KeyFault> {
        serde_json::from_str(text).map_err(|_| KeyFault::NotAKey)
    }

    pub(super) fn key_id(self) -> Option<String> {
        self.kid
    }

    pub(super) fn private_key(&self) -> Result<(EncodingKey, Algorithm), KeyFault> {
        if self.d.is_none() && matches!(self.kty.as_str(), "RSA" | "EC" | "OKP") {
            return Err(KeyFault::Public);
        }
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => self.rsa(),
            ("EC", Some(_)) => {
                let (d, mut point) = (bytes(&self.d)?, vec![4]);
                point.extend_from_slice(&bytes(&self.x)?);
                point.extend_from_slice(&bytes(&self.y)?);
                ec(|curve| EcdsaKeyPair::from_private_key_and_public_key(curve, &d, &point).ok())
            }
            ("OKP", Some("Ed25519")) => {
                let pair = Ed25519KeyPair::from_seed_and_public_key(&bytes(&self.d)?, &bytes(&self.x)?);
                let der = pair.ok().and_then(|pair| pair.to_pkcs8v1().ok()).ok_or(KeyFault::Unsound)?;
                of_pkcs8(der.as_ref())
            }
            _ => Err(KeyFault::NotAKey),
        }
    }

    fn rsa(&self) -> Result<(EncodingKey, Algorithm), KeyFault> {
        let components = KeyPairComponents {
            public_key: PublicKeyComponents { n: bytes(&self.n)?, e: bytes(&self.e)? },
            d: bytes(&self.d)?,
            p: bytes(&self.p)?,
            q: bytes(&self.q)?,
            dP: bytes(&self.dp)?,
            dQ: bytes(&self.dq)?,
            qInv: bytes(&self.qi)?,
        };
        let pair = RsaKeyPair::from_components(&components).map_err(|_| KeyFault::Unsound)?;
        let der: Pkcs8V1Der<'static> = pair.as_der().map_err(|_| KeyFault::Unsound)?;
        of_pkcs8(der.as_ref())
    }
}

/// A member's bytes (RFC 7515 section 2).
fn bytes(member: &Option<impl AsRef<str>>) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
    let text = member.as_ref().ok_or(KeyFault::NotAKey)?;
    URL_SAFE_NO_PAD.decode(text.as_ref()).map(Zeroizing::new).map_err(|_| KeyFault::NotAKey)
}
