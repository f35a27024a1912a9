//! The tables as sea-orm sees them: columns of plain types, private to the store. What they mean is said by the
//! repositories, which turn them into values of the domain.

pub(crate) mod api_keys;
pub(crate) mod apps;
pub(crate) mod authorization_attempts;
pub(crate) mod connect_sessions;
pub(crate) mod connections;
pub(crate) mod connector_versions;
pub(crate) mod connectors;
pub(crate) mod customers;
pub(crate) mod data_keys;
pub(crate) mod environments;
pub(crate) mod events;
pub(crate) mod gates;
pub(crate) mod holds;
pub(crate) mod idempotency_records;
pub(crate) mod moved_connections;
pub(crate) mod moves;
pub(crate) mod revocations;
