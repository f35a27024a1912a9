//! Grants on their way into the database, on disk.
//!
//! A provider that rotates refresh tokens has spent the old one when its reply arrives: from then on the reply is the only
//! copy of the grant. So it is written here first, sealed exactly as the row will hold it, and flushed to the disk; the
//! file goes when the database has it. What a dead process left is stored by the next start, or by the worker's next look.

use crate::refresh::Reply;
use crate::{Broker, Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mortise_connectors::Values;
use mortise_domain::{
    AppKey, AttemptId, ConnectSessionId, ConnectionId, CustomerKey, EnvironmentKey, EventId, EventKind, ScopeSet,
    Sealed, StateReason, Timestamp,
};
use mortise_store::{NewEvent, NewGrant};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::HashSet;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One file.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Entry {
    /// The answer to a refresh.
    Refresh(Box<SpilledRefresh>),
    /// A first grant, or one that replaces another.
    Grant(Box<SpilledGrant>),
}

/// A refreshed pair, as the row will hold it.
#[derive(Serialize, Deserialize)]
pub(crate) struct SpilledRefresh {
    pub(crate) environment: EnvironmentKey,
    pub(crate) connection: ConnectionId,
    pub(crate) attempt: AttemptId,
    pub(crate) family: i32,
    pub(crate) parent_generation: i64,
    #[serde(with = "sealed")]
    pub(crate) access: Sealed,
    #[serde(with = "optional_sealed", default)]
    pub(crate) refresh: Option<Sealed>,
    pub(crate) refreshed_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) next_refresh_at: Option<Timestamp>,
    pub(crate) granted_scopes: Option<ScopeSet>,
    pub(crate) detail: serde_json::Value,
}

/// A stored connection to be.
#[derive(Serialize, Deserialize)]
pub(crate) struct SpilledGrant {
    pub(crate) environment: EnvironmentKey,
    pub(crate) connection: ConnectionId,
    pub(crate) customer: CustomerKey,
    pub(crate) app: AppKey,
    pub(crate) connector_version: i32,
    pub(crate) reason: StateReason,
    pub(crate) replaces_family: Option<i32>,
    pub(crate) generation: i64,
    #[serde(with = "sealed")]
    pub(crate) access: Sealed,
    #[serde(with = "optional_sealed", default)]
    pub(crate) refresh: Option<Sealed>,
    pub(crate) sent_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) next_refresh_at: Option<Timestamp>,
    pub(crate) granted_scopes: Option<ScopeSet>,
    pub(crate) requested_scopes: ScopeSet,
    pub(crate) variables: Values,
    pub(crate) session: Option<ConnectSessionId>,
    pub(crate) event: EventKind,
    pub(crate) detail: serde_json::Value,
}

/// The folder.
#[derive(Debug, Clone)]
pub(crate) struct Spill {
    folder: PathBuf,
    hand: Arc<Hand>,
}

/// What this process is about to store, and whether it let go of something unstored.
#[derive(Debug, Default)]
struct Hand {
    paths: Mutex<HashSet<PathBuf>>,
    left: AtomicBool,
}

/// An entry that this process is about to store. Let go of before it is removed, it is the next replay's.
#[derive(Debug)]
pub(crate) struct Spilled {
    path: PathBuf,
    hand: Arc<Hand>,
    removed: bool,
}

impl Drop for Spilled {
    fn drop(&mut self) {
        self.hand.paths.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.path);
        if !self.removed {
            self.hand.left.store(true, Ordering::SeqCst);
        }
    }
}

impl Spill {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, hand: Arc::default() }
    }

    /// Makes the folder and proves that it can be written and flushed.
    pub(crate) fn prepare(&self) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let probe = self.folder.join(".probe");
        write_durably(&probe, b"ok").and_then(|()| std::fs::remove_file(&probe))
    }

    /// Writes an entry so that a crash right afterwards leaves it whole.
    pub(crate) async fn put(&self, name: String, entry: &Entry) -> std::io::Result<Spilled> {
        let bytes = serde_json::to_vec(entry)?;
        let path = self.folder.join(format!("{name}.json"));
        self.hand.paths.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone());
        let spilled = Spilled { path, hand: self.hand.clone(), removed: false };
        let to = spilled.path.clone();
        blocking(move || write_durably(&to, &bytes)).await?;
        Ok(spilled)
    }

    /// Forgets an entry that the database has.
    pub(crate) async fn remove(&self, mut spilled: Spilled) {
        spilled.removed = self.remove_file(spilled.path.clone()).await;
    }

    async fn remove_file(&self, path: PathBuf) -> bool {
        match blocking(move || std::fs::remove_file(path)).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, "a stored grant's spill file could not be removed; it is harmless and tried again");
                false
            }
            Ok(()) | Err(_) => true,
        }
    }

    /// What is there and nobody here is about to store, oldest first by name.
    fn entries(&self) -> std::io::Result<Vec<PathBuf>> {
        let files = std::fs::read_dir(&self.folder)?.filter_map(|file| Some(file.ok()?.path()));
        let mut found: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
        let hand = self.hand.paths.lock().unwrap_or_else(PoisonError::into_inner);
        found.retain(|path| !hand.contains(path));
        found.sort();
        Ok(found)
    }
}

impl Broker {
    /// Spills a grant and stores it. The answer comes when the database has it.
    pub(crate) async fn spill_then_store(&self, grant: SpilledGrant) -> Result<()> {
        let name = format!("{}_{}", grant.connection, grant.generation);
        let entry = Entry::Grant(Box::new(grant));
        let path = self.spill_entry(name, &entry).await;
        self.store_entry(&entry).await?;
        if let Some(path) = path {
            self.spill.remove(path).await;
        }
        Ok(())
    }

    /// A full disk must not keep a grant out of the database: the spill is tried, the loss of the second chance is logged.
    pub(crate) async fn spill_entry(&self, name: String, entry: &Entry) -> Option<Spilled> {
        match self.spill.put(name, entry).await {
            Ok(spilled) => Some(spilled),
            Err(error) => {
                tracing::error!(%error, "a grant could not be spilled to disk: until it is stored only memory holds it");
                metrics::counter!("mortise_spill_failures_total").increment(1);
                None
            }
        }
    }

    /// Stores what the folder holds and nobody here is about to store: what an earlier process left, and what this one
    /// could not store while the database was away. One entry that cannot be stored keeps neither the others nor the
    /// process from going on.
    pub async fn replay_spill(&self) -> Result<usize> {
        let Ok(paths) = self.spill.entries() else { return Ok(0) };
        let mut stored = 0;
        for path in paths {
            let Some(entry) = read_entry(&path) else { continue };
            match self.recover(&entry).await {
                Ok(()) => stored += usize::from(self.spill.remove_file(path).await),
                Err(error @ Error::Unavailable(_)) => return Err(error),
                Err(error) => {
                    tracing::error!(path = %path.display(), error = ?error, "a grant on disk cannot be stored; it is left where it is");
                }
            }
        }
        if stored > 0 {
            tracing::warn!(stored, "grants of interrupted attempts were found on disk and stored");
        }
        Ok(stored)
    }

    /// The same if this process let go of a grant since: before it claims anything, because what it would claim may be the
    /// connection whose new pair it holds.
    pub(crate) async fn replay_what_was_left(&self) -> Result<()> {
        if self.spill.hand.left.swap(false, Ordering::SeqCst)
            && let Err(error) = self.replay_spill().await
        {
            self.spill.hand.left.store(true, Ordering::SeqCst);
            return Err(error);
        }
        Ok(())
    }

    /// Keeps the folder empty until the process stops: for a process without the worker's jobs.
    pub async fn tend_spill(&self) {
        while !self.is_draining() {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            match self.replay_what_was_left().await {
                Ok(()) => {}
                Err(Error::Unavailable(error)) => tracing::debug!(%error, "the database is away; grants wait on disk"),
                Err(error) => tracing::error!(error = ?error, "grants on disk could not be stored"),
            }
        }
    }

    async fn store_entry(&self, entry: &Entry) -> Result<()> {
        match entry {
            Entry::Refresh(refresh) => self.commit_refresh(refresh, Reply::Spilled).await.map(|_| ()),
            Entry::Grant(grant) => self.commit_grant(grant).await,
        }
    }

    /// Stores what a dead process left. A grant whose place has been taken or has gone belongs to nobody any more: it is
    /// revoked at the provider rather than forgotten.
    async fn recover(&self, entry: &Entry) -> Result<()> {
        match (self.store_entry(entry).await, entry) {
            (Err(Error::Stale(_) | Error::NotFound(_) | Error::Exists(_)), Entry::Grant(grant)) => {
                tracing::warn!(connection = %grant.connection, "a recovered grant has no place any more and is revoked");
                self.revoke_orphan(grant).await
            }
            (stored, _) => stored,
        }
    }

    async fn commit_grant(&self, grant: &SpilledGrant) -> Result<()> {
        let event = self.event(grant.event, grant.detail.clone());
        let row = NewGrant {
            id: grant.connection,
            environment: grant.environment,
            customer: grant.customer,
            app: grant.app,
            connector_version: grant.connector_version,
            reason: grant.reason,
            replaces_family: grant.replaces_family,
            generation: grant.generation,
            access: grant.access.clone(),
            refresh: grant.refresh.clone(),
            granted_at: grant.sent_at,
            expires_at: grant.expires_at,
            next_refresh_at: grant.next_refresh_at,
            granted_scopes: grant.granted_scopes.clone(),
            requested_scopes: grant.requested_scopes.clone(),
            variables: grant.variables.clone(),
        };
        Ok(self.store.connection_store_grant(&row, event, grant.session).await?)
    }

    pub(crate) fn event(&self, kind: EventKind, detail: serde_json::Value) -> NewEvent {
        NewEvent { id: EventId::generate(&*self.clock, &*self.entropy), kind, at: self.clock.now(), detail }
    }
}

fn read_entry(path: &Path) -> Option<Entry> {
    let read = std::fs::read(path).map_err(|error| error.to_string());
    match read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string())) {
        Ok(entry) => Some(entry),
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "a spill file does not read; it is left where it is");
            None
        }
    }
}

/// Writes beside, flushes, renames, flushes the folder.
fn write_durably(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    match path.parent() {
        Some(folder) => std::fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}

mod sealed {
    use super::*;

    pub(super) fn serialize<S: Serializer>(sealed: &Sealed, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(sealed.as_bytes()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Sealed, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Sealed::from_bytes).map_err(serde::de::Error::custom)
    }
}

mod optional_sealed {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Inner(#[serde(with = "super::sealed")] Sealed);

    pub(super) fn serialize<S: Serializer>(
        sealed: &Option<Sealed>,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        sealed.clone().map(Inner).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Option<Sealed>, D::Error> {
        Ok(Option::<Inner>::deserialize(deserializer)?.map(|inner| inner.0))
    }
}
