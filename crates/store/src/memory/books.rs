//! What is kept, and the only way to write it: rounded and cut as a database's columns would.

use crate::events::NewEvent;
use crate::row::{read_scopes, short, write_object, write_scopes};
use crate::{Connection, NewRevocation, Result, StoreError, time};
use mortise_domain::gate::{Gate, GateId};
use mortise_domain::{AppKey, ConnectSessionId, ConnectionId, CustomerKey, EventId, RevocationId, ScopeSet, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

use super::apps::AppRow;
use super::timelines::Line;

/// Everything. Each of its methods that can fail leaves it as it was when it does, as a transaction would.
#[derive(Debug, Default)]
pub(super) struct Books {
    rows: BTreeMap<ConnectionId, Connection>,
    /// The index of `rows` by the time at which they are due.
    due: BTreeSet<(Timestamp, ConnectionId)>,
    /// Those of `rows` that were claimed and not let go.
    leased: BTreeSet<ConnectionId>,
    pub(super) timelines: BTreeMap<ConnectionId, BTreeMap<EventId, Line>>,
    pub(super) apps: BTreeMap<AppKey, AppRow>,
    customers: BTreeSet<CustomerKey>,
    pub(super) gates: BTreeMap<GateId, Gate>,
    revocations: BTreeMap<RevocationId, NewRevocation>,
    completed: BTreeMap<ConnectSessionId, ConnectionId>,
}

impl Books {
    pub(super) fn row(&self, id: ConnectionId) -> Option<&Connection> {
        self.rows.get(&id)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Connection> {
        self.rows.values()
    }

    /// What is due at `now`, most overdue first.
    pub(super) fn due(&self, now: Timestamp) -> impl DoubleEndedIterator<Item = &Connection> {
        let due = self.due.range(..=(now, ConnectionId::from_uuid(Uuid::max())));
        due.filter_map(|(_, id)| self.rows.get(id))
    }

    /// What somebody is at.
    pub(super) fn leased(&self, now: Timestamp) -> impl Iterator<Item = &Connection> {
        let rows = self.leased.iter().filter_map(|id| self.rows.get(id));
        rows.filter(move |row| row.lease_until.is_some_and(|until| until > now))
    }

    /// Everything that is due at some time, the next first.
    pub(super) fn planned(&self) -> impl Iterator<Item = &Connection> {
        self.due.iter().filter_map(|(_, id)| self.rows.get(id))
    }

    /// Writes a row, and with it its place among what is due.
    pub(super) fn write(&mut self, row: Connection) {
        let row = stored(row);
        if let Some(due) = self.rows.get(&row.id).and_then(|before| before.next_refresh_at) {
            self.due.remove(&(due, row.id));
        }
        self.due.extend(row.next_refresh_at.map(|due| (due, row.id)));
        match row.lease_until {
            Some(_) => self.leased.insert(row.id),
            None => self.leased.remove(&row.id),
        };
        self.rows.insert(row.id, row);
    }

    /// Writes a row and its event, or neither.
    pub(super) fn write_with(&mut self, row: Connection, event: &NewEvent) -> Result<()> {
        self.is_free(row.id, event.id)?;
        let id = row.id;
        self.write(row);
        self.append(id, event);
        Ok(())
    }

    pub(super) fn add_customer(&mut self, key: CustomerKey) {
        self.customers.insert(key);
    }

    pub(super) fn knows_customer(&self, key: CustomerKey) -> bool {
        self.customers.contains(&key)
    }

    pub(super) fn revocations(&self) -> impl Iterator<Item = &NewRevocation> {
        self.revocations.values()
    }

    /// Whether a revocation could be queued.
    pub(super) fn may_queue(&self, new: &NewRevocation) -> Result<()> {
        if self.revocations.contains_key(&new.id) {
            return Err(StoreError::Conflict("revocation"));
        }
        if !self.rows.contains_key(&new.connection) || !self.apps.contains_key(&new.app) {
            return Err(StoreError::Missing("a row that is referred to"));
        }
        Ok(())
    }

    pub(super) fn queue(&mut self, new: &NewRevocation) {
        self.revocations.insert(new.id, NewRevocation { due_at: whole(new.due_at), ..new.clone() });
    }

    /// The first connection that a session led to is the one.
    pub(super) fn complete(&mut self, session: ConnectSessionId, connection: ConnectionId) {
        self.completed.entry(session).or_insert(connection);
    }

    pub(super) fn completed(&self, session: ConnectSessionId) -> Option<ConnectionId> {
        self.completed.get(&session).copied()
    }
}

/// A time as it comes back from a database: whole milliseconds.
pub(super) fn whole(at: Timestamp) -> Timestamp {
    time::from_millis(time::to_millis(at)).unwrap_or(at)
}

/// Scopes as they come back from a database.
fn scopes(scopes: &ScopeSet) -> ScopeSet {
    read_scopes(&write_scopes(scopes))
}

/// A row as it comes back from a database.
fn stored(row: Connection) -> Connection {
    Connection {
        state_since: whole(row.state_since),
        expires_at: row.expires_at.map(whole),
        refreshed_at: row.refreshed_at.map(whole),
        next_refresh_at: row.next_refresh_at.map(whole),
        granted_scopes: row.granted_scopes.as_ref().map(scopes),
        requested_scopes: scopes(&row.requested_scopes),
        metadata: write_object(&row.metadata).map_or_else(|| serde_json::json!({}), |_| row.metadata.clone()),
        lease_until: row.lease_until.map(whole),
        attempt_deadline: row.attempt_deadline.map(whole),
        last_error: row.last_error.as_deref().map(short),
        suspected_at: row.suspected_at.map(whole),
        grant_expires_at: row.grant_expires_at.map(whole),
        refresh_idle_at: row.refresh_idle_at.map(whole),
        used_at: row.used_at.map(whole),
        granted_at: whole(row.granted_at),
        created_at: whole(row.created_at),
        updated_at: whole(row.updated_at),
        ..row
    }
}
