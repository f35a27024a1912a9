use super::*;
use serde_json::{Value, json};

fn oauth2(change: impl FnOnce(&mut Value)) -> Manifest {
    let mut manifest = json!({
        "id": "acme",
        "name": "Acme",
        "auth": {
            "type": "oauth2",
            "grant": "authorization_code",
            "issuer": "https://acme.example",
            "authorization_url": "https://acme.example/authorize",
            "token_url": "https://{region}.acme.example/token",
        },
        "variables": {"region": {"type": "enum", "title": "Region", "values": ["eu", "us"]}},
    });
    change(&mut manifest);
    serde_json::from_value(manifest).unwrap()
}

fn pasted(names: &[&str]) -> Manifest {
    let fields: serde_json::Map<_, _> =
        names.iter().map(|name| ((*name).to_owned(), json!({"type": "secret", "title": "Key"}))).collect();
    let auth = json!({"type": "api_key", "key": names[0], "credentials": fields});
    serde_json::from_value(json!({"id": "acme", "name": "Acme", "auth": auth})).unwrap()
}

fn fixed(values: &[(&str, &str)]) -> BTreeMap<String, String> {
    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn what_connections_cannot_follow_is_refused() {
    let before = oauth2(|_| {});
    let none = fixed(&[]);
    for (what, after, count) in [
        ("nothing", oauth2(|_| {}), 0),
        ("another name", oauth2(|m| m["name"] = "Acme 2".into()), 0),
        ("another issuer", oauth2(|m| m["auth"]["issuer"] = "https://evil.example".into()), 1),
        ("no issuer", oauth2(|m| drop(m["auth"].as_object_mut().unwrap().remove("issuer"))), 0),
        ("another type", pasted(&["key"]), 2),
        ("another grant", oauth2(|m| m["auth"]["grant"] = "client_credentials".into()), 1),
        ("another id", oauth2(|m| m["id"] = "other".into()), 1),
        ("a new variable", oauth2(|m| m["variables"]["zone"] = json!({"type": "text", "title": "Zone"})), 1),
        (
            "a new variable with a default",
            oauth2(|m| m["variables"]["zone"] = json!({"type": "text", "title": "Zone", "default": "1"})),
            0,
        ),
        (
            "a host that customers chose",
            oauth2(|m| m["variables"]["region"] = json!({"type": "host", "title": "Host"})),
            1,
        ),
    ] {
        let found = faults(&before, &after, &none);
        assert_eq!(found.len(), count, "{what}: {found:?}");
    }
    let zone = oauth2(|m| m["variables"]["zone"] = json!({"type": "text", "title": "Zone"}));
    assert_eq!(faults(&before, &zone, &fixed(&[("zone", "2")])), Vec::<String>::new());
    assert_eq!(faults(&pasted(&["key"]), &pasted(&["key", "more"]), &none).len(), 1);
    assert_eq!(faults(&pasted(&["key", "more"]), &pasted(&["key"]), &none), Vec::<String>::new());
}

#[test]
fn values_are_taken_along_as_far_as_they_fit() {
    let values = |values: &[(&str, &str)]| Values::from(fixed(values));
    let zone = json!({"type": "text", "title": "Zone", "default": "1"});
    let wider = oauth2(|m| m["variables"]["zone"] = zone);
    let before = values(&[("region", "eu"), ("gone", "x")]);
    let filled = fill_in(&wider, &before, &fixed(&[("other", "y")]));
    assert_eq!(filled, Some(values(&[("region", "eu"), ("gone", "x"), ("zone", "1")])));
    assert_eq!(fill_in(&wider, &before, &fixed(&[("region", "us")])).unwrap()["region"], "us", "the app's value wins");
    let narrower = oauth2(|m| m["variables"]["region"]["values"] = json!(["us"]));
    assert_eq!(fill_in(&narrower, &before, &fixed(&[])), None);
    let host = oauth2(|m| m["variables"]["region"] = json!({"type": "host", "title": "Host"}));
    let chosen = values(&[("region", "evil.example")]);
    assert_eq!(fill_in(&host, &chosen, &fixed(&[])), None, "a customer's value never says where the secret goes");
    let ours = fill_in(&host, &chosen, &fixed(&[("region", "ours.example")])).unwrap();
    assert_eq!(ours["region"], "ours.example");
}
