//! A client's certificate with its private key (RFC 8705 section 2), as PEM in one text.
//!
//! Invariant: what was read belongs together. Deliberately absent: who issued the certificate, which the provider judges.

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::fmt;
use zeroize::Zeroizing;

/// Why a text is no certificate to show. Nothing of the text is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityFault {
    /// No `BEGIN CERTIFICATE`.
    #[error(
        "there is no certificate in it: give the certificate (with those between it and its root) and its private key, both in PEM, one behind the other"
    )]
    NoCertificate,
    /// No `BEGIN PRIVATE KEY`.
    #[error(
        "there is no private key in it, or one with a passphrase: give the private key in PEM behind the certificate"
    )]
    NoKey,
    /// Two halves of different things.
    #[error("the private key is not the certificate's: give the one that the certificate was made with")]
    Mismatch,
}

/// A certificate, those that vouch for it, and its key. Wiped when dropped.
#[derive(Clone)]
pub struct ClientIdentity {
    pem: Zeroizing<String>,
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentity(…)")
    }
}

impl ClientIdentity {
    /// The identity in `text`.
    ///
    /// # Errors
    /// What is missing, or does not fit.
    pub fn read(text: &str) -> Result<Self, IdentityFault> {
        let (chain, key) = parts(text)?;
        let certified = CertifiedKey::from_der(chain, key, &default_provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => IdentityFault::Mismatch,
            rustls::Error::InvalidCertificate(_) => IdentityFault::NoCertificate,
            _ => IdentityFault::NoKey,
        })?;
        certified.keys_match().map_err(|_| IdentityFault::Mismatch)?;
        Ok(Self { pem: Zeroizing::new(text.to_owned()) })
    }

    /// What stands for one in a request that is only shown.
    pub(crate) fn for_show() -> Self {
        Self { pem: Zeroizing::default() }
    }

    /// The same in the terms of TLS.
    pub(crate) fn parts(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), IdentityFault> {
        parts(&self.pem)
    }

    /// Tells one identity from another.
    pub(crate) fn digest(&self) -> [u8; 32] {
        mortise_vault::sha256(&self.pem)
    }
}

fn parts(text: &str) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), IdentityFault> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or(IdentityFault::NoCertificate)?;
    let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| IdentityFault::NoKey)?;
    Ok((chain, key))
}
