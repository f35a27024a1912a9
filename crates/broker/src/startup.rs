//! The checks of a start: a broker that could harm what is stored does not come up.

use crate::data_keys::KeyOwner;
use crate::{Broker, Error};
use mortise_vault::WrappedKey;
use std::path::PathBuf;

/// Why the broker does not start. Nothing was written before any of these.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A key-encryption key that rows refer to is not in the key file, or is another key of that name.
    #[error(
        "the key file does not hold key `{key}`, which {count} data keys are wrapped with: give the right key file \
             (MORTISE_KEY_FILE); nothing was written"
    )]
    WrongKey {
        /// The id of the key.
        key: String,
        /// How much depends on it.
        count: u64,
    },
    /// The spill folder cannot be used.
    #[error(
        "the spill folder {folder} cannot be written: a refresh must not start without it; set \
             MORTISE_SPILL_DIR to a folder on a disk that survives a restart"
    )]
    Spill {
        /// Which folder.
        folder: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The database does not answer, or has not been migrated.
    #[error("the database is not ready: run `mortise migrate` and check MORTISE_DATABASE_URL")]
    Database(#[source] Error),
}

impl Broker {
    /// Proves that every referenced key is at hand and that grants can be spilled, then takes in what an earlier process
    /// left behind, and stores again what the database has forgotten. Keys are checked by opening, before the first write.
    pub async fn check(&self) -> Result<(), StartError> {
        self.verify_keys().await?;
        let folder = self.config.spill_dir.clone();
        self.spill.prepare().await.map_err(|source| StartError::Spill { folder, source })?;
        self.secrets.data_keys.sealing(KeyOwner::System).await.map_err(StartError::Database)?;
        self.limit_all().await.map_err(StartError::Database)?;
        self.replay_spill().await.map_err(StartError::Database)?;
        self.replay_recent().await.map(drop).map_err(StartError::Database)
    }

    /// Opens a data key with every key-encryption key that the database refers to. Writes nothing.
    pub async fn verify_keys(&self) -> Result<(), StartError> {
        let database = |error: mortise_store::StoreError| StartError::Database(error.into());
        let counts = self.store.data_key_counts().await.map_err(database)?;
        for row in self.store.data_key_one_per_kek().await.map_err(database)? {
            let key = row.key_encryption_key.clone();
            let wrapped = WrappedKey { key_encryption_key: row.key_encryption_key, bytes: row.wrapped };
            if self.secrets.data_keys.keyring().unwrap(row.id, &wrapped).is_err() {
                let count = counts.iter().find(|(id, _)| *id == key).map_or(0, |(_, count)| *count);
                return Err(StartError::WrongKey { key, count });
            }
        }
        Ok(())
    }

    /// Whether the database answers; for `/readyz`.
    pub async fn ready(&self) -> crate::Result<()> {
        Ok(self.store.ping().await?)
    }
}
