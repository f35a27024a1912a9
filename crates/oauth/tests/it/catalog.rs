//! What every entry of the catalogue sends, to the byte.
//!
//! One snapshot for each initial, made by the builders of the real requests; words in capitals stand for secrets.

use mortise_connectors::{Manifest, Values, catalog, parse, sample_values};
use mortise_domain::{PastedSecret, ScopeSet};
use mortise_oauth::{Credentials, Provider, SimulatedClient, SimulatedRequest, Step, carried, simulate};
use std::collections::BTreeMap;

fn requests(manifest: &Manifest, values: &Values) -> Vec<SimulatedRequest> {
    let client = SimulatedClient {
        client_id: "CLIENT_ID",
        redirect_uri: "https://broker.example/callback",
        scopes: &ScopeSet::parse("one two", " "),
    };
    simulate(&Provider { manifest, values }, &client).unwrap_or_else(|error| panic!("{}: {error}", manifest.id))
}

/// What every call to the API carries, where customers paste credentials.
fn pasted(manifest: &Manifest, values: &Values) -> Vec<String> {
    let provider = Provider { manifest, values };
    let names = manifest.auth.pasted().map(|pasted| pasted.credentials.keys()).into_iter().flatten();
    let credentials: Credentials =
        names.map(|name| (name.clone(), PastedSecret::new(name.to_ascii_uppercase()))).collect();
    let Some(call) = carried(&provider, &credentials).unwrap() else { return Vec::new() };
    let headers = call.headers.iter().map(|(name, value)| format!("{name}: {}", value.expose()));
    let query = call.query.iter().map(|(name, value)| format!("?{name}={}", value.expose()));
    vec![format!("  Call: {}", headers.chain(query).collect::<Vec<_>>().join(" | "))]
}

/// The step, method and URL, then the header lines, then the body.
fn shown(request: &SimulatedRequest) -> String {
    let headers = request.headers.iter().map(|header| {
        let decoded = header.decoded.as_ref().map(|decoded| format!(" ({decoded})")).unwrap_or_default();
        format!("{}: {}{decoded}", header.name, header.value)
    });
    let headers: Vec<_> = headers.collect();
    let mut lines = vec![format!("  {:?}: {} {}", request.step, request.method, request.url)];
    lines.extend((!headers.is_empty()).then(|| format!("    {}", headers.join(" | "))));
    lines.extend(request.body.as_ref().map(|body| format!("    {body}")));
    lines.join("\n")
}

#[test]
fn every_entry_sends_what_it_sent() {
    let mut by_initial = BTreeMap::<char, Vec<String>>::new();
    for id in catalog::ids() {
        let manifest = parse(&catalog::get(&id).unwrap()).unwrap_or_else(|found| panic!("{id}: {found:#?}"));
        let values = sample_values(&manifest, &Values::new()).unwrap();
        let mut steps: Vec<_> = requests(&manifest, &values).iter().map(shown).collect();
        steps.extend(pasted(&manifest, &values));
        assert!(!steps.is_empty(), "{id} sends nothing");
        let initial = id.chars().next().unwrap();
        by_initial.entry(initial).or_default().push(format!("{id}\n{}", steps.join("\n")));
    }
    assert!(by_initial.len() > 20, "entries under {} initials", by_initial.len());
    for (initial, entries) in by_initial {
        insta::assert_snapshot!(format!("catalog_{initial}"), entries.join("\n\n"));
    }
}

/// What the protocol promises holds for every entry, whatever its manifest renames.
#[test]
fn every_entry_keeps_the_protocol() {
    for id in catalog::ids() {
        let manifest = parse(&catalog::get(&id).unwrap()).unwrap_or_else(|found| panic!("{id}: {found:#?}"));
        let Some(auth) = manifest.oauth2() else { continue };
        let requests = requests(&manifest, &sample_values(&manifest, &Values::new()).unwrap());
        for request in &requests {
            assert!(request.url.starts_with("https://"), "{id}: {}", request.url);
            assert!(!request.url.contains(['{', '}']), "{id}: {}", request.url);
        }
        let Some(authorize) = requests.iter().find(|request| request.step == Step::Authorize) else { continue };
        let mut url = url::Url::parse(&authorize.url).unwrap();
        if let Some(route) = &auth.authorization_request.route {
            let behind = url.fragment().unwrap().strip_prefix(&format!("{route}?")).unwrap().to_owned();
            url.set_query(Some(&behind));
        }
        let value = |name: &str| {
            let found: Vec<_> = url.query_pairs().filter(|(n, _)| n == name).map(|(_, v)| v.into_owned()).collect();
            assert!(found.len() <= 1, "{id}: {name} stands {} times", found.len());
            found.into_iter().next()
        };
        assert_eq!(value("state").as_deref(), Some("STATE"), "{id}");
        let method = auth.pkce_disabled_reason.is_none().then_some("S256");
        assert_eq!(value("code_challenge_method").as_deref(), method, "{id}");
        assert_eq!(value("code_challenge").is_some(), method.is_some(), "{id}");
    }
}
