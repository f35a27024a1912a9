//! What a provider tells beside a token, as far as it may be believed: its URLs are judged like those of its manifest before
//! they are stored or handed out.
//!
//! Invariant: no field with a URL of a host that egress would refuse gets through, wherever in the field it stands, and a
//! field that the manifest describes (`api.fields`) is what it says. What is refused is left out: nothing that a provider
//! tells beside a token is a reason to lose the grant. Names are judged where they are called, because only then is it known
//! where they lead.

use crate::{EgressPolicy, Provider};
use mortise_connectors::{ApiFieldKind, BASE_URL_FIELD, Values};
use serde_json::Value;
use std::collections::BTreeMap;
use url::Url;

/// Leaves out of `fields` what may not be believed, and adds the API's base where it is made of them. Doing it again changes
/// nothing.
pub fn believe(policy: &EgressPolicy, provider: &Provider<'_>, fields: &mut BTreeMap<String, Value>) {
    let manifest = provider.manifest;
    let connector = &manifest.id;
    for name in judge(policy, fields) {
        tracing::warn!(%connector, field = name, "a field of a reply was left out: it leads where nothing may be called");
    }
    let mut told = Values::new();
    for (name, field) in manifest.api.iter().flat_map(|api| &api.fields) {
        let Some(value) = fields.get(name).map(as_text) else { continue };
        let leads_out = |value: &str| {
            is_open(policy, value) && (field.kind != ApiFieldKind::Host || is_open(policy, &format!("//{value}")))
        };
        match value.filter(|value| field.accepts(value) && leads_out(value)) {
            Some(value) => {
                told.insert(name.clone(), value);
            }
            None => {
                fields.remove(name);
                tracing::warn!(%connector, field = name, "a field of a reply was left out: it is not what `api.fields` says");
            }
        }
    }
    if !manifest.tells_base_url() {
        return;
    }
    match manifest.api_base_url(provider.values, &told) {
        Ok(base) if policy.check_url(&base).and_then(|()| policy.check_told(&base)).is_ok() => {
            fields.insert(BASE_URL_FIELD.to_owned(), Value::from(base.as_str()));
        }
        Ok(_) | Err(_) => {
            fields.remove(BASE_URL_FIELD);
            tracing::warn!(%connector, "the base of the API is not known: the provider did not tell it");
        }
    }
}

/// Leaves out fields in which a URL stands that egress refuses whatever the name service says. Their names are returned.
pub fn judge(policy: &EgressPolicy, fields: &mut BTreeMap<String, Value>) -> Vec<String> {
    let refused: Vec<_> =
        fields.iter().filter(|(_, value)| !is_harmless(policy, value)).map(|(name, _)| name.clone()).collect();
    for name in &refused {
        fields.remove(name);
    }
    refused
}

/// A number or a truth value stands in a URL as it is written.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn is_harmless(policy: &EgressPolicy, value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => is_open(policy, text),
        Value::Array(items) => items.iter().all(|item| is_harmless(policy, item)),
        Value::Object(members) => members.values().all(|value| is_harmless(policy, value)),
    }
}

/// Whether a text is no URL, or one that leads to a host that may be called. It is read as leniently as whoever gets it
/// might read it.
fn is_open(policy: &EgressPolicy, text: &str) -> bool {
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    let whole = if trimmed.starts_with("//") || trimmed.starts_with("\\\\") {
        format!("https:{trimmed}")
    } else {
        trimmed.to_owned()
    };
    match Url::parse(&whole) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => policy.check_told(&url).is_ok(),
        Ok(_) | Err(_) => true,
    }
}

#[cfg(test)]
mod tests;
