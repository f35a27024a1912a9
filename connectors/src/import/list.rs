//! The list as a text: entries by name with their places, and aliases put together.

use super::{ImportError, Loss};
use crate::tree::{self, Bounds, Kind, Node};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A list of a thousand providers takes a megabyte and fifty thousand values.
const BOUNDS: Bounds = Bounds { deepest: 32, most_values: 2_000_000 };
/// No list is longer (bytes).
const LONGEST: usize = 64 * 1024 * 1024;
/// An alias of an alias of an alias.
const DEEPEST_ALIAS: usize = 8;

/// An entry as it stands in the list.
pub(super) struct Source {
    pub(super) line: u32,
    members: Map<String, Value>,
}

/// All entries by name.
pub(super) type Sources = BTreeMap<String, Source>;

/// Reads the list.
pub(super) fn read(text: &str) -> Result<Sources, ImportError> {
    if text.len() > LONGEST {
        return Err(ImportError { line: 1, column: 1, message: format!("the list is longer than {LONGEST} bytes") });
    }
    let (root, faults) = tree::read_within(text, BOUNDS);
    if let Some(fault) = faults.into_iter().next() {
        let (line, column) = (fault.place.line, fault.place.column);
        return Err(ImportError { line, column, message: fault.message });
    }
    let entries = match root.map(|root| root.kind) {
        Some(Kind::Map(entries)) => entries,
        _ => {
            let message = "this is no list of providers: it begins with the name of one".to_owned();
            return Err(ImportError { line: 1, column: 1, message });
        }
    };
    let mut sources = Sources::new();
    for entry in entries {
        let (line, column) = (entry.place.line, entry.place.column);
        let Value::Object(members) = value(&entry.value) else {
            let message = format!("`{}` has no members: an entry is an object", entry.name);
            return Err(ImportError { line, column, message });
        };
        sources.insert(entry.name, Source { line, members });
    }
    Ok(sources)
}

/// The entry's members, over those of the entry that it is an alias of.
pub(super) fn resolved(source: &Source, all: &Sources) -> Result<Map<String, Value>, Loss> {
    let mut members = source.members.clone();
    for _ in 0..DEEPEST_ALIAS {
        let Some(alias) = members.remove("alias") else { return Ok(members) };
        let alias = alias.as_str().unwrap_or_default().to_owned();
        let Some(base) = all.get(&alias) else {
            return Err(Loss::new("alias", format!("the list has no `{alias}`")));
        };
        for (name, value) in &base.members {
            members.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    Err(Loss::new("alias", "aliases go round in a circle"))
}

fn value(node: &Node) -> Value {
    match &node.kind {
        Kind::Null | Kind::Refused => Value::Null,
        Kind::Flag(flag) => Value::from(*flag),
        Kind::Number(digits) => digits.parse::<i64>().map_or_else(|_| Value::from(digits.as_str()), Value::from),
        Kind::Text(text) => Value::from(text.as_str()),
        Kind::List(items) => items.iter().map(value).collect(),
        Kind::Map(members) => members.iter().map(|member| (member.name.clone(), value(&member.value))).collect(),
    }
}
