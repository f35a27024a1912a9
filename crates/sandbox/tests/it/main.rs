//! The sandbox over real HTTP, spoken by hand so that broken replies can be seen.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod bad_input;
mod classes;
mod consent;
mod control;
mod faults;
mod flow;
mod given;
mod history;
mod http;
mod kit;
mod limits;
mod model;
mod modes;
mod persistence;
mod walk;
