//! The refresh engine's books in memory: a [`Ledger`](crate::Ledger) for simulations and for tests that need no database.
//! Compiled only with the feature `memory`; nothing that ships keeps its books here, for they end with the process.
//!
//! Invariant: it behaves to the letter as the [`Store`](crate::Store) does. The same conformance suite runs on both, and a
//! model test compares what they answer to random sequences of calls. What a database would round (times to milliseconds)
//! or cut (long errors) is rounded and cut here too. Given the same calls and the same clock it does exactly the same
//! again: there is no hashing, no thread and no wait in it, and each call is done before it returns.
//!
//! Where databases leave an order open, it is that of the ids. Deliberately absent: failures. Whoever wants to see a
//! database that is away, or one that loses an answer, wraps this in a ledger that plays it (see [`unavailable`]); rows
//! that do not read; and everything that knows nothing but the API, such as sessions: one that is named counts as open.

mod apps;
mod books;
mod candidates;
mod claims;
mod gates;
mod grants;
mod ledger;
mod outcomes;
mod states;
mod timelines;

use crate::{Connection, Event, NewRevocation, StoreError};
use books::Books;
use mortise_domain::gate::Gate;
use mortise_domain::{AppKey, Clock, ConnectSessionId, ConnectionId, ConnectorKey, CustomerKey};
use sea_orm::{DbErr, RuntimeErr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Books in memory. Shared by reference: "processes" that have the same one see the same rows, as if it were a database.
pub struct MemoryLedger {
    clock: Arc<dyn Clock>,
    books: Mutex<Books>,
}

impl std::fmt::Debug for MemoryLedger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryLedger").finish_non_exhaustive()
    }
}

/// The error of a database that cannot be reached, for whoever plays one.
pub fn unavailable() -> StoreError {
    StoreError::Unavailable(DbErr::Conn(RuntimeErr::Internal("nobody answers".to_owned())))
}

impl MemoryLedger {
    /// Empty books. `clock` is the database's: leases and due times are compared with its time of day.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, books: Mutex::default() }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes an app of a connector known, active. Again changes nothing.
    pub fn add_app(&self, key: AppKey, connector: ConnectorKey) {
        self.books().add_app(key, connector);
    }

    /// Makes a customer known. Again changes nothing.
    pub fn add_customer(&self, key: CustomerKey) {
        self.books().add_customer(key);
    }

    /// Puts a row there as it is, in the place of one with its id. Its customer becomes known and so does its app, as that
    /// of a connector of its own, if they are not. No event is written.
    pub fn insert(&self, connection: Connection) {
        let mut books = self.books();
        books.add_app(connection.app, ConnectorKey::from_uuid(connection.app.as_uuid()));
        books.add_customer(connection.customer);
        books.write(connection);
    }

    /// Puts a gate there as it is.
    pub fn insert_gate(&self, gate: &Gate) {
        self.books().save([gate]);
    }

    /// Every connection, revoked ones too, in the order of their ids.
    pub fn rows(&self) -> Vec<Connection> {
        self.books().rows().cloned().collect()
    }

    /// A whole timeline, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when an event was given a detail that is no object.
    pub fn events(&self, connection: ConnectionId) -> crate::Result<Vec<Event>> {
        self.books().timeline(connection)
    }

    /// Every queued revocation, in the order of their ids.
    pub fn revocations(&self) -> Vec<NewRevocation> {
        self.books().revocations().cloned().collect()
    }

    /// Why an app is held.
    pub fn held_reason(&self, app: AppKey) -> Option<String> {
        self.books().held_reason(app)
    }

    /// The connection that a session led to.
    pub fn completed(&self, session: ConnectSessionId) -> Option<ConnectionId> {
        self.books().completed(session)
    }
}
