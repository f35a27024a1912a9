//! Data keys: what seals the secrets of one customer.

use crate::seal::{HEADER, NONCE, VERSION};
use crate::{SealContext, VaultError, data_key_of};
use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use hmac::{Hmac, Mac as _};
use mortise_domain::{DataKeyId, Entropy, Sealed};
use sha2::Sha256;
use zeroize::Zeroizing;

/// 256 bits that seal and open. Kept small (no expanded cipher), so that a cache holds one for each of many customers.
pub struct DataKey {
    id: DataKeyId,
    key: Zeroizing<[u8; 32]>,
}

impl DataKey {
    /// A new key.
    pub fn generate(id: DataKeyId, entropy: &dyn Entropy) -> Self {
        let mut key = Zeroizing::new([0_u8; 32]);
        entropy.fill(key.as_mut());
        Self { id, key }
    }

    pub(crate) fn from_bytes(id: DataKeyId, key: Zeroizing<[u8; 32]>) -> Self {
        Self { id, key }
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.key
    }

    /// Its id, as every ciphertext of it carries it.
    pub const fn id(&self) -> DataKeyId {
        self.id
    }

    /// Seals `plain` for one place. The 96-bit nonce is random: a key seals far fewer than 2^32 values (one a refresh
    /// of one customer), which keeps the chance of a repeated nonce negligible (NIST SP 800-38D section 8.3).
    pub fn seal(&self, entropy: &dyn Entropy, context: &SealContext, plain: &[u8]) -> Result<Sealed, VaultError> {
        let mut nonce = [0_u8; NONCE];
        entropy.fill(&mut nonce);
        let payload = Payload { msg: plain, aad: &context.associated_data(self.id) };
        let sealed = self.cipher().encrypt(&nonce.into(), payload);
        let ciphertext = sealed.map_err(|_| VaultError::NotAuthentic)?;
        let mut bytes = Vec::with_capacity(HEADER + ciphertext.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(self.id.as_uuid().as_bytes());
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&ciphertext);
        Ok(Sealed::from_bytes(bytes))
    }

    /// Opens what was sealed for the same place with the same key.
    pub fn open(&self, context: &SealContext, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        if data_key_of(sealed)? != self.id {
            return Err(VaultError::OtherDataKey);
        }
        let (header, ciphertext) = sealed.as_bytes().split_at(HEADER);
        let nonce: [u8; NONCE] = header[HEADER - NONCE..].try_into().map_err(|_| VaultError::Format)?;
        let payload = Payload { msg: ciphertext, aad: &context.associated_data(self.id) };
        let plain = self.cipher().decrypt(&nonce.into(), payload);
        plain.map(Zeroizing::new).map_err(|_| VaultError::NotAuthentic)
    }

    /// A keyed digest (HMAC-SHA-256) under a key derived from this one: without the data key nobody can test guesses
    /// against it.
    pub fn digest(&self, bytes: &[u8]) -> [u8; 32] {
        let derived = keyed(&self.key, b"mortise digest v1");
        keyed(&derived, bytes)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.key).into())
    }
}

fn keyed(key: &[u8; 32], bytes: &[u8]) -> [u8; 32] {
    // HMAC pads a key shorter than its 64-byte block with zeros (RFC 2104 section 2).
    let mut block = Zeroizing::new([0_u8; 64]);
    block[..32].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DataKey({})", self.id)
    }
}

#[cfg(test)]
mod tests;
