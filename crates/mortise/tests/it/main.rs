//! The whole program, from outside.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop loudly"
)]

mod browser;
mod canary;
mod compose;
mod connectors;
mod crash;
mod dev;
mod finisher;
mod flow;
mod gate;
mod house;
mod keys;
mod matrix;
mod moving;
mod oidc;
mod process;
mod settings;
mod site;
mod topology;
mod wire;
mod world;
