//! What the table of violations does not spell out: URLs, which have most ways to be wrong.

use crate::{Diagnostic, lint};

fn with_token_url(url: &str, variables: &str) -> Vec<Diagnostic> {
    lint(&format!(
        "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: client_credentials\n  token_url: '{url}'\nvariables: {{{variables}}}\n"
    ))
}

const VARIABLES: &str = "s: {type: host_label, title: S}, p: {type: path_segment, title: P}, \
                         e: {type: enum, title: E, values: [eu, us]}, d: {type: enum, title: D, values: [a.b, c/d]}";

fn faults(url: &str) -> Vec<String> {
    let found = with_token_url(url, VARIABLES);
    found.into_iter().filter(|d| d.code != "unused_variable").map(|d| format!("{}: {}", d.code, d.message)).collect()
}

#[test]
fn e05_urls_that_are_refused() {
    for url in [
        "acme.example/token",
        "/token",
        "",
        "https:acme.example",
        "https:///acme.example",
        "ftp://acme.example/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://acme.example/token",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::1]/",
        "http://93.184.216.34/",
        "http://169.254.169.254/latest",
        "http://[fe80::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0/",
        "https://user@acme.example/",
        "https://user:pass@acme.example/",
        "https://@acme.example/",
        "https://acme.example/#x",
        "https://acme.example/#",
        "https://acme.example./",
        "https://acme.example/a/../b",
        "https://acme.example/%2e%2e/b",
        "https://acme.example\\evil.example/",
        "https://acme。example/",
        "https://bücher.example/",
        "https://acme.example/a b",
        "https://acme.example:99999/",
        "https://acme.example:x/",
        "{s}://acme.example/",
        "https://{s}/",
        "https://{s}.example/",
        "https://{s}.example:443/",
        "https://{s}..example.com/",
        "https://acme.{s}/",
        "https://acme.example:{s}/",
        "https://{p}.acme.example/",
        "https://{d}.acme.example/",
        "https://{s}@acme.example/",
        "https://acme.example/x{p}",
        "https://acme.example/{p}x",
        "https://acme.example/{p}{e}",
        "https://acme.example/{d}",
        "https://acme.example/?a=x{p}",
        "https://acme.example/?{p}=a",
        "https://acme.example/?{p}",
        "http://{s}.localhost.example/",
        "http://{s}.0.0.1/",
    ] {
        assert!(!faults(url).is_empty(), "{url}");
    }
}

#[test]
fn urls_that_are_accepted() {
    for url in [
        "https://acme.example",
        "https://acme.example/token",
        "https://ACME.example/Token",
        "https://acme.example:8443/a//b/?x=y&z=%20",
        "https://xn--bcher-kva.example/",
        "https://{s}.acme.example:8443/token",
        "https://{s}.{e}.acme.example/{p}/{e}",
        "https://api-{e}.acme.example/",
        "https://acme.example/{p}",
        "https://acme.example/{s}/x",
        "http://127.0.0.1:8080/f/token",
        "http://localhost:8080/f/token",
        "http://[::1]:8080/f/token",
        "http://10.0.0.5/{p}",
        "http://[fd00::1]/",
    ] {
        assert_eq!(faults(url), Vec::<String>::new(), "{url}");
    }
}

#[test]
fn a_url_of_the_greatest_length_passes_and_one_more_byte_does_not() {
    let url = |length: usize| format!("https://acme.example/{}", "x".repeat(length - 21));
    assert_eq!(faults(&url(2000)), Vec::<String>::new());
    assert_eq!(faults(&url(2001)), ["bad_url: a URL is at most 2000 bytes long"]);
}

#[test]
fn a_variable_is_used_wherever_it_stands() {
    let used = |auth: &str| {
        let text = format!(
            "id: a\nname: A\nauth:\n  type: oauth2\n  grant: authorization_code\n  authorization_url: https://a.example/a\n  \
             token_url: https://a.example/t\n{auth}\nvariables: {{s: {{type: host_label, title: S}}}}\n"
        );
        lint(&text)
    };
    assert_eq!(used("").iter().map(|d| d.code).collect::<Vec<_>>(), ["unused_variable"]);
    for auth in [
        "  revocation_url: https://{s}.a.example/",
        "  introspection_url: https://{s}.a.example/",
        "  refresh_url: https://{s}.a.example/",
        "  authorization_params: {hd: '{s}'}",
        "  token_params: {a: '{s}'}",
        "  refresh_params: {a: '{s}'}",
        "  token_headers: {x-a: '{s}'}",
        "api: {base_url: 'https://{s}.a.example/'}",
    ] {
        assert_eq!(used(auth), [], "{auth}");
    }
    assert_eq!(used("  issuer: https://a.example/{s}").first().map(|d| d.code), Some("bad_url"));
}
