//! All SQL: environments, keys, connectors, apps, customers, sessions, connections with their leases, events, queued
//! revocations and idempotency records, on PostgreSQL, MariaDB/MySQL and SQLite.
//!
//! Invariant: every transaction begins and ends inside one method, so that nothing but the database is awaited in one.
//! Queries about tenants' data name the environment; those that do not serve the worker, which has none, or look up by a
//! key that no tenant can choose. A row that fits no domain value is [`StoreError::Inconsistent`], never a default.
//! Deliberately absent: plaintext secrets, decisions about the product, and the schema (it is the migrations').

#[macro_use]
mod known_bad;

mod accounts;
mod api_keys;
mod apps;
mod attempts;
mod connect;
mod connect_sessions;
mod connections;
mod connectors;
mod customers;
mod data_keys;
mod device_polls;
mod dialect;
mod end;
mod entity;
mod environments;
mod error;
mod events;
mod gates;
mod grants;
mod holds;
mod idempotency;
mod leases;
mod ledger;
mod lifetime;
#[cfg(feature = "memory")]
pub mod memory;
mod moves;
mod page;
mod refresh;
mod revocations;
mod row;
mod serving;
mod sql;
mod time;
mod token_row;
mod transaction;
mod versions;

pub use api_keys::ApiKey;
pub use apps::{App, AppRate, AppRegistration, AppSettings, RegistrationMethod};
pub use attempts::Attempt;
pub use connect_sessions::{ConnectSession, SessionStatus};
pub use connections::{Connection, ConnectionFilter, ReauthDue};
pub use connectors::Connector;
pub use customers::Customer;
pub use data_keys::DataKeyRow;
pub use device_polls::{ClaimedPoll, DevicePoll};
pub use end::{Ending, StateChange};
pub use environments::Environment;
pub use error::StoreError;
pub use events::{Event, NewEvent};
pub use grants::{NewGrant, NewPending};
pub use holds::{Hold, NewHold, Reach, Switch, Waiting};
pub use idempotency::{IdempotencyBegin, IdempotencyKey};
#[cfg(feature = "known-bad")]
pub use known_bad::{Built, KnownBad};
pub use leases::{ClaimOne, ClaimRoom, ClaimTerms, Claimed, DueClaims, DueStats, Overdue};
pub use ledger::Ledger;
pub use lifetime::LifetimeLearned;
pub use moves::{Batch, Candidate, Fit, Move, NewMove};
pub use page::Page;
pub use refresh::{CommitOutcome, Doubt, RefreshFailed, RefreshResult};
pub use revocations::{NewRevocation, Revocation};
pub use token_row::TokenRow;
pub use versions::VersionUse;

use dialect::Dialect;
use sea_orm::DatabaseConnection;
use std::sync::Arc;

/// What every method answers.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A database with the product's schema. Cheap to clone: clones share one pool.
#[derive(Debug, Clone)]
pub struct Store {
    db: DatabaseConnection,
    /// Connections that only [`serving`] tokens uses: commits that wait must not make fetches wait.
    reads: DatabaseConnection,
    dialect: Dialect,
    /// SQLite has one writer at a time. Waiting here costs nothing; waiting in the database means sleeping and retrying.
    writer: Arc<tokio::sync::Mutex<()>>,
    /// Pairs that wait for it.
    together: Arc<refresh::together::Together>,
}
