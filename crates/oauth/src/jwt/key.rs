//! A key out of a text: PEM, or a private JWK (RFC 7517).

use super::jwk::Jwk;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, AlgorithmFamily, EncodingKey, Header};
use mortise_connectors::SigningAlgorithm;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Serialize;
use std::fmt;
use zeroize::Zeroizing;

/// Why a text is no key to sign with. Nothing of the text is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Neither form.
    #[error("this is no private key: give it in PEM (BEGIN PRIVATE KEY) or as a JWK, as the provider gave it to you")]
    NotAKey,
    /// `BEGIN ENCRYPTED PRIVATE KEY`.
    #[error("the key is encrypted: take its passphrase off, such as with `openssl pkey -in FILE`")]
    Encrypted,
    /// The half that everybody may know.
    #[error("this is the public half: give the private key")]
    Public,
    /// It reads as one and is not sound, or smaller than 2048 bits.
    #[error("the private key does not hold together, or is smaller than RSA 2048, P-256, P-384 and Ed25519")]
    Unsound,
    /// A key of another kind than the algorithm has.
    #[error("the key is not for {}: give one that is, or change the algorithm in the manifest", .0.as_str())]
    OtherAlgorithm(SigningAlgorithm),
    /// Nothing to sign with.
    #[error("the secret is empty")]
    Empty,
    /// A shared key that is not written as its provider writes it.
    #[error("the key is not written in {0}: check that it was copied whole")]
    NotEncoded(&'static str),
}

/// A key with the algorithm that it signs by.
#[derive(Clone)]
pub struct SigningKey {
    key: EncodingKey,
    algorithm: Algorithm,
    key_id: Option<String>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.algorithm)
    }
}

impl SigningKey {
    /// The private key in `text`. Without an algorithm it signs as such keys usually do: `RS256`, `ES256`, `ES384`, `EdDSA`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str, wanted: Option<SigningAlgorithm>) -> Result<Self, KeyFault> {
        let text = text.trim();
        let (key, usual, key_id) = if text.starts_with('{') {
            let jwk = Jwk::read(text)?;
            let (key, usual) = jwk.private_key()?;
            (key, usual, jwk.key_id())
        } else {
            let (key, usual) = of_pem(text)?;
            (key, usual, None)
        };
        Self { key, algorithm: usual, key_id }.fit_for(wanted)
    }

    /// The secret that both sides know; the algorithm is `HS256` where nothing else is said.
    ///
    /// # Errors
    /// An empty secret, or an algorithm for key pairs.
    pub fn shared(secret: &str, wanted: Option<SigningAlgorithm>) -> Result<Self, KeyFault> {
        Self::of_bytes(secret.as_bytes(), wanted)
    }

    /// The same in bytes.
    ///
    /// # Errors
    /// See [`Self::shared`].
    pub(crate) fn of_bytes(secret: &[u8], wanted: Option<SigningAlgorithm>) -> Result<Self, KeyFault> {
        if secret.is_empty() {
            return Err(KeyFault::Empty);
        }
        let key = EncodingKey::from_secret(secret);
        Self { key, algorithm: Algorithm::HS256, key_id: None }.fit_for(wanted)
    }

    /// The same by the kind of algorithm: a shared secret, or a private key.
    ///
    /// # Errors
    /// See [`Self::read`] and [`Self::shared`].
    pub fn of(text: &str, algorithm: SigningAlgorithm) -> Result<Self, KeyFault> {
        if algorithm.is_symmetric() { Self::shared(text, Some(algorithm)) } else { Self::read(text, Some(algorithm)) }
    }

    /// A signed token with `claims`; its header has the key's own `kid` where none is given.
    ///
    /// # Errors
    /// Claims that are no JSON object.
    pub fn sign(
        &self,
        typ: Option<&str>,
        key_id: Option<&str>,
        claims: &impl Serialize,
    ) -> Result<Zeroizing<String>, jsonwebtoken::errors::Error> {
        let mut header = Header::new(self.algorithm);
        header.typ = typ.map(str::to_owned);
        header.kid = key_id.map(str::to_owned).or_else(|| self.key_id.clone());
        self.sign_under(&header, claims)
    }

    /// The same under a header of one's own, but for the algorithm.
    pub(crate) fn sign_under(
        &self,
        header: &Header,
        claims: &impl Serialize,
    ) -> Result<Zeroizing<String>, jsonwebtoken::errors::Error> {
        jsonwebtoken::encode(header, claims, &self.key).map(Zeroizing::new)
    }

    /// The name of the algorithm that it signs by.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    fn fit_for(mut self, wanted: Option<SigningAlgorithm>) -> Result<Self, KeyFault> {
        let Some(wanted) = wanted else { return Ok(self) };
        let algorithm = named(wanted);
        // A curve has one algorithm; RSA keys and shared secrets are as good for one hash as for another.
        let one_curve = matches!(self.key.family(), AlgorithmFamily::Ec);
        let fits = if one_curve { algorithm == self.algorithm } else { algorithm.family() == self.key.family() };
        if !fits {
            return Err(KeyFault::OtherAlgorithm(wanted));
        }
        self.algorithm = algorithm;
        Ok(self)
    }
}

fn named(algorithm: SigningAlgorithm) -> Algorithm {
    match algorithm {
        SigningAlgorithm::Hs256 => Algorithm::HS256,
        SigningAlgorithm::Hs384 => Algorithm::HS384,
        SigningAlgorithm::Hs512 => Algorithm::HS512,
        SigningAlgorithm::Rs256 => Algorithm::RS256,
        SigningAlgorithm::Rs384 => Algorithm::RS384,
        SigningAlgorithm::Rs512 => Algorithm::RS512,
        SigningAlgorithm::Ps256 => Algorithm::PS256,
        SigningAlgorithm::Ps384 => Algorithm::PS384,
        SigningAlgorithm::Ps512 => Algorithm::PS512,
        SigningAlgorithm::Es256 => Algorithm::ES256,
        SigningAlgorithm::Es384 => Algorithm::ES384,
        SigningAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

/// The first private key of a PEM text. Keys that were copied out of JSON have `\n` for line breaks.
fn of_pem(text: &str) -> Result<(EncodingKey, Algorithm), KeyFault> {
    let unfolded = Zeroizing::new(if text.contains('\n') { text.to_owned() } else { text.replace("\\n", "\n") });
    match PrivateKeyDer::from_pem_slice(unfolded.as_bytes()) {
        Ok(PrivateKeyDer::Pkcs1(der)) => rsa_of_pkcs1(der.secret_pkcs1_der()),
        Ok(PrivateKeyDer::Sec1(der)) => {
            ec(|curve| EcdsaKeyPair::from_private_key_der(curve, der.secret_sec1_der()).ok())
        }
        Ok(PrivateKeyDer::Pkcs8(der)) => of_pkcs8(der.secret_pkcs8_der()),
        Ok(_) => Err(KeyFault::NotAKey),
        Err(_) if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") => {
            Err(KeyFault::Encrypted)
        }
        Err(_) if text.contains("PUBLIC KEY-----") || text.contains("BEGIN CERTIFICATE") => Err(KeyFault::Public),
        Err(_) => Err(KeyFault::NotAKey),
    }
}

pub(super) fn of_pkcs8(der: &[u8]) -> Result<(EncodingKey, Algorithm), KeyFault> {
    if RsaKeyPair::from_pkcs8(der).is_ok() {
        // The library wants the inner structure, and finds it itself in PEM.
        let mut pem = Zeroizing::new(String::with_capacity(der.len() * 2 + 64));
        pem.push_str("-----BEGIN PRIVATE KEY-----\n");
        STANDARD.encode_string(der, &mut pem);
        pem.push_str("\n-----END PRIVATE KEY-----\n");
        let key = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| KeyFault::Unsound)?;
        return Ok((key, Algorithm::RS256));
    }
    if Ed25519KeyPair::from_pkcs8(der).is_ok() {
        return Ok((EncodingKey::from_ed_der(der), Algorithm::EdDSA));
    }
    ec(|curve| EcdsaKeyPair::from_pkcs8(curve, der).ok())
}

fn rsa_of_pkcs1(der: &[u8]) -> Result<(EncodingKey, Algorithm), KeyFault> {
    RsaKeyPair::from_der(der).map_err(|_| KeyFault::Unsound)?;
    Ok((EncodingKey::from_rsa_der(der), Algorithm::RS256))
}

/// The key on the first curve that it is on.
pub(super) fn ec(
    pair: impl Fn(&'static EcdsaSigningAlgorithm) -> Option<EcdsaKeyPair>,
) -> Result<(EncodingKey, Algorithm), KeyFault> {
    let curves =
        [(&ECDSA_P256_SHA256_FIXED_SIGNING, Algorithm::ES256), (&ECDSA_P384_SHA384_FIXED_SIGNING, Algorithm::ES384)];
    let found = curves.into_iter().find_map(|(curve, algorithm)| Some((pair(curve)?, algorithm)));
    let (pair, algorithm) = found.ok_or(KeyFault::Unsound)?;
    let der = pair.to_pkcs8v1().map_err(|_| KeyFault::Unsound)?;
    Ok((EncodingKey::from_ec_der(der.as_ref()), algorithm))
}

#[cfg(test)]
mod tests;
