use super::*;

/// A manifest with one member written differently.
fn manifest(member: &str, value: &str) -> Manifest {
    let mut text = serde_json::json!({
        "id": "acme",
        "name": "Acme",
        "auth": {
            "type": "oauth2",
            "grant": "authorization_code",
            "authorization_url": "https://{shop}.acme.example/authorize",
            "token_url": "https://{shop}.acme.example/token",
            "revocation_url": "https://acme.example/revoke",
            "introspection_url": "https://acme.example/introspect",
            "refresh_url": "https://acme.example/refresh",
            "identity": {"url": "https://acme.example/me", "fields": {"account": "/id"}},
        },
        "variables": {"shop": {"type": "host_label", "title": "Your shop"}},
        "api": {"base_url": "https://api.acme.example/v1"},
    });
    if let Some(place) = text.pointer_mut(member) {
        *place = value.into();
    } else if let Some(auth) = text["auth"].as_object_mut() {
        auth.insert(member.rsplit('/').next().unwrap_or_default().to_owned(), value.into());
    }
    serde_json::from_value(text).unwrap()
}

fn fixed(value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("shop".to_owned(), value.to_owned())])
}

#[test]
fn every_url_that_gets_the_secret_is_watched() {
    let (before, none) = (manifest("/name", "Acme"), BTreeMap::new());
    let before = Reached::of(&before, &none);
    let elsewhere = "https://evil.example/x";
    for (member, secret, any) in [
        ("/auth/authorization_url", true, true),
        ("/auth/token_url", true, true),
        ("/auth/refresh_url", true, true),
        ("/auth/revocation_url", true, true),
        ("/auth/introspection_url", true, true),
        ("/auth/pushed_authorization_request_url", true, true),
        ("/auth/registration_url", true, true),
        ("/auth/identity/url", false, true),
        ("/api/base_url", false, true),
        ("/auth/issuer", false, false),
        ("/name", false, false),
    ] {
        let after = Reached::of(&manifest(member, elsewhere), &none);
        let evil = "evil.example".to_owned();
        assert_eq!(after.beyond_secret(&before).contains(&evil), secret, "{member}");
        assert_eq!(after.beyond(&before).contains(&evil), any, "{member}");
        let back = before.beyond(&after);
        assert!(back.iter().all(|place| place != "evil.example"), "{member}: {back:?}");
    }
}

#[test]
fn another_path_or_spelling_is_the_same_place() {
    let before = Reached::of(&manifest("/name", "Acme"), &BTreeMap::new());
    for (member, url) in [
        ("/auth/token_url", "https://{shop}.ACME.example/oauth/v2/token"),
        ("/auth/revocation_url", "https://acme.example/v2/revoke?hint=1"),
        ("/auth/revocation_url", "https://{shop}.acme.example/revoke"),
    ] {
        let after = Reached::of(&manifest(member, url), &BTreeMap::new());
        assert_eq!(after.beyond(&before), BTreeSet::new(), "{url}");
    }
}

#[test]
fn what_may_be_filled_in_is_part_of_the_place() {
    let (manifest, none) = (manifest("/name", "Acme"), BTreeMap::new());
    let free = Reached::of(&manifest, &none);
    let mut wider = manifest.clone();
    let shop = wider.variables.get_mut("shop").unwrap();
    shop.title = "Another label".into();
    assert_eq!(Reached::of(&wider, &none), free, "its label is not");
    let shop = wider.variables.get_mut("shop").unwrap();
    shop.default = Some("evil".into());
    assert!(!Reached::of(&wider, &none).beyond_secret(&free).is_empty());

    let (ours, theirs) = (Reached::of(&manifest, &fixed("ours")), Reached::of(&manifest, &fixed("theirs")));
    assert!(ours.secret.contains("ours.acme.example"), "{ours:?}");
    assert_eq!(theirs.beyond_secret(&ours), BTreeSet::from(["theirs.acme.example".to_owned()]));
    assert_eq!(Reached::of(&manifest, &fixed("OURS")), ours);
}
