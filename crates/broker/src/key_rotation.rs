//! Rotating key-encryption keys online: data keys are wrapped anew, batch by batch, while everything runs.

use crate::{Broker, Result};
use mortise_vault::WrappedKey;

/// How a key-encryption key stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatus {
    /// Its id.
    pub id: String,
    /// Whether it wraps what is new.
    pub primary: bool,
    /// Whether the key file holds it.
    pub present: bool,
    /// How many data keys it wraps; at zero, a key that is not primary may be taken out of the file.
    pub data_keys: u64,
}

impl Broker {
    /// Wraps data keys under the primary key until none is left under another. Safe to stop and to run again, and to run
    /// while replicas serve: an unwrapped key stays the same key.
    pub async fn rewrap_data_keys(&self) -> Result<u64> {
        let keyring = self.secrets.data_keys.keyring();
        let mut rewrapped = 0;
        loop {
            let rows = self.store.data_keys_not_under(keyring.primary(), 500).await?;
            if rows.is_empty() {
                return Ok(rewrapped);
            }
            for row in rows {
                let old = WrappedKey { key_encryption_key: row.key_encryption_key, bytes: row.wrapped };
                let key = keyring.unwrap(row.id, &old)?;
                let new = keyring.wrap(&key, &*self.entropy)?;
                let (from, to) = (&old.key_encryption_key, &new.key_encryption_key);
                rewrapped += u64::from(self.store.data_key_rewrap(row.id, from, to, new.bytes).await?);
            }
        }
    }

    /// Every key-encryption key of the file and of the database.
    pub async fn key_status(&self) -> Result<Vec<KeyStatus>> {
        let keyring = self.secrets.data_keys.keyring();
        let counts = self.store.data_key_counts().await?;
        let count = |id: &str| counts.iter().find(|(key, _)| key == id).map_or(0, |(_, count)| *count);
        let status = |id: &str, present| KeyStatus {
            id: id.to_owned(),
            primary: id == keyring.primary(),
            present,
            data_keys: count(id),
        };
        let mut all: Vec<_> = keyring.ids().map(|id| status(id, true)).collect();
        let missing = counts.iter().filter(|(id, _)| all.iter().all(|known| known.id != *id));
        let missing: Vec<_> = missing.map(|(id, _)| status(id, false)).collect();
        all.extend(missing);
        Ok(all)
    }
}
