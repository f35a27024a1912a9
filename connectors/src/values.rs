//! What people fill in, checked by type.
//!
//! Invariant: a value that passes cannot end, split or rename the part of a URL that it stands in.

use crate::template::{is_domain_under, is_host, is_host_label, is_path_segment, is_text};
use crate::{Manifest, Variable, VariableKind};
use std::collections::BTreeMap;

/// Values by the name of their variable.
pub type Values = BTreeMap<String, String>;

/// Why a value is refused. Both members may be shown; the value itself is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {message}")]
pub struct ValueError {
    /// The variable.
    pub variable: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

/// Checks what was given, fills in defaults, and refuses what the manifest does not ask for.
///
/// # Errors
/// All faults at once.
pub fn resolve_values(manifest: &Manifest, given: &Values) -> Result<Values, Vec<ValueError>> {
    let mut faults = Vec::new();
    let mut fault = |variable: &str, message: String| {
        faults.push(ValueError { variable: variable.to_owned(), message });
    };
    for name in given.keys().filter(|name| !manifest.variables.contains_key(*name)) {
        fault(name, "the connector has no such variable: leave it out".to_owned());
    }
    let mut resolved = Values::new();
    for (name, variable) in &manifest.variables {
        match given.get(name).or(variable.default.as_ref()) {
            None => fault(name, format!("fill this in: {}", allowed(variable))),
            Some(value) => match check_value(variable, value) {
                Ok(()) => {
                    resolved.insert(name.clone(), value.clone());
                }
                Err(message) => fault(name, message),
            },
        }
    }
    if faults.is_empty() { Ok(resolved) } else { Err(faults) }
}

/// Whether `value` is of the variable's type; if not, what is allowed.
pub(crate) fn check_value(variable: &Variable, value: &str) -> Result<(), String> {
    let good = match variable.kind {
        VariableKind::HostLabel => is_host_label(value),
        VariableKind::Enum => variable.values.iter().any(|allowed| allowed == value),
        VariableKind::PathSegment => is_path_segment(value),
        VariableKind::Domain => is_domain_under(value, variable.suffix.as_deref().unwrap_or_default()),
        VariableKind::Host => is_host(value),
        VariableKind::Text => is_text(value),
    };
    if good { Ok(()) } else { Err(allowed(variable)) }
}

fn allowed(variable: &Variable) -> String {
    match variable.kind {
        VariableKind::HostLabel => {
            "use 1 to 63 letters, digits and inner hyphens: one part of a host name, without dots".to_owned()
        }
        VariableKind::Enum => format!("use one of {}", shown(&variable.values)),
        VariableKind::Domain => {
            let suffix = variable.suffix.as_deref().unwrap_or_default();
            format!("use a host name that ends in .{suffix}, such as example.{suffix}, without https:// and path")
        }
        VariableKind::Host => {
            "use a whole host name with its dots, such as crm.acme.example, without https://, port and path".to_owned()
        }
        VariableKind::Text => "use 1 to 200 printable ASCII characters on one line".to_owned(),
        VariableKind::PathSegment => "use 1 to 128 letters, digits and - . _ ~, and not just dots".to_owned(),
    }
}

/// The first of the allowed values, as far as a message can carry them.
fn shown(values: &[String]) -> String {
    let short = |value: &String| value.chars().filter(|c| !c.is_control()).take(60).collect::<String>();
    let mut shown: Vec<_> = values.iter().take(20).map(short).collect();
    if values.len() > shown.len() {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests;
