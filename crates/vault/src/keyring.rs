//! Key-encryption keys: what wraps data keys.

use crate::{DataKey, VaultError};
use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use mortise_domain::{DataKeyId, Entropy};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

const NONCE: usize = 12;

/// Every key-encryption key that is still referenced; the primary one wraps what is new.
pub struct Keyring {
    primary: String,
    keys: BTreeMap<String, Zeroizing<[u8; 32]>>,
}

/// A data key as the database holds it.
pub struct WrappedKey {
    /// The key-encryption key that wrapped it.
    pub key_encryption_key: String,
    /// `nonce 12 │ ciphertext 32 │ tag 16` (bytes).
    pub bytes: Vec<u8>,
}

impl Keyring {
    pub(crate) fn new(primary: String, keys: BTreeMap<String, Zeroizing<[u8; 32]>>) -> Option<Self> {
        keys.contains_key(&primary).then_some(Self { primary, keys })
    }

    /// The id of the key that wraps what is new.
    pub fn primary(&self) -> &str {
        &self.primary
    }

    /// The ids of all keys, the primary one among them.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    /// Wraps a data key under the primary key.
    pub fn wrap(&self, key: &DataKey, entropy: &dyn Entropy) -> Result<WrappedKey, VaultError> {
        let mut nonce = [0_u8; NONCE];
        entropy.fill(&mut nonce);
        let aad = associated_data(&self.primary, key.id());
        let payload = Payload { msg: key.bytes(), aad: &aad };
        let sealed = self.cipher(&self.primary)?.encrypt(&nonce.into(), payload);
        let ciphertext = sealed.map_err(|_| VaultError::NotAuthentic)?;
        let bytes = nonce.into_iter().chain(ciphertext).collect();
        Ok(WrappedKey { key_encryption_key: self.primary.clone(), bytes })
    }

    /// Unwraps the data key `id`.
    pub fn unwrap(&self, id: DataKeyId, wrapped: &WrappedKey) -> Result<DataKey, VaultError> {
        let (nonce, ciphertext) = wrapped.bytes.split_at_checked(NONCE).ok_or(VaultError::Format)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| VaultError::Format)?;
        let aad = associated_data(&wrapped.key_encryption_key, id);
        let payload = Payload { msg: ciphertext, aad: &aad };
        let opened = self.cipher(&wrapped.key_encryption_key)?.decrypt(&nonce.into(), payload);
        let plain = Zeroizing::new(opened.map_err(|_| VaultError::NotAuthentic)?);
        let key = <[u8; 32]>::try_from(plain.as_slice()).map_err(|_| VaultError::Format)?;
        Ok(DataKey::from_bytes(id, Zeroizing::new(key)))
    }

    fn cipher(&self, id: &str) -> Result<Aes256Gcm, VaultError> {
        let key = self.keys.get(id).ok_or_else(|| VaultError::UnknownKeyEncryptionKey(id.to_owned()))?;
        Ok(Aes256Gcm::new((&**key).into()))
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyring({} keys, primary {})", self.keys.len(), self.primary)
    }
}

/// Binds a wrapped key to its id and to the key that wrapped it.
fn associated_data(key_encryption_key: &str, id: DataKeyId) -> Vec<u8> {
    [b"mortise data key v1\0".as_slice(), id.as_uuid().as_bytes(), key_encryption_key.as_bytes()].concat()
}
