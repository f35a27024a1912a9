//! `mortise connectors lint`: every violation with its place, for people, programs and code hosts.

use super::source;
use crate::cli::{Findings, Lint};
use crate::commands::print;
use anyhow::bail;
use mortise_connectors::{Checked, Diagnostic, Severity, lint, render, sarif};
use serde_json::{Value, json};

pub(super) fn run(options: &Lint) -> anyhow::Result<()> {
    let mut checked = Vec::with_capacity(options.files.len());
    for path in &options.files {
        let text = source::read(path)?;
        let file = Checked { file: path.display().to_string(), found: lint(&text) };
        if options.format == Findings::Text {
            for_people(&file, &text)?;
        }
        checked.push(file);
    }
    match options.format {
        Findings::Text => {}
        Findings::Json => print::json(&for_programs(&checked))?,
        Findings::Sarif => print::json(&sarif(&checked, env!("CARGO_PKG_VERSION")))?,
    }
    let count = |severity| checked.iter().flat_map(|file| &file.found).filter(|d| d.severity == severity).count();
    match (count(Severity::Error), count(Severity::Warning)) {
        (0, 0) => Ok(()),
        (0, warnings) if options.deny_warnings => bail!("{}", counted(warnings, "warning")),
        (0, _) => Ok(()),
        (errors, _) => bail!("{}", counted(errors, "error")),
    }
}

/// `1 error`, `2 errors`.
fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn for_people(file: &Checked, text: &str) -> anyhow::Result<()> {
    for diagnostic in &file.found {
        print::line(format!("{}: {}", file.file, render(text, diagnostic)))?;
    }
    if file.found.is_empty() {
        print::line(format!("{}: ok", file.file))?;
    }
    Ok(())
}

fn for_programs(checked: &[Checked]) -> Value {
    let files = checked.iter().map(|Checked { file, found }| {
        json!({"file": file, "valid": is_valid(found), "diagnostics": found.iter().map(diagnostic).collect::<Vec<_>>()})
    });
    json!({"valid": checked.iter().all(|file| is_valid(&file.found)), "files": files.collect::<Vec<_>>()})
}

fn is_valid(found: &[Diagnostic]) -> bool {
    found.iter().all(|diagnostic| diagnostic.severity != Severity::Error)
}

fn diagnostic(Diagnostic { severity, code, message, path, line, column }: &Diagnostic) -> Value {
    json!({
        "severity": severity.as_str(), "code": code, "message": message, "path": path, "line": line, "column": column,
    })
}
