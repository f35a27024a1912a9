//! Keys that are made for one life: what a client or a customer signs with, and what the provider checks it with.

use crate::life::Outcome;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mortise_connectors::SigningAlgorithm;

/// A pair of keys, in PEM.
pub(crate) struct Pair {
    pub(crate) private: String,
    pub(crate) public: String,
}

/// A new pair for an algorithm; one that is quick to make, where any will do.
pub(crate) fn pair(algorithm: Option<SigningAlgorithm>) -> Outcome<Pair> {
    let failed = |_| "no key can be made".to_owned();
    let made = match algorithm {
        Some(SigningAlgorithm::EdDsa) => {
            let key = Ed25519KeyPair::generate().map_err(failed)?;
            let private = key.to_pkcs8v1().map_err(failed)?;
            let public: PublicKeyX509Der<'_> = key.public_key().as_der().map_err(failed)?;
            Pair { private: pem("PRIVATE KEY", private.as_ref()), public: pem("PUBLIC KEY", public.as_ref()) }
        }
        Some(SigningAlgorithm::Es256 | SigningAlgorithm::Es384) | None => {
            let curve = match algorithm {
                Some(SigningAlgorithm::Es384) => &ECDSA_P384_SHA384_FIXED_SIGNING,
                _ => &ECDSA_P256_SHA256_FIXED_SIGNING,
            };
            let key = EcdsaKeyPair::generate(curve).map_err(failed)?;
            let private = key.to_pkcs8v1().map_err(failed)?;
            let public: PublicKeyX509Der<'_> = key.public_key().as_der().map_err(failed)?;
            Pair { private: pem("PRIVATE KEY", private.as_ref()), public: pem("PUBLIC KEY", public.as_ref()) }
        }
        Some(_) => {
            let key = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
            let private: Pkcs8V1Der<'_> = key.as_der().map_err(failed)?;
            let public: PublicKeyX509Der<'_> = key.public_key().as_der().map_err(failed)?;
            Pair { private: pem("PRIVATE KEY", private.as_ref()), public: pem("PUBLIC KEY", public.as_ref()) }
        }
    };
    Ok(made)
}

/// RFC 7468 section 2.
fn pem(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in encoded.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}
