//! `mortise connectors import`: manifests from another broker's list, and what they could not express.
//!
//! Invariant: a file that is there already is never written over.

use super::source;
use crate::cli::{Foreign, Format, Import};
use crate::commands::print;
use anyhow::{Context as _, bail};
use mortise_connectors::import::{Imported, from_nango};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

pub(super) fn run(options: &Import) -> anyhow::Result<()> {
    let text = source::read(&options.file)?;
    let read = match options.from {
        Foreign::Nango => from_nango(&text),
    };
    let mut entries = read.with_context(|| options.file.display().to_string())?;
    if let Some(unknown) = options.only.iter().find(|name| entries.iter().all(|entry| entry.name != **name)) {
        bail!("the list has no `{unknown}`");
    }
    if !options.only.is_empty() {
        entries.retain(|entry| options.only.contains(&entry.name));
    }
    let stayed = match &options.out {
        Some(folder) => write(folder, &entries)?,
        None => Vec::new(),
    };
    match options.format {
        Format::Json => print::json(&for_programs(&entries, &stayed)),
        Format::Text => for_people(&entries, &stayed),
    }
}

/// Writes a file for each manifest; those whose file is there already, by their ids.
fn write(folder: &Path, entries: &[Imported]) -> anyhow::Result<Vec<String>> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let mut stayed = Vec::new();
    for (id, text) in entries.iter().filter_map(|entry| entry.manifest.as_ref()) {
        let path = folder.join(format!("{id}.yaml"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => file.write_all(text.as_bytes()).with_context(|| path.display().to_string())?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => stayed.push(id.clone()),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        }
    }
    Ok(stayed)
}

/// How many entries became a manifest that says everything, one that lacks something, and none.
fn counts(entries: &[Imported]) -> (usize, usize, usize) {
    let whole = entries.iter().filter(|entry| entry.manifest.is_some() && entry.lost.is_empty()).count();
    let some = entries.iter().filter(|entry| entry.manifest.is_some()).count();
    (whole, some - whole, entries.len() - some)
}

fn for_programs(entries: &[Imported], stayed: &[String]) -> Value {
    let (whole, partly, not) = counts(entries);
    let entries = entries.iter().map(|Imported { name, line, manifest, lost }| {
        let id = manifest.as_ref().map(|(id, _)| id);
        let lost: Vec<_> = lost.iter().map(|loss| json!({"member": loss.member, "why": loss.why})).collect();
        json!({"name": name, "line": line, "connector": id, "lost": lost})
    });
    json!({
        "whole": whole, "partly": partly, "not": not, "not_overwritten": stayed, "entries": entries.collect::<Vec<_>>(),
    })
}

fn for_people(entries: &[Imported], stayed: &[String]) -> anyhow::Result<()> {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for Imported { name, line, manifest, lost } in entries.iter().filter(|entry| !entry.lost.is_empty()) {
        let what = if manifest.is_some() { "lacks" } else { "not imported" };
        for loss in lost {
            print::line(format!("line {line}: {name}: {what}: {}: {}", loss.member, loss.why))?;
            *reasons
                .entry(format!("{what}: {}", loss.member.split('.').take(2).collect::<Vec<_>>().join(".")))
                .or_default() += 1;
        }
    }
    for id in stayed {
        print::line(format!("{id}.yaml is there already and stays as it is"))?;
    }
    let (whole, partly, not) = counts(entries);
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    print::line(format!(
        "{} entries: {whole} whole, {partly} with something lacking, {not} not imported",
        entries.len()
    ))?;
    for (reason, count) in reasons {
        print::line(format!("{count:6}  {reason}"))?;
    }
    Ok(())
}
