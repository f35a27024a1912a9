//! Whether connections may speak another version: the same kind of grant, at the same issuer, with what they hold.

use crate::{Error, Fault, Result};
use mortise_connectors::diff::{Change, Effect, diff};
use mortise_connectors::{Manifest, Values, resolve_values};
use std::collections::BTreeMap;

/// What stands in the way of moving connections of `from` to `to`, as a fault of the member that names the version.
pub(super) fn check(from: &Manifest, to: &Manifest, fixed: &BTreeMap<String, String>) -> Result<()> {
    let faults: Vec<_> =
        faults(from, to, fixed).into_iter().map(|detail| Fault { pointer: "/to_version".into(), detail }).collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

fn faults(from: &Manifest, to: &Manifest, fixed: &BTreeMap<String, String>) -> Vec<String> {
    let mut faults = Vec::new();
    let kind = |manifest: &Manifest| (std::mem::discriminant(&manifest.auth), manifest.auth.renewal());
    if kind(from) != kind(to) {
        let why = "its grants are of another kind, so that what the connections hold is good for nothing there: register \
                   another app and have the customers connect to that";
        faults.push(why.to_owned());
    }
    let breaks = |change: &Change| {
        let told_otherwise = ["/variables", "/auth/credentials", "/auth/type", "/auth/grant"];
        change.effect == Effect::Breaks && !told_otherwise.iter().any(|path| change.path.starts_with(path))
    };
    if faults.is_empty() {
        let broken = diff(from, to).into_iter().filter(breaks);
        faults.extend(
            broken.map(|change| {
                format!("`{}` changes, and what the connections hold does not fit any more", change.path)
            }),
        );
    }
    let issuer = |manifest: &Manifest| manifest.oauth2().and_then(|auth| auth.issuer.clone());
    if let (Some(from), Some(to)) = (issuer(from), issuer(to))
        && from != to
    {
        faults.push(format!("its issuer is `{to}`, and the tokens are `{from}`'s: they are never sent to another one"));
    }
    let pasted = |manifest: &Manifest| manifest.auth.asks().cloned().unwrap_or_default();
    let had = pasted(from);
    for name in pasted(to).keys().filter(|name| !had.contains_key(*name)) {
        faults.push(format!("it asks customers for `{name}`, which the connections do not have"));
    }
    for (name, variable) in &to.variables {
        let known = from.variables.contains_key(name) && !to.only_the_app_fills(name);
        if !known && !fixed.contains_key(name) && variable.default.is_none() {
            faults.push(format!(
                "its variable `{name}` has no value: give it a default, or a value in the app's settings"
            ));
        }
    }
    faults
}

/// What is filled in for a connection in the new version; `None`: what was filled in before does not fit. What the new
/// version does not ask for stays, so that the way back is open.
pub(super) fn fill_in(to: &Manifest, before: &Values, fixed: &BTreeMap<String, String>) -> Option<Values> {
    let known = |name: &String| to.variables.contains_key(name);
    let mut given: Values =
        before.iter().filter(|(name, _)| known(name) && !to.only_the_app_fills(name)).map(owned).collect();
    given.extend(fixed.iter().filter(|(name, _)| known(name)).map(owned));
    let resolved = resolve_values(to, &given).ok()?;
    let mut all = before.clone();
    all.extend(resolved);
    Some(all)
}

fn owned((name, value): (&String, &String)) -> (String, String) {
    (name.clone(), value.clone())
}

#[cfg(test)]
mod tests;
