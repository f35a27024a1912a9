//! The API as its callers get it, over a real listener.

mod access;
mod bad_input;
mod bench;
mod bodies;
mod connectors;
mod idempotency;
mod operations;
mod other_environment;
mod tokens;
mod transport;
