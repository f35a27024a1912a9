//! After a database was restored from a backup: its refresh tokens may have been spent since, and where a token is good for
//! one use (classes S and F), a second one ends the grant or everything that came of it.
//!
//! Invariant: a connection of those classes is switched on again only by what proves its pair to be the newest, by a new
//! consent, or by an admin who knows better. The spill folders prove it where they are those of all processes: each keeps what
//! it stored for ten minutes, so that an entry of the last ten minutes has no successor that is not there. The other classes
//! forgive a second use and go on. Deliberately absent: noticing that a database was restored; only whoever did it knows.

use crate::spill::{Entry, KEPT, SpillLog};
use crate::{Broker, Error, Internal, Result};
use mortise_connectors::RecoveryClass;
use mortise_domain::{AppId, ConnectionId, EnvironmentName, StateReason, Timestamp};
use mortise_store::{Reach, Switch};
use serde_json::json;
use std::collections::HashMap;
use std::path::PathBuf;

/// What became of a restored database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restored {
    /// Connections whose refresh tokens may have been spent, switched off.
    pub held: u64,
    /// Pairs from the spill folders that the database did not have, stored.
    pub replayed: u64,
    /// Connections that a spill folder proves to be current, switched on again.
    pub proved: u64,
}

/// Whose word an admin gives that their tokens are current.
#[derive(Debug, Clone)]
pub enum Vouched {
    /// One connection's.
    Connection(ConnectionId),
    /// All of an app's.
    App(EnvironmentName, AppId),
    /// Everybody's.
    All,
}

impl Broker {
    /// Holds what may hold spent tokens, stores what the spill folders have, and lets go of what they prove. No process of
    /// the installation may run meanwhile. `stopped_at` is when the last of them ended, and says that the folders are those of
    /// every process that ran since the backup; without it they prove nothing.
    pub async fn restore(&self, folders: &[PathBuf], stopped_at: Option<Timestamp>) -> Result<Restored> {
        let proves_since = stopped_at.map(|stopped| stopped - KEPT);
        let mut restored = Restored { held: self.hold_what_is_spent_by_use().await?, ..Restored::default() };
        for entries in by_age(entries(folders)?) {
            for entry in &entries {
                restored.replayed += u64::from(self.stored_again(entry).await?);
            }
            if let Some(newest) = entries.last()
                && proves_since.is_some_and(|since| newest.asked_at() >= since)
                && self.is_current(newest).await?
            {
                let reach = Reach::Connection(newest.connection());
                restored.proved += self.release(&doubt(reach, "the spill folder proves it")).await?;
            }
        }
        Ok(restored)
    }

    /// Switches on again what a restore left off, on an admin's word; answers how many connections.
    pub async fn vouch(&self, whose: &Vouched) -> Result<u64> {
        let mut released = 0;
        for reach in self.reaches(whose).await? {
            released += self.release(&doubt(reach, "an admin vouches for it")).await?;
        }
        Ok(released)
    }

    /// How many connections a restore left off.
    pub async fn in_doubt(&self) -> Result<u64> {
        let mut held = 0;
        for reach in self.reaches(&Vouched::All).await? {
            held += self.store.connections_held(reach, StateReason::RestoredFromBackup).await?;
        }
        Ok(held)
    }

    async fn reaches(&self, whose: &Vouched) -> Result<Vec<Reach>> {
        Ok(match whose {
            Vouched::Connection(id) => vec![Reach::Connection(*id)],
            Vouched::App(environment, app) => {
                let found = self.store.environment_by_name(environment).await?;
                let environment = found.ok_or(Error::NotFound("environment"))?.key;
                let app = self.store.app_get(environment, app).await?.ok_or(Error::NotFound("app"))?;
                vec![Reach::App(app.key)]
            }
            Vouched::All => {
                let all = self.store.environment_list().await?;
                all.into_iter().map(|environment| Reach::Environment(environment.key)).collect()
            }
        })
    }

    async fn hold_what_is_spent_by_use(&self) -> Result<u64> {
        let mut held = 0;
        for (app, version) in self.store.connection_makes().await? {
            let row = self.store.app_by_key(app).await?.ok_or_else(|| Error::missing("a connection's app"))?;
            let class = self.apps.manifest(&row, version).await?.auth.recovery_class();
            if matches!(class, RecoveryClass::S | RecoveryClass::F) {
                let switch = doubt(Reach::Version(app, version), "the database was restored from a backup");
                held += self.store.connections_hold(&switch, |at| self.event_id_at(at)).await?;
            }
        }
        Ok(held)
    }

    /// Whether the row holds exactly this.
    async fn is_current(&self, newest: &Entry) -> Result<bool> {
        let row = self.store.connection_token_row(newest.environment(), newest.connection()).await?;
        let same = row.is_some_and(|row| row.generation == newest.generation());
        Ok(same && self.has(newest).await?)
    }

    /// Whether the database did not have it.
    async fn stored_again(&self, entry: &Entry) -> Result<bool> {
        match entry {
            Entry::Refresh(pair) => self.restore_pair(pair).await,
            Entry::Grant(grant) => self.restore_grant(grant).await,
        }
    }
}

fn doubt(reach: Reach, why: &str) -> Switch {
    Switch { reach, reason: StateReason::RestoredFromBackup, detail: json!({ "reason": why }) }
}

fn entries(folders: &[PathBuf]) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for folder in folders {
        let unread = |source| Error::Internal(Internal::Folder { folder: folder.clone(), source });
        for bytes in SpillLog::everything(folder).map_err(unread)? {
            match Entry::from_bytes(&bytes) {
                Ok(entry) => entries.push(entry),
                Err(error) => tracing::error!(folder = %folder.display(), error = ?error, "an entry does not read"),
            }
        }
    }
    Ok(entries)
}

/// By connection, oldest first.
fn by_age(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut groups: HashMap<ConnectionId, Vec<Entry>> = HashMap::new();
    for entry in entries {
        groups.entry(entry.connection()).or_default().push(entry);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    for group in &mut groups {
        group.sort_by_key(Entry::generation);
    }
    groups
}
