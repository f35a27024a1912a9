//! What a new version of a manifest changes, and what each change means for connections that run already.
//!
//! Invariant: every member whose value differs is listed once; a member that is not classified counts as part of the
//! requests of running connections, which is the careful side. Deliberately absent: who uses which version.

mod effect;

pub use effect::Effect;

use crate::Manifest;
use serde_json::Value;

/// A member that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its JSON pointer.
    pub path: String,
    /// Its value before; `None` where it is new.
    pub before: Option<Value>,
    /// Its value afterwards; `None` where it is gone.
    pub after: Option<Value>,
    /// What that means.
    pub effect: Effect,
}

/// Every member that differs between two manifests, the gravest first, otherwise in the order of the manifest.
pub fn diff(before: &Manifest, after: &Manifest) -> Vec<Change> {
    let (old, new) = (members(before), members(after));
    let mut changes = Vec::new();
    compare(Some(&old), Some(&new), "", &mut |path, before_value, after_value| {
        let effect = effect::of(path, before_value, after_value, before);
        let (path, before, after) = (path.to_owned(), before_value.cloned(), after_value.cloned());
        changes.push(Change { path, before, after, effect });
    });
    changes.sort_by_key(|change| change.effect);
    changes
}

fn members(manifest: &Manifest) -> Value {
    // As for the canonical text: a manifest holds nothing that JSON cannot.
    serde_json::to_value(manifest).unwrap_or_default()
}

/// Calls `told` for each place where the two differ: inside objects that both have, otherwise as a whole.
fn compare(
    before: Option<&Value>,
    after: Option<&Value>,
    path: &str,
    told: &mut impl FnMut(&str, Option<&Value>, Option<&Value>),
) {
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            for (name, value) in old {
                compare(Some(value), new.get(name), &format!("{path}/{}", crate::validate::escape(name)), told);
            }
            for (name, value) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
                compare(None, Some(value), &format!("{path}/{}", crate::validate::escape(name)), told);
            }
        }
        // A map of names that only one of the two has is told name by name.
        (None, Some(Value::Object(new))) if is_map(path) => {
            for (name, value) in new {
                compare(None, Some(value), &format!("{path}/{}", crate::validate::escape(name)), told);
            }
        }
        (Some(Value::Object(old)), None) if is_map(path) => {
            for (name, value) in old {
                compare(Some(value), None, &format!("{path}/{}", crate::validate::escape(name)), told);
            }
        }
        (before, after) if before != after => told(path, before, after),
        _ => {}
    }
}

fn is_map(path: &str) -> bool {
    path == "/variables" || path == "/scopes"
}

#[cfg(test)]
mod tests;
