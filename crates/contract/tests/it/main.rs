//! Lives of connectors.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop loudly"
)]

mod broker;
mod catalog;
mod known_bad;
mod modes;

use mortise_contract::{Report, Stage};
use mortise_domain::SystemClock;
use std::sync::Arc;

fn stage() -> Stage {
    Stage::open(Arc::new(SystemClock::new())).expect("a stage")
}

/// What is not as it has to be.
fn faults(report: &Report) -> Vec<String> {
    report.faults().map(|check| format!("{}: {check}", report.id)).collect()
}
