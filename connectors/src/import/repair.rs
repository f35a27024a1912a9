//! From what was put together to a manifest that lints: members that the language refuses go, and are listed.
//!
//! Invariant: what comes out has no error. A member goes only if the rest means the same without it; a refusal anywhere else
//! is the reason why there is no manifest.

use super::Loss;
use crate::{Diagnostic, Severity, emit, lint};
use serde_json::{Map, Value};

/// More rounds than any entry needs: each takes at least one member away.
const MOST_ROUNDS: usize = 40;

/// What may go, by the start of its pointer and how many names of the pointer are the member.
const EXPENDABLE: &[(&str, usize)] = &[
    ("/categories/", 1),
    ("/description", 1),
    ("/auth/authorization_params/", 3),
    ("/auth/token_params/", 3),
    ("/auth/refresh_params/", 3),
    ("/auth/token_headers/", 3),
    ("/auth/default_scopes", 2),
    ("/auth/default_lifetime", 2),
    ("/auth/refresh_margin", 2),
    ("/auth/token_response/extra/", 4),
    ("/auth/token_response/alternate", 3),
    ("/auth/callback/keep/", 4),
    ("/auth/verification", 2),
];

/// The manifest as YAML with its id, and what had to go.
pub(super) fn sound(manifest: Map<String, Value>) -> Result<((String, String), Vec<Loss>), Loss> {
    let id = manifest.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let pasted = manifest.get("auth").and_then(|auth| auth.get("type")).is_some_and(|word| word != "oauth2");
    let (mut manifest, mut lost) = (Value::Object(manifest), Vec::new());
    for _ in 0..MOST_ROUNDS {
        let text = emit::yaml(&manifest);
        let found = lint(&text);
        let Some(fault) = found.iter().find(|found| found.severity == Severity::Error).or_else(|| found.first()) else {
            return Ok(((id, text), lost));
        };
        let Some(pointer) = expendable(fault, pasted) else {
            if fault.severity == Severity::Warning {
                return Ok(((id, text), lost));
            }
            return Err(Loss::new(dotted(&fault.path), fault.message.clone()));
        };
        remove(&mut manifest, &pointer);
        lost.push(Loss::new(dotted(&pointer), fault.message.clone()));
    }
    Err(Loss::new("", "too much of it is refused"))
}

/// The member that can go so that the finding goes.
fn expendable(fault: &Diagnostic, pasted: bool) -> Option<String> {
    let cut = |names: usize| fault.path.split('/').take(names + 1).collect::<Vec<_>>().join("/");
    if let Some((_, names)) = EXPENDABLE.iter().find(|(start, _)| fault.path.starts_with(start)) {
        return Some(cut(*names));
    }
    if fault.path.starts_with("/api") && !pasted {
        return Some("/api".to_owned());
    }
    let names: Vec<_> = fault.path.split('/').skip(1).collect();
    match names.as_slice() {
        ["auth", "credentials", _, "pattern" | "example" | "description"] => Some(cut(4)),
        ["auth", "credentials", _] if fault.code == "unused_credential" => Some(cut(3)),
        ["api", "headers" | "query", name]
            if fault.code == "reserved_header" && !name.eq_ignore_ascii_case("cookie") =>
        {
            Some(cut(3))
        }
        ["variables", _, "default" | "description"] => Some(cut(3)),
        ["variables", _] if fault.code == "unused_variable" => Some(cut(2)),
        _ => None,
    }
}

/// Takes the member away, and objects that nothing is left in.
fn remove(manifest: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    let name = name.replace("~1", "/").replace("~0", "~");
    let emptied = match manifest.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.shift_remove(&name);
            members.is_empty()
        }
        Some(Value::Array(items)) => {
            if let Some(index) = name.parse().ok().filter(|index| *index < items.len()) {
                items.remove(index);
            }
            items.is_empty()
        }
        _ => false,
    };
    if emptied && !parent.is_empty() {
        remove(manifest, parent);
    }
}

fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}
