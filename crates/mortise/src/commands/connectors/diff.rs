//! `mortise connectors diff`: what a new version changes for connections that run already.

use super::source;
use crate::cli::{Diff, Format};
use crate::commands::print;
use mortise_connectors::diff::{Change, Effect, diff};
use serde_json::{Value, json};

pub(super) fn run(options: &Diff) -> anyhow::Result<()> {
    let (before, after) = (source::manifest(&options.before)?, source::manifest(&options.after)?);
    let changes = diff(&before, &after);
    match options.format {
        Format::Json => print::json(&changes.iter().map(for_programs).collect::<Vec<_>>()),
        Format::Text => for_people(&changes),
    }
}

fn for_programs(Change { path, before, after, effect }: &Change) -> Value {
    json!({"path": path, "before": before, "after": after, "effect": effect.as_str(), "meaning": effect.meaning()})
}

fn for_people(changes: &[Change]) -> anyhow::Result<()> {
    if changes.is_empty() {
        return print::line("nothing changes");
    }
    let mut last: Option<Effect> = None;
    for Change { path, before, after, effect } in changes {
        if last != Some(*effect) {
            print::line(format!(
                "{}{}: {}",
                if last.is_some() { "\n" } else { "" },
                effect.as_str(),
                effect.meaning()
            ))?;
            last = Some(*effect);
        }
        let shown = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), Value::to_string);
        print::line(format!("  {path}: {} -> {}", shown(before), shown(after)))?;
    }
    Ok(())
}
