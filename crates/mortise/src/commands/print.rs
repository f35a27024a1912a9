//! The one place that prints: results on standard output, errors on standard error.

use crate::settings::{LogFormat, SETTINGS, Settings};
use std::io::Write as _;

/// A line of a result. Whoever closed the pipe does not want the rest.
pub(crate) fn line(text: impl std::fmt::Display) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// An error with everything beneath it.
#[expect(clippy::print_stderr, reason = "this is the one place that prints errors")]
pub(crate) fn error(error: &anyhow::Error) {
    eprintln!("mortise: {error:#}");
}

/// A document.
pub(crate) fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?)
}

/// The settings in force; those that may hold a secret only as set or not.
pub(crate) fn settings(settings: &Settings) -> anyhow::Result<()> {
    let show =
        |path: &Option<std::path::PathBuf>| path.as_ref().map_or("not set".to_owned(), |p| p.display().to_string());
    for (name, _) in SETTINGS {
        let value = match *name {
            "database_url" => settings.database_url.as_ref().map_or("not set", |_| "set").to_owned(),
            "database_connections" => settings.database_connections.to_string(),
            "listen" => settings.listen.to_string(),
            "public_url" => settings.public_url.to_string(),
            "key_file" => show(&settings.key_file),
            "spill_dir" => show(&settings.spill_dir),
            "egress_allow" => settings.egress_allow.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            "egress_ca_file" => show(&settings.egress_ca_file),
            "metrics_listen" => settings.metrics_listen.map_or("not set".to_owned(), |listen| listen.to_string()),
            "http_workers" => settings.http_workers.to_string(),
            "refresh_concurrency" => settings.refresh_concurrency.to_string(),
            "refresh_deadline" => settings.refresh_deadline.as_secs().to_string(),
            "log" => settings.log.clone(),
            "log_format" => match settings.log_format {
                LogFormat::Text => "text".to_owned(),
                LogFormat::Json => "json".to_owned(),
            },
            _ => continue,
        };
        line(format!("{name} = {value}"))?;
    }
    Ok(())
}
