//! Every entry of the catalog is fine and can be spoken.

use mortise_connectors::{
    ApiField, ApiFieldKind, Auth, Confidence, Manifest, Values, catalog, expand_text, expand_url, lint, parse, render,
    sample_values,
};
use std::collections::BTreeSet;

/// The entries that were written by hand. All others say where their facts come from.
const BY_HAND: &[&str] = &[
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
    "slack-with-user",
    "spotify",
    "spotify-client-credentials",
    "xero",
    "zendesk",
    "zoom",
];

fn entries() -> Vec<(String, Manifest)> {
    let read = |id: String| {
        let text = catalog::get(&id).expect("an entry");
        let manifest = parse(&text).unwrap_or_else(|found| panic!("{id}: {found:#?}"));
        (id, manifest)
    };
    catalog::ids().into_iter().map(read).collect()
}

#[test]
fn the_promised_entries_are_there() {
    let ids: BTreeSet<_> = catalog::ids().into_iter().collect();
    for id in BY_HAND {
        assert!(ids.contains(*id), "{id}");
    }
    let oauth2 = entries().into_iter().filter(|(_, manifest)| matches!(manifest.auth, Auth::Oauth2(_))).count();
    assert!(oauth2 >= 300, "{oauth2} entries speak OAuth 2");
}

#[test]
fn every_entry_lints_without_a_word_and_has_its_files_name() {
    let mut said = Vec::new();
    for id in catalog::ids() {
        let text = catalog::get(&id).expect("an entry");
        said.extend(lint(&text).iter().map(|found| format!("{id}, {}", render(&text, found))));
        let other = parse(&text).ok().filter(|manifest| manifest.id.as_str() != id);
        said.extend(other.map(|manifest| format!("{id}: the file has another name than {}", manifest.id)));
    }
    assert!(said.is_empty(), "{} findings:\n{}", said.len(), said.join("\n"));
}

#[test]
fn every_entry_says_what_stands_behind_it() {
    for (id, manifest) in entries() {
        let confidence = manifest.provenance.map(|provenance| provenance.confidence);
        assert_eq!(confidence.is_none(), BY_HAND.contains(&id.as_str()), "{id}");
        // Where sources agree, nobody has to look them up again.
        assert!(manifest.docs_url.is_some() || confidence == Some(Confidence::Agreed), "{id} has no documentation");
    }
}

/// What a provider might tell.
fn told(manifest: &Manifest) -> Values {
    let fields = manifest.api.iter().flat_map(|api| &api.fields);
    let value = |field: &ApiField| {
        let host = field.suffixes.first().cloned().unwrap_or_else(|| "told.example.com".to_owned());
        match field.kind {
            ApiFieldKind::Url => format!("https://{host}/"),
            ApiFieldKind::Host => host,
            ApiFieldKind::HostLabel | ApiFieldKind::PathSegment => "told".to_owned(),
        }
    };
    fields.map(|(name, field)| (name.clone(), value(field))).collect()
}

#[test]
fn every_entry_expands() {
    for (id, manifest) in entries() {
        let values = sample_values(&manifest, &Values::new()).unwrap_or_else(|found| panic!("{id}: {found:?}"));
        let base = manifest.api.as_ref().filter(|_| !manifest.tells_base_url());
        let base = base.map(|api| ("/api/base_url", &api.base_url));
        if manifest.tells_base_url() {
            let base = manifest.api_base_url(&values, &told(&manifest)).unwrap_or_else(|error| panic!("{id}: {error}"));
            assert_eq!(base.scheme(), "https", "{id}");
        }
        for (_, url) in manifest.auth.urls().into_iter().chain(base) {
            let expanded = expand_url(url, &manifest, &values).unwrap_or_else(|error| panic!("{id}: {url}: {error}"));
            assert_eq!(expanded.scheme(), "https", "{id}");
            assert!(!expanded.as_str().contains(['{', '}']), "{id}: {expanded}");
        }
        let Some(auth) = manifest.oauth2() else { continue };
        for list in [&auth.authorization_params, &auth.token_params, &auth.refresh_params, &auth.token_headers] {
            for text in list.values() {
                expand_text(text, &values).unwrap_or_else(|error| panic!("{id}: {text}: {error}"));
            }
        }
    }
}

#[test]
fn the_list_has_every_entry() {
    let listed: BTreeSet<_> = catalog::summaries().iter().map(|entry| entry.id.clone()).collect();
    let missing: Vec<_> = catalog::ids().into_iter().filter(|id| !listed.contains(id)).collect();
    assert_eq!(missing, Vec::<String>::new());
    let document = catalog::markdown();
    for entry in catalog::summaries() {
        assert!(document.contains(&format!("\n| `{}` | ", entry.id)), "{}", entry.id);
    }
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    let uneven: Vec<_> = document.lines().filter(|l| l.starts_with("| `")).filter(|l| columns(l) != 6).collect();
    assert_eq!(uneven, Vec::<&str>::new());
}

/// A figure to look at (`--release --no-capture`), not a bound.
#[test]
#[expect(clippy::disallowed_methods, reason = "a figure that nothing depends on")]
fn how_long_the_catalogue_takes_to_read_and_check() {
    let start = std::time::Instant::now();
    let found: usize = catalog::ids().iter().map(|id| lint(&catalog::get(id).expect("an entry")).len()).sum();
    println!("{} entries read and checked in {:?}", catalog::ids().len(), start.elapsed());
    assert_eq!(found, 0);
}

#[test]
fn what_customers_are_asked_for_has_a_meaning() {
    for (id, manifest) in entries() {
        for scope in manifest.oauth2().iter().flat_map(|auth| auth.default_scopes.iter()) {
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
