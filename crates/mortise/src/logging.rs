//! Logs on standard error. What may stand in them is written in docs/logging.md.

use crate::settings::{LogFormat, Settings};
use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

/// Starts logging.
pub(crate) fn start(settings: &Settings) -> anyhow::Result<()> {
    let filter =
        EnvFilter::try_new(&settings.log).context("log: use a filter such as `info` or `mortise=debug,warn`")?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match settings.log_format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logging was started twice: {error}"))
}
