//! What people fill in, checked by type.

use crate::{Manifest, Variable, VariableKind};
use std::collections::BTreeMap;

/// Values by the name of their variable.
pub type Values = BTreeMap<String, String>;

/// Why a value is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {message}")]
pub struct ValueError {
    /// The variable.
    pub variable: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

/// Checks what was given, fills in defaults, and refuses what the manifest does not ask for. All faults at once.
pub fn resolve_values(manifest: &Manifest, given: &Values) -> Result<Values, Vec<ValueError>> {
    let mut faults = Vec::new();
    let mut fault = |variable: &str, message: &str| {
        faults.push(ValueError { variable: variable.to_owned(), message: message.to_owned() });
    };
    for name in given.keys().filter(|name| !manifest.variables.contains_key(*name)) {
        fault(name, "the connector has no such variable");
    }
    let mut resolved = Values::new();
    for (name, variable) in &manifest.variables {
        match given.get(name).or(variable.default.as_ref()) {
            None => fault(name, "fill this in"),
            Some(value) => match check_value(variable, value) {
                Ok(()) => {
                    resolved.insert(name.clone(), value.clone());
                }
                Err(message) => fault(name, &message),
            },
        }
    }
    if faults.is_empty() { Ok(resolved) } else { Err(faults) }
}

/// Whether `value` is of the variable's type.
pub(crate) fn check_value(variable: &Variable, value: &str) -> Result<(), String> {
    let (good, allowed) = match variable.kind {
        VariableKind::HostLabel => {
            (is_host_label(value), "use letters, digits and inner hyphens, at most 63".to_owned())
        }
        VariableKind::Enum => (
            variable.values.iter().any(|allowed| allowed == value),
            format!("use one of {}", variable.values.join(", ")),
        ),
        VariableKind::PathSegment => {
            (is_path_segment(value), "use letters, digits and - . _ ~, at most 128, and not just dots".to_owned())
        }
    };
    if good { Ok(()) } else { Err(allowed) }
}

/// One label of a host name (RFC 1123 section 2.1), and none that internationalised names are encoded in.
fn is_host_label(value: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=63).contains(&value.len())
        && value.bytes().all(inner)
        && !value.starts_with('-')
        && !value.ends_with('-')
        && value.get(2..4) != Some("--")
}

/// Unreserved characters (RFC 3986 section 2.3), and nothing that a path would resolve away.
fn is_path_segment(value: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (1..=128).contains(&value.len()) && value.bytes().all(unreserved) && value != "." && value != ".."
}
