//! Templates: whatever is filled in, the URL keeps its scheme, its authority and its depth.

use mortise_connectors::{Manifest, Values, expand_text, expand_url, parse, resolve_values};
use std::sync::LazyLock;

const TEMPLATE: &str = "https://{label}.{end}:8443/a/{segment}/token?fixed=1";
const MANIFEST: &str = "\
id: acme
name: Acme
auth:
  type: oauth2
  grant: client_credentials
  token_url: 'https://{label}.{end}:8443/a/{segment}/token?fixed=1'
  revocation_url: 'https://{whole}/revoke'
variables:
  label: {type: host_label, title: Label}
  end: {type: enum, title: End, values: [acme.example, acme.co.example]}
  segment: {type: path_segment, title: Segment}
  whole: {type: domain, title: Domain, suffix: acme.example}
";

static ACME: LazyLock<Manifest> = LazyLock::new(|| parse(MANIFEST).expect("a manifest"));

/// The bytes are the values, one a line, in the order of the variables.
pub fn template(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let names = ["label", "segment", "whole", "end"];
    let mut given: Values = names.iter().zip(text.split('\n')).map(|(name, v)| ((*name).into(), v.into())).collect();
    given.entry("end".to_owned()).or_insert_with(|| "acme.example".to_owned());
    let (url, whole) = (expand_url(TEMPLATE, &ACME, &given), expand_url("https://{whole}/revoke", &ACME, &given));
    if let Ok(url) = &url {
        let host = url.host_str().unwrap_or_default();
        assert!(host.ends_with(".acme.example") || host.ends_with(".acme.co.example"), "{url}");
        let labels = if host.ends_with(".acme.example") { 3 } else { 4 };
        assert_eq!(host.split('.').count(), labels, "{url}");
        assert_eq!(
            (url.scheme(), url.port(), url.query(), url.fragment()),
            ("https", Some(8443), Some("fixed=1"), None)
        );
        assert!(url.username().is_empty() && url.password().is_none(), "{url}");
        let path: Vec<_> = url.path().split('/').collect();
        assert!(path.len() == 4 && path[1] == "a" && path[3] == "token", "{url}");
    }
    if let Ok(whole) = &whole {
        let host = whole.host_str().unwrap_or_default();
        assert!(host.ends_with(".acme.example") && whole.path() == "/revoke" && whole.port().is_none(), "{whole}");
    }
    // What may be stored can be sent: a connection must not fail later for what was filled in at its start.
    if let Ok(resolved) = resolve_values(&ACME, &given) {
        assert!(expand_url(TEMPLATE, &ACME, &resolved).is_ok(), "{resolved:?}");
    }
    if let Ok(line) = expand_text("x-{label}-{segment}", &given) {
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
}
