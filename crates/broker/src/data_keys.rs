//! Data keys: found, made once, and kept unwrapped in memory for a while.

use crate::{Error, Result};
use moka::future::Cache;
use mortise_domain::{Clock, CustomerKey, DataKeyId, Entropy, EnvironmentKey, Sealed};
use mortise_store::{DataKeyRow, Store, StoreError};
use mortise_vault::{DataKey, Keyring, VaultError, WrappedKey, data_key_of, load_key_file};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use uuid::Uuid;

/// How many unwrapped keys are kept: some 90 MB with the caches around them.
const CAPACITY: u64 = 200_000;
/// How long an unused one is kept.
const IDLE: Duration = Duration::from_secs(3600);

/// Whose secrets a data key seals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyOwner {
    /// One customer's credentials. Its end is the end of the key.
    Customer(EnvironmentKey, CustomerKey),
    /// What belongs to no customer: client secrets, flows, queued revocations.
    Environment(EnvironmentKey),
    /// The digests of API keys.
    System,
}

impl KeyOwner {
    fn row(self) -> (Option<EnvironmentKey>, Uuid) {
        match self {
            Self::Customer(environment, customer) => (Some(environment), customer.as_uuid()),
            Self::Environment(environment) => (Some(environment), environment.as_uuid()),
            Self::System => (None, Uuid::nil()),
        }
    }
}

pub(crate) struct DataKeys {
    store: Store,
    keyring: RwLock<Arc<Keyring>>,
    /// Where the keys came from, to look again when a data key names one that is not known.
    key_file: OnceLock<PathBuf>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    by_id: Cache<DataKeyId, Arc<DataKey>>,
    by_owner: Cache<Uuid, DataKeyId>,
}

impl DataKeys {
    pub(crate) fn new(store: Store, keyring: Keyring, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let by_id = Cache::builder().max_capacity(CAPACITY).time_to_idle(IDLE).build();
        let by_owner = Cache::builder().max_capacity(CAPACITY / 10).time_to_idle(IDLE).build();
        let keyring = RwLock::new(Arc::new(keyring));
        Self { store, keyring, key_file: OnceLock::new(), clock, entropy, by_id, by_owner }
    }

    /// Reads this file again when a data key names a key-encryption key that is not known.
    pub(crate) fn read_again_from(&self, key_file: PathBuf) {
        // The first one stays: nobody tells two.
        drop(self.key_file.set(key_file));
    }

    pub(crate) fn keyring(&self) -> Arc<Keyring> {
        self.keyring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The key that sealed `sealed`.
    pub(crate) async fn opening(&self, sealed: &Sealed) -> Result<Arc<DataKey>> {
        let id = data_key_of(sealed)?;
        if let Some(key) = self.by_id.get(&id).await {
            return Ok(key);
        }
        let row = self.store.data_key_by_id(id).await?.ok_or_else(|| Error::missing("a data key"))?;
        self.keep(row).await
    }

    /// The key to seal `owner`'s secrets with; made when it is first needed.
    pub(crate) async fn sealing(&self, owner: KeyOwner) -> Result<Arc<DataKey>> {
        let (_, id) = owner.row();
        if let Some(key) = self.by_owner.get(&id).await
            && let Some(key) = self.by_id.get(&key).await
        {
            return Ok(key);
        }
        match self.store.data_key_by_owner(id).await? {
            Some(row) => self.keep(row).await,
            None => self.make(owner).await,
        }
    }

    /// Two processes may make a key at the same instant; the database keeps the first.
    async fn make(&self, owner: KeyOwner) -> Result<Arc<DataKey>> {
        let (environment, id) = owner.row();
        let key = DataKey::generate(DataKeyId::generate(&*self.clock, &*self.entropy), &*self.entropy);
        let WrappedKey { key_encryption_key, bytes: wrapped } = self.keyring().wrap(&key, &*self.entropy)?;
        let created_at = self.clock.now();
        let row = DataKeyRow { id: key.id(), environment, owner: id, key_encryption_key, wrapped, created_at };
        match self.store.data_key_insert(&row).await {
            Ok(()) => self.keep(row).await,
            Err(StoreError::Conflict(_)) => {
                let row = self.store.data_key_by_owner(id).await?.ok_or_else(|| Error::missing("a data key"))?;
                self.keep(row).await
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn keep(&self, row: DataKeyRow) -> Result<Arc<DataKey>> {
        let wrapped = WrappedKey { key_encryption_key: row.key_encryption_key, bytes: row.wrapped };
        let key = match self.keyring().unwrap(row.id, &wrapped) {
            // Another process rotated the keys since this one started.
            Err(VaultError::UnknownKeyEncryptionKey(_)) => self.read_again().await.unwrap(row.id, &wrapped),
            opened => opened,
        };
        let key = Arc::new(key?);
        self.by_owner.insert(row.owner, row.id).await;
        self.by_id.insert(row.id, key.clone()).await;
        Ok(key)
    }

    /// The keys as the file has them now; as they are known where it cannot be read.
    async fn read_again(&self) -> Arc<Keyring> {
        let Some(key_file) = self.key_file.get().cloned() else { return self.keyring() };
        match tokio::task::spawn_blocking(move || load_key_file(&key_file)).await {
            Ok(Ok(keyring)) => {
                tracing::info!(primary = keyring.primary(), "the key file was read again");
                *self.keyring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keyring);
            }
            Ok(Err(error)) => tracing::error!(%error, "the key file cannot be read again"),
            Err(error) => tracing::error!(%error, "reading the key file again was interrupted"),
        }
        self.keyring()
    }

    /// Forgets a customer's key, after its row was destroyed.
    pub(crate) async fn forget(&self, customer: CustomerKey) {
        if let Some(id) = self.by_owner.remove(&customer.as_uuid()).await {
            self.by_id.invalidate(&id).await;
        }
    }
}
