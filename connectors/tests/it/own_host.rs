//! A whole host that somebody fills in: it names a host and nothing else, and who may say it depends on whose secret goes there.

use mortise_connectors::{Manifest, TemplateError, Values, expand_url, lint, parse, resolve_values};
use proptest::prelude::*;

const URL: &str = "https://{host}:8443/oauth/{segment}/token?fixed=1&of={segment}";

fn manifest() -> Manifest {
    let text = format!(
        "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: client_credentials\n  token_url: '{URL}'\nvariables:\n  \
         host: {{type: host, title: Host}}\n  segment: {{type: path_segment, title: Segment}}\n"
    );
    parse(&text).unwrap_or_else(|found| panic!("{found:#?}"))
}

fn values(host: &str, segment: &str) -> Values {
    Values::from([("host".to_owned(), host.to_owned()), ("segment".to_owned(), segment.to_owned())])
}

#[test]
fn a_host_name_is_put_in_its_place() {
    for host in ["crm.acme.example", "acme.example", "A-1.b.c.d.e.f.Example", "1.acme.example", "crm.corp.internal"] {
        let url = expand_url(URL, &manifest(), &values(host, "s")).expect(host);
        assert_eq!(url.as_str(), format!("https://{}:8443/oauth/s/token?fixed=1&of=s", host.to_ascii_lowercase()));
    }
}

/// Row E06 of the hostile inputs: nothing but a host name with dots between plain labels and a word at its end.
#[test]
fn e06_what_is_no_host_name_is_refused() {
    let long = format!("{}example.com", "x.".repeat(130));
    for host in [
        "",
        " ",
        "localhost",
        "acme",
        "acme.example.",
        ".acme.example",
        "acme..example",
        "acme.example/",
        "acme.example/evil",
        "acme.example#",
        "acme.example?",
        "acme.example:8080",
        ":8080",
        "user@acme.example",
        "a:b@acme.example",
        "https://acme.example",
        "//acme.example",
        "acme.example\\",
        "acme\\.example",
        "..%2f",
        "acme%2eexample",
        "%0d%0a",
        "acme.example\r\nx: y",
        "acme.example\0",
        "acme。example",
        "acme．example",
        "acme｡example",
        "ａcme.example",
        "bücher.example",
        "xn--bcher-kva.example",
        "acme.xn--p1ai",
        "-acme.example",
        "acme-.example",
        "ac_me.example",
        "127.0.0.1",
        "169.254.169.254",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f.0x0.0x0.0x1",
        "0177.0.0.1",
        "acme.0x7f",
        "acme.1",
        "[::1]",
        "::1",
        "[::ffff:127.0.0.1]",
        "fe80::1%25eth0",
        "{host}.example",
        "acme.e",
        "\u{202e}acme.example",
        long.as_str(),
    ] {
        let given = values(host, "s");
        let expanded = expand_url(URL, &manifest(), &given);
        assert!(matches!(expanded, Err(TemplateError::BadValue { .. })), "{host:?}: {expanded:?}");
        assert!(resolve_values(&manifest(), &given).is_err(), "{host:?}");
    }
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-zA-Z0-9.@:/?#%\\\\\\-_~]{0,70}",
        "[a-z0-9-]{1,9}(\\.[a-z0-9-]{1,9}){1,4}",
        "[0-9x]{1,4}(\\.[0-9xa-f]{1,4}){0,3}"
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn whatever_is_filled_in_only_the_host_is_filled_in(host in value(), segment in value()) {
        let Ok(url) = expand_url(URL, &manifest(), &values(&host, &segment)) else { return Ok(()) };
        let query = format!("fixed=1&of={segment}");
        prop_assert_eq!((url.scheme(), url.port(), url.query()), ("https", Some(8443), Some(query.as_str())));
        prop_assert_eq!(url.host_str().map(str::to_owned), Some(host.to_ascii_lowercase()));
        prop_assert!(matches!(url.host(), Some(url::Host::Domain(name)) if name.contains('.') && !name.ends_with('.')));
        prop_assert_eq!(url.path(), format!("/oauth/{segment}/token"));
        prop_assert_eq!((url.username(), url.password(), url.fragment()), ("", None, None));
    }
}

fn found(auth: &str, variables: &str) -> Vec<String> {
    let text = format!("id: acme\nname: Acme\nauth: {auth}\nvariables: {variables}\n");
    lint(&text).into_iter().map(|d| format!("{} {}", d.code, d.path)).collect()
}

#[test]
fn a_host_stands_alone_in_front_of_the_path() {
    let cc = |url: &str| format!("{{type: oauth2, grant: client_credentials, token_url: '{url}'}}");
    let host = "{h: {type: host, title: H}}";
    for good in ["https://{h}/t", "https://{h}:8443/t", "https://acme.example/{h}/t"] {
        assert_eq!(found(&cc(good), host), Vec::<String>::new(), "{good}");
    }
    for bad in ["https://{h}.acme.example/t", "https://api.{h}/t", "https://a-{h}/t", "http://{h}/t", "https://{h}:x/t"]
    {
        assert_eq!(found(&cc(bad), host), ["bad_url /auth/token_url"], "{bad}");
    }
}

#[test]
fn where_the_apps_secret_goes_only_the_app_says_and_nothing_is_presumed() {
    let manifest = manifest();
    assert!(manifest.only_the_app_fills("host"));
    assert!(!manifest.only_the_app_fills("segment") && !manifest.only_the_app_fills("nobody"));
    let oauth2 = "{type: oauth2, grant: client_credentials, token_url: 'https://{h}/t'}";
    let presumed = "{h: {type: host, title: H, default: acme.example}}";
    assert_eq!(found(oauth2, presumed), ["ignored_member /variables/h/default"]);
    let pasted = "{type: basic, verification: {url: 'https://{h}/t'}}";
    assert_eq!(found(pasted, presumed), Vec::<String>::new(), "what customers paste is theirs");
    let pasted = parse(&format!("id: a\nname: A\nauth: {pasted}\nvariables: {presumed}\n"));
    assert!(!pasted.expect("a manifest").only_the_app_fills("h"));
    assert_eq!(
        found(oauth2, "{h: {type: host, title: H, suffix: acme.example}}"),
        ["ignored_member /variables/h/suffix"]
    );
}
