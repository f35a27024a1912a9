//! Findings as SARIF 2.1.0 (OASIS), the form that code hosts and editors show beside the line.
//!
//! Deliberately absent: where the files lie on this machine. Names go in as they were given.

use crate::{Diagnostic, Severity, reference};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// A text that was checked, and what was found in it.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The file's name as it was given.
    pub file: String,
    /// The findings.
    pub found: Vec<Diagnostic>,
}

/// One run over `checked` as a SARIF log; `version` is the program's.
pub fn sarif(checked: &[Checked], version: &str) -> Value {
    let words: BTreeSet<_> = checked.iter().flat_map(|file| &file.found).map(|found| found.code).collect();
    let results: Vec<_> =
        checked.iter().flat_map(|file| file.found.iter().map(|found| result(&file.file, found))).collect();
    let rules: Vec<_> = words.into_iter().map(rule).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "mortise", "semanticVersion": version, "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: &str) -> Value {
    let mut rule = Map::from_iter([("id".to_owned(), Value::from(code))]);
    if let Some(meaning) = reference::code(code) {
        rule.insert("shortDescription".to_owned(), json!({"text": meaning}));
    }
    Value::Object(rule)
}

fn result(file: &str, found: &Diagnostic) -> Value {
    let level = match found.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut physical = Map::from_iter([("artifactLocation".to_owned(), json!({"uri": uri(file)}))]);
    if let Some(line) = found.line {
        let region = match found.column {
            Some(column) => json!({"startLine": line, "startColumn": column}),
            None => json!({"startLine": line}),
        };
        physical.insert("region".to_owned(), region);
    }
    let mut location = Map::from_iter([("physicalLocation".to_owned(), Value::Object(physical))]);
    if !found.path.is_empty() {
        location.insert("logicalLocations".to_owned(), json!([{"fullyQualifiedName": found.path}]));
    }
    json!({
        "ruleId": found.code,
        "level": level,
        "message": {"text": found.message},
        "locations": [location],
    })
}

/// A file's name as a URI reference (RFC 3986 section 4.1); an absolute one gets its scheme.
fn uri(file: &str) -> String {
    let forward = file.replace('\\', "/");
    let mut uri = String::with_capacity(forward.len() + 8);
    if forward.starts_with('/') {
        uri.push_str("file://");
    } else if forward.split('/').next().is_some_and(|first| first.contains(':')) {
        // What stands before a colon would be read as a scheme (section 4.2).
        uri.push_str("./");
    }
    for byte in forward.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~:@!$&'()*+,;=".contains(&byte) {
            uri.push(byte.into());
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests;
