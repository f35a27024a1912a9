//! The kit's own tests, against the real programs.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod browser;
mod compose;
mod databases;
mod dedicated;
mod faults;
mod oidc;
mod processes;
