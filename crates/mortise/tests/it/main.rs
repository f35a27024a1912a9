//! The whole program, from outside.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop loudly"
)]

mod browser;
mod dev;
mod finisher;
mod flow;
mod house;
mod oidc;
mod world;
