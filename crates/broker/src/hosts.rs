//! Where an app's secret, its connections' tokens and its customers' browsers go, as a manifest and the app's settings have it.
//!
//! Invariant: a URL of a manifest that nobody has classified here counts as one that gets the secret. What is compared is the
//! authority with the app's own values filled in, and what may be filled in for the rest of it; paths are the author's
//! business. Deliberately absent: who may change what.

use mortise_connectors::{Manifest, Variable};
use std::collections::{BTreeMap, BTreeSet};

/// The places, as a reader of the manifest would name them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reached {
    /// Get the app's secret, or a token that renews access.
    secret: BTreeSet<String>,
    /// Get access tokens, or what was pasted.
    token: BTreeSet<String>,
    /// Get the customer's browser.
    browser: BTreeSet<String>,
}

impl Reached {
    /// What a manifest reaches for an app with those values fixed.
    pub(crate) fn of(manifest: &Manifest, fixed: &BTreeMap<String, String>) -> Self {
        let mut reached = Self::default();
        for (path, url) in manifest.auth.urls() {
            let places = match path {
                // Nothing is ever sent there.
                "/auth/issuer" => continue,
                "/auth/authorization_url" => &mut reached.browser,
                "/auth/identity/url" | "/auth/verification/url" => &mut reached.token,
                _ => &mut reached.secret,
            };
            places.insert(place(manifest, fixed, url));
        }
        reached.token.extend(manifest.api.iter().map(|api| place(manifest, fixed, &api.base_url)));
        reached
    }

    /// Places to which a secret would go that `before` did not send it to, and browsers that were not sent there.
    pub(crate) fn beyond_secret(&self, before: &Self) -> BTreeSet<String> {
        let browser = self.browser.difference(&before.browser).filter(|place| !before.secret.contains(*place));
        self.secret.difference(&before.secret).chain(browser).cloned().collect()
    }

    /// Places of any kind that `before` did not reach in that way.
    pub(crate) fn beyond(&self, before: &Self) -> BTreeSet<String> {
        let known = |place: &&String| before.secret.contains(*place) || before.token.contains(*place);
        let tokens = self.token.iter().filter(|place| !known(place)).cloned();
        self.beyond_secret(before).into_iter().chain(tokens).collect()
    }
}

/// The authority of a URL template; with what may stand in it, where that is not the app's to say.
fn place(manifest: &Manifest, fixed: &BTreeMap<String, String>, template: &str) -> String {
    let mut place = authority(template).to_ascii_lowercase();
    for (name, variable) in &manifest.variables {
        let braced = format!("{{{}}}", name.to_ascii_lowercase());
        if !place.contains(&braced) {
            continue;
        }
        match fixed.get(name) {
            Some(value) => place = place.replace(&braced, &value.to_ascii_lowercase()),
            None => place += &format!(" ({name}: {})", allowed(variable)),
        }
    }
    place
}

/// The authority of a URL template, which may hold variables that `Url` would not read.
fn authority(template: &str) -> &str {
    let rest = template.split_once("://").map_or(template, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

/// What a variable stands for, whatever it is called.
fn allowed(variable: &Variable) -> String {
    let Variable { kind, values, suffix, default, .. } = variable;
    let kind = serde_json::to_value(kind).ok().and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
    let values = if values.is_empty() { String::new() } else { format!(" of {}", values.join(", ")) };
    let suffix = suffix.as_ref().map(|suffix| format!(" under {suffix}")).unwrap_or_default();
    let default = default.as_ref().map(|default| format!(", otherwise {default}")).unwrap_or_default();
    format!("{kind}{values}{suffix}{default}")
}

#[cfg(test)]
mod tests;
