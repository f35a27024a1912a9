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
fn e06_hostile_values_are_refused() {
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
        "evil.com/..",
        "evil.com%2f",
        "evil.com%23",
        "evil.com:443",
        "evil.com\\",
        "a%2eb",
        "a%00b",
        "a%0ab",
        "a%2fb",
        "a%5cb",
        "%2e%2e",
        "%2e",
        "..;",
        "a;b",
        "a,b",
        "a=b",
        "a+b",
        "a|b",
        "a^b",
        "a`b",
        "a'b",
        "a\"b",
        "a<b",
        "a>b",
        "a*b",
        "(a)",
        "[a]",
        "{a}",
        "$a",
        "${a}",
        "#{a}",
        "{{a}}",
        "a!",
        "a\u{0}",
        "a\u{85}b",
        "a\u{a0}b",
        "a\u{200b}b",
        "a\u{200d}b",
        "a\u{2028}b",
        "a\u{feff}",
        "a\u{ff0e}b",
        "a\u{2024}b",
        "a\u{fe52}b",
        "ß",
        "ſ",
        "\u{212a}",
        "０",
        "x\r\nhost: evil.com",
        "x HTTP/1.1\r\n",
        "\u{1b}[2J",
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
    fn e06_no_value_moves_the_url(host in value(), segment in value()) {
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

/// A whole host under a fixed suffix, and an end of a host out of a list.
fn hosts() -> Manifest {
    let text = "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: authorization_code\n  \
                authorization_url: 'https://{domain}:8443/{segment}/x'\n  token_url: 'https://{host}.acme.{end}/t'\nvariables:\n  \
                domain: {type: domain, suffix: my.acme.example, title: D}\n  segment: {type: path_segment, title: S}\n  \
                host: {type: host_label, title: H}\n  end: {type: enum, title: E, values: [example, co.example]}\n";
    parse(text).unwrap_or_else(|found| panic!("{found:#?}"))
}

const DOMAIN_URL: &str = "https://{domain}:8443/{segment}/x";
const END_URL: &str = "https://{host}.acme.{end}/t";

fn given(pairs: &[(&str, &str)]) -> Values {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_domain_keeps_its_suffix_and_an_end_is_one_of_the_authors() {
    let manifest = hosts();
    let url = |domain: &str| expand_url(DOMAIN_URL, &manifest, &given(&[("domain", domain), ("segment", "s")]));
    for good in ["shop.my.acme.example", "a.b.c.my.acme.example", "Shop.MY.acme.example"] {
        let expected = format!("https://{}:8443/s/x", good.to_ascii_lowercase());
        assert_eq!(url(good).expect(good).as_str(), expected);
    }
    for bad in [
        "my.acme.example",
        ".my.acme.example",
        "a.b.c.d.my.acme.example",
        "evilmy.acme.example",
        "shop.my.acme.example.evil.example",
        "evil.example/.my.acme.example",
        "evil.example#.my.acme.example",
        "a@b.my.acme.example",
        "shop.my.acme.example:1",
        "shop.my.acme.example.",
        "xn--a.my.acme.example",
        "a..my.acme.example",
        "shop.my.acme.example/",
        "",
    ] {
        assert!(matches!(url(bad), Err(TemplateError::BadValue { .. })), "{bad}");
    }
    let url = |host: &str, end: &str| expand_url(END_URL, &manifest, &given(&[("host", host), ("end", end)]));
    assert_eq!(url("a", "co.example").expect("a URL").as_str(), "https://a.acme.co.example/t");
    for (host, end) in [("a", "evil.example"), ("a.b", "example"), ("a", "example/"), ("a", "")] {
        assert!(url(host, end).is_err(), "{host} {end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn e06_no_domain_leaves_its_suffix(front in value(), segment in value()) {
        let manifest = hosts();
        for domain in [front.clone(), format!("{front}.my.acme.example")] {
            let Ok(url) = expand_url(DOMAIN_URL, &manifest, &given(&[("domain", &domain), ("segment", &segment)])) else { continue };
            let host = url.host_str().unwrap_or_default();
            prop_assert!(host.ends_with(".my.acme.example") && host == domain.to_ascii_lowercase());
            prop_assert!((4..=6).contains(&host.split('.').count()));
            prop_assert_eq!((url.scheme(), url.port(), url.path_segments().map(Iterator::count)), ("https", Some(8443), Some(2)));
            prop_assert_eq!((url.username(), url.password(), url.query(), url.fragment()), ("", None, None, None));
        }
    }
}
