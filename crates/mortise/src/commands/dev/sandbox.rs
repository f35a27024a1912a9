//! The sandbox provider, beside the broker.

use crate::cli::Dev;
use anyhow::Context as _;
use mortise_sandbox::{RunningSandbox, Sandbox, SandboxConfig};

/// Starts it; it keeps what it granted in the data folder, so that a restart goes on with the same tokens.
pub(super) async fn start(options: &Dev) -> anyhow::Result<RunningSandbox> {
    let config = SandboxConfig {
        bind: options.sandbox_listen.to_string(),
        state_file: Some(options.data_dir.join("sandbox.json")),
        ..SandboxConfig::default()
    };
    Sandbox::start(config).await.with_context(|| format!("--sandbox-listen: {}", options.sandbox_listen))
}
