//! What people fill in: good values pass, and hostile ones reach no URL.

use crate::Step;
use crate::life::Life;
use mortise_connectors::{Credential, CredentialKind, Manifest, Variable, VariableKind, expand_url, resolve_values};
use std::collections::BTreeMap;

/// Values that lead elsewhere, in one reader or another.
const HOSTILE: &[&str] =
    &["evil.example/", "a@evil.example", "a#", "a?b=c", "..", "a/../b", "a:8080", "%2e%2e", "a\r\nb", "", "[::1]"];
/// The same for what never stands in a URL.
const HOSTILE_TEXTS: &[&str] = &["a\r\nb", "", "a\0b", " a"];

pub(crate) fn check(life: &mut Life<'_>) {
    let manifest = life.cast.manifest;
    for (name, variable) in &manifest.variables {
        let passed: Vec<_> = hostile(variable).filter(|value| passes(life, name, value)).collect();
        let outcome = match passed.is_empty() {
            true => Ok(()),
            false => Err(format!("{} of them pass", passed.len())),
        };
        life.note(Step::Input, format!("hostile values of `{name}` are refused"), outcome);
    }
    if let Some(asked) = manifest.auth.asks() {
        for (name, credential) in asked {
            let outcome = match ["", " ", "a\0b", &"x".repeat(40_000)].into_iter().find(|v| credential.check(v).is_ok())
            {
                None => Ok(()),
                Some(_) => Err("an empty, broken or endless value passes".to_owned()),
            };
            life.note(Step::Input, format!("nonsense for `{name}` is refused"), outcome);
        }
    }
}

fn hostile(variable: &Variable) -> impl Iterator<Item = &'static str> {
    let values = if variable.kind == VariableKind::Text { HOSTILE_TEXTS } else { HOSTILE };
    values.iter().copied()
}

/// Whether a value gets through the check of its variable, or into any URL.
fn passes(life: &Life<'_>, name: &str, value: &str) -> bool {
    let manifest = life.cast.manifest;
    let mut values = life.cast.values.clone();
    values.insert(name.to_owned(), value.to_owned());
    let named = format!("{{{name}}}");
    let urls = manifest.auth.urls();
    let mut with_it = urls.iter().filter(|(_, url)| url.contains(&named));
    resolve_values(manifest, &values).is_ok() || with_it.any(|(_, url)| expand_url(url, manifest, &values).is_ok())
}

/// What the customer of this provider has to paste.
pub(crate) fn credentials(manifest: &Manifest) -> BTreeMap<String, String> {
    let fields = manifest.auth.asks().into_iter().flatten();
    fields.map(|(name, credential)| (name.clone(), good(name, credential))).collect()
}

/// A value that the field takes: its example, or something that no encoding leaves as it is.
fn good(name: &str, credential: &Credential) -> String {
    if credential.kind == CredentialKind::Document {
        return format!("<a:Assertion ID=\"{name}\">? > ~ &amp;</a:Assertion>");
    }
    let odd = format!("{name}+/= %&\"x");
    let candidates = [credential.example.clone(), Some(odd), Some(format!("{name}1234567890"))];
    let mut fitting = candidates.into_iter().flatten().filter(|value| credential.check(value).is_ok());
    fitting.next().unwrap_or_else(|| name.to_owned())
}
