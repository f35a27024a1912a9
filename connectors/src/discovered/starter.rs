//! The least manifest that leaves everything to discovery.

use crate::{Discovery, yaml};
use serde_json::{Value, json};
use url::Url;

const LONGEST_ID: usize = 64;

/// A manifest for whoever is found at `discovery`. Whether it is any good, reading it tells.
pub fn starter(discovery: &Discovery, grant: &str, id: Option<&str>, name: Option<&str>) -> Value {
    let place = discovery.protected_resource.as_ref().or(discovery.issuer.as_ref()).or(discovery.url.as_ref());
    let host = place.and_then(|place| Url::parse(place).ok()?.host_str().map(str::to_owned)).unwrap_or_default();
    let id = id.map_or_else(|| kebab(&host), str::to_owned);
    let mut manifest = json!({
        "id": id,
        "name": name.unwrap_or(if host.is_empty() { "Provider" } else { &host }),
        "auth": {"type": "oauth2", "grant": grant, "discovery": discovery},
    });
    if let Some(resource) = &discovery.protected_resource {
        manifest["api"] = json!({"base_url": resource});
    }
    manifest
}

/// The text of one for a protected resource whose customers consent.
pub fn of_protected_resource(url: &str, id: Option<&str>, name: Option<&str>) -> String {
    let discovery = Discovery { protected_resource: Some(url.to_owned()), ..Discovery::default() };
    yaml(&starter(&discovery, "authorization_code", id, name))
}

/// A host as an id.
fn kebab(host: &str) -> String {
    let plain = host.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let words: Vec<_> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let id: String = words.join("-").chars().take(LONGEST_ID).collect();
    let id = id.trim_end_matches('-');
    if id.is_empty() { "provider".to_owned() } else { id.to_owned() }
}
