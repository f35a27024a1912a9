//! The use cases over a real database and a provider that follows a script.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop loudly"
)]

mod bench;
mod callback;
mod device;
mod end;
mod held;
mod issuers;
mod keys;
mod login;
mod moves;
mod own_host;
mod proofs;
mod quirks;
mod refresh;
mod rotation;
mod said;
mod several;
mod signed;
mod spill;
mod token;
mod told;
