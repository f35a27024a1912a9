//! Whatever is filled in, the URL keeps scheme, authority and depth.

use mortise_connectors::{Manifest, TemplateError, Values, expand_url, parse, resolve_values};
use proptest::prelude::*;

const TEMPLATE: &str = "https://{host}.acme.example:8443/oauth/{segment}/token?fixed=1";

fn manifest() -> Manifest {
    let text = format!(
        "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: client_credentials\n  token_url: '{TEMPLATE}'\nvariables:\n  \
         host: {{type: host_label, title: Host}}\n  segment: {{type: path_segment, title: Segment}}\n"
    );
    parse(&text).expect("a manifest")
}

fn values(host: &str, segment: &str) -> Values {
    Values::from([("host".to_owned(), host.to_owned()), ("segment".to_owned(), segment.to_owned())])
}

#[test]
fn hostile_values_are_refused() {
    let manifest = manifest();
    let long = "x".repeat(300);
    for value in [
        "evil.com/",
        "evil.com#",
        "evil.com?",
        "evil.com",
        "a@evil.com",
        "a:b@evil.com",
        "..%2f",
        "..",
        "../..",
        ".",
        "%0d%0a",
        "\r\n",
        "\0",
        "a\\b",
        "\\\\evil.com",
        "evil。com",
        "evil．com",
        "evil｡com",
        ":8080",
        "a:8080",
        "",
        " ",
        "a b",
        "a\tb",
        "{host}",
        "[::1]",
        "%00",
        "ａ",
        "é",
        "/",
        "//evil.com",
        "?",
        "#",
        "&a=b",
        ";",
        "\u{202e}",
        &long,
    ] {
        for given in [values(value, "ok"), values("ok", value)] {
            // A dotted name is a fine segment of a path; it is only no label of a host.
            if value == "evil.com" && given["segment"] == value {
                continue;
            }
            let expanded = expand_url(TEMPLATE, &manifest, &given);
            assert!(matches!(expanded, Err(TemplateError::BadValue { .. })), "{value:?}: {expanded:?}");
            assert!(resolve_values(&manifest, &given).is_err(), "{value:?}");
            let error = expanded.expect_err("refused").to_string();
            assert!(value.len() < 4 || !error.contains(value), "the value is repeated: {error}");
        }
    }
    assert!(expand_url(TEMPLATE, &manifest, &Values::new()).is_err());
}

#[test]
fn harmless_values_are_put_in_their_place() {
    let url = expand_url(TEMPLATE, &manifest(), &values("My-Shop", "a.b~c_1")).expect("a URL");
    assert_eq!(url.as_str(), "https://my-shop.acme.example:8443/oauth/a.b~c_1/token?fixed=1");
}

/// Anything at all, and things that are nearly right.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-zA-Z0-9.@:/?#%\\\\\\-_~]{0,70}", "[a-z0-9-]{1,63}", "[%.][0-9a-fA-F.]{0,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_value_moves_the_url(host in value(), segment in value()) {
        if let Ok(url) = expand_url(TEMPLATE, &manifest(), &values(&host, &segment)) {
            prop_assert_eq!(url.scheme(), "https");
            prop_assert_eq!(url.port(), Some(8443));
            prop_assert_eq!(url.host_str().map(str::to_owned), Some(format!("{}.acme.example", host.to_ascii_lowercase())));
            prop_assert_eq!(url.path(), format!("/oauth/{segment}/token"));
            prop_assert_eq!(url.query(), Some("fixed=1"));
            prop_assert_eq!((url.username(), url.password(), url.fragment()), ("", None, None));
            prop_assert_eq!(url.path_segments().map(Iterator::count), Some(3));
            prop_assert!(!host.contains('.'));
        }
    }

    #[test]
    fn what_resolves_expands(host in value(), segment in value()) {
        let manifest = manifest();
        let given = values(&host, &segment);
        let expanded = expand_url(TEMPLATE, &manifest, &given);
        prop_assert_eq!(resolve_values(&manifest, &given).is_ok(), expanded.is_ok());
    }
}
