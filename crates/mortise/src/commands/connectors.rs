//! `mortise connectors`: manifests from files, without a server.

use super::print;
use crate::cli::Connectors;
use anyhow::{Context as _, bail};
use mortise_connectors::{Severity, canonical_json, catalog, lint, parse, render};
use std::path::Path;

pub(super) fn run(command: Connectors) -> anyhow::Result<()> {
    match command {
        Connectors::Lint { files } => {
            let mut errors = 0;
            for file in &files {
                errors += lint_file(file)?;
            }
            if errors > 0 { bail!("{errors} errors") } else { Ok(()) }
        }
        Connectors::Show { manifest } => show(&manifest),
    }
}

fn lint_file(file: &Path) -> anyhow::Result<usize> {
    let text = read(file)?;
    let found = lint(&text);
    for diagnostic in &found {
        print::line(format!("{}: {}", file.display(), render(&text, diagnostic)))?;
    }
    if found.is_empty() {
        print::line(format!("{}: ok", file.display()))?;
    }
    Ok(found.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count())
}

fn show(manifest: &str) -> anyhow::Result<()> {
    let text = match catalog::get(manifest) {
        Some(text) => text,
        None => read(Path::new(manifest)).context("neither a bundled manifest nor a file is called so")?,
    };
    match parse(&text) {
        Ok(manifest) => print::json(&serde_json::from_str::<serde_json::Value>(&canonical_json(&manifest))?),
        Err(found) => {
            for diagnostic in &found {
                print::line(render(&text, diagnostic))?;
            }
            bail!("the manifest is not valid")
        }
    }
}

fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| file.display().to_string())
}
