//! The API as its callers get it, over a real listener.

mod access;
mod bad_input;
mod bench;
mod bodies;
mod connectors;
mod discovery;
mod idempotency;
mod login;
mod moves;
mod operations;
mod other_environment;
pub(crate) mod pasted;
mod rows;
mod tokens;
mod transport;
