//! The schema, one file a step, each with its way up and its way down, on PostgreSQL, MariaDB/MySQL and SQLite.
//!
//! Invariant: a step that was released never changes; a later step does. Steps are written as SQL with words in braces
//! for what the three databases call differently (see the module `step`). Deliberately absent: entities and queries (they are the
//! store's), and any dependency on the product's own types.

mod m0001_environments;
mod m0002_api_keys;
mod m0003_data_keys;
mod m0004_connectors;
mod m0005_apps;
mod m0006_customers;
mod m0007_connections;
mod m0008_events;
mod m0009_connect_sessions;
mod m0010_authorization_attempts;
mod m0011_revocations;
mod m0012_idempotency_records;
mod m0013_grant_deadlines;
mod m0014_gates;
mod m0015_pacing;
mod m0016_holds;
mod m0017_device_polls;
mod m0018_moves;
mod step;

use sea_orm_migration::{MigrationTrait, MigratorTrait};
use step::Step;

const STEPS: [Step; 18] = [
    m0001_environments::STEP,
    m0002_api_keys::STEP,
    m0003_data_keys::STEP,
    m0004_connectors::STEP,
    m0005_apps::STEP,
    m0006_customers::STEP,
    m0007_connections::STEP,
    m0008_events::STEP,
    m0009_connect_sessions::STEP,
    m0010_authorization_attempts::STEP,
    m0011_revocations::STEP,
    m0012_idempotency_records::STEP,
    m0013_grant_deadlines::STEP,
    m0014_gates::STEP,
    m0015_pacing::STEP,
    m0016_holds::STEP,
    m0017_device_polls::STEP,
    m0018_moves::STEP,
];

/// Every step in order: `Migrator::up`, `down`, `status` of sea-orm-migration work on it.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        STEPS.into_iter().map(|step| Box::new(step) as Box<dyn MigrationTrait>).collect()
    }
}
