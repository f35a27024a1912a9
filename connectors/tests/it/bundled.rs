//! Every entry of the catalog is fine and can be spoken.

use mortise_connectors::{
    Manifest, Values, VariableKind, catalog, expand_text, expand_url, lint, parse, resolve_values,
};
use std::collections::BTreeSet;

fn entries() -> Vec<(String, Manifest)> {
    let read = |id: String| {
        let text = catalog::get(&id).expect("an entry");
        let manifest = parse(&text).unwrap_or_else(|found| panic!("{id}: {found:#?}"));
        (id, manifest)
    };
    catalog::ids().into_iter().map(read).collect()
}

/// A value for each variable that has no default.
fn filled(manifest: &Manifest) -> Values {
    let asked = manifest.variables.iter().filter(|(_, variable)| variable.default.is_none());
    let given = asked.map(|(name, variable)| {
        let value = match variable.kind {
            VariableKind::Enum => variable.values.first().expect("values").clone(),
            VariableKind::HostLabel | VariableKind::PathSegment => "acme".to_owned(),
        };
        (name.clone(), value)
    });
    resolve_values(manifest, &given.collect()).expect("values")
}

#[test]
fn the_promised_entries_are_there() {
    let ids: BTreeSet<_> = catalog::ids().into_iter().collect();
    let promised = [
        "asana",
        "atlassian",
        "box",
        "discord",
        "dropbox",
        "github",
        "gitlab",
        "google",
        "hubspot",
        "linear",
        "microsoft",
        "notion",
        "paypal",
        "paypal-sandbox",
        "salesforce",
        "slack",
        "spotify",
        "spotify-client-credentials",
        "xero",
        "zendesk",
        "zoom",
    ];
    assert_eq!(ids, promised.map(str::to_owned).into());
}

#[test]
fn every_entry_lints_without_a_word_and_has_its_files_name() {
    for (id, manifest) in entries() {
        assert_eq!(lint(&catalog::get(&id).expect("an entry")), [], "{id}");
        assert_eq!(manifest.id.as_str(), id);
        assert!(manifest.docs_url.is_some(), "{id} says where it is documented");
    }
}

#[test]
fn every_entry_expands() {
    for (id, manifest) in entries() {
        let values = filled(&manifest);
        let auth = &manifest.auth;
        let base = manifest.api.as_ref().map(|api| &api.base_url);
        for url in auth.urls().map(|(_, url)| url).chain(base) {
            let expanded = expand_url(url, &manifest, &values).unwrap_or_else(|error| panic!("{id}: {url}: {error}"));
            assert_eq!(expanded.scheme(), "https", "{id}");
            assert!(!expanded.as_str().contains(['{', '}']), "{id}: {expanded}");
        }
        for list in [&auth.authorization_params, &auth.token_params, &auth.refresh_params, &auth.token_headers] {
            for text in list.values() {
                expand_text(text, &values).unwrap_or_else(|error| panic!("{id}: {text}: {error}"));
            }
        }
    }
}

#[test]
fn what_customers_are_asked_for_has_a_meaning() {
    for (id, manifest) in entries() {
        for scope in manifest.auth.default_scopes.iter() {
            assert!(manifest.scopes.contains_key(scope), "{id} asks for {scope} and does not say what it is");
        }
    }
}

#[test]
fn only_ids_name_entries() {
    for id in ["", "nobody", "../Cargo", "github.yaml", "./github", "GitHub", "a/b", "..\\x"] {
        assert_eq!(catalog::get(id), None, "{id}");
    }
}
