//! The sandbox provider, beside the broker.

use crate::cli::Dev;
use anyhow::Context as _;
use mortise_sandbox::{RunningSandbox, Sandbox, SandboxConfig, SandboxServer};

/// Takes its address; the second value has to be polled. What it granted is kept in the data folder, so that a restart
/// goes on with the same tokens.
pub(super) fn bind(options: &Dev) -> anyhow::Result<(RunningSandbox, SandboxServer)> {
    let state_file = Some(options.data_dir.join("sandbox.json"));
    let config = SandboxConfig { bind: options.sandbox_listen, state_file, ..SandboxConfig::default() };
    Sandbox::bind(config).with_context(|| format!("--sandbox-listen: {}", options.sandbox_listen))
}
