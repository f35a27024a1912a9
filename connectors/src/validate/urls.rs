//! URLs of a manifest: where a variable may stand, and which hosts are hosts.
//!
//! Invariant: the scheme, the port, the query and the end of the host are the author's, whatever anybody fills in.

use super::Findings;
use super::extras::RESERVED;
use crate::diagnostic::Code;
use crate::template::{PLACEHOLDER, Parts, is_host_label, is_path_segment, parts};
use crate::{Manifest, VariableKind};
use url::{Host, Url};

const LONGEST: usize = 2000;

pub(super) fn check(manifest: &Manifest, found: &mut Findings) {
    let auth = &manifest.auth;
    let base = manifest.api.as_ref().map(|api| ("/api/base_url", &api.base_url));
    for (path, text) in auth.urls().chain(base) {
        found.template(manifest, path, text);
        let Ok(Parts { literals, names }) = parts(text) else { continue };
        match plain_url(&literals.join(PLACEHOLDER)) {
            Err(fault) => {
                found.add(Code::BadUrl, path, fault);
            }
            Ok(url) => {
                if let Err(fault) = check_variables(manifest, text, &url, &names) {
                    found.add(Code::BadUrl, path, fault).about("/variables");
                }
                for (name, _) in url.query_pairs().filter(|(name, _)| RESERVED.contains(&name.as_ref())) {
                    let message =
                        format!("`{name}` belongs to the protocol, which sets it itself: take it out of the URL");
                    found.add(Code::ReservedParameter, path, message);
                }
            }
        }
    }
    for (path, text) in [("/docs_url", manifest.docs_url.as_ref()), ("/auth/issuer", auth.issuer.as_ref())] {
        if let Some(Err(fault)) = text.map(|text| fixed_url(text)) {
            found.add(Code::BadUrl, path, fault);
        }
    }
    if auth.issuer.as_ref().is_some_and(|issuer| issuer.contains('?')) {
        found.add(Code::BadUrl, "/auth/issuer", "an issuer has no query (RFC 8414 section 2)");
    }
}

fn fixed_url(text: &str) -> Result<Url, &'static str> {
    if text.contains(['{', '}']) { Err("no variables here: write the whole URL out") } else { plain_url(text) }
}

/// A URL that says what it seems to say.
fn plain_url(text: &str) -> Result<Url, &'static str> {
    if text.len() > LONGEST {
        return Err("a URL is at most 2000 bytes long");
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&b);
    if !text.bytes().all(allowed) {
        return Err(
            "only ASCII letters, digits and the URL's own punctuation may stand in a URL: write other characters \
                    as %XX, and an international host name as xn--…",
        );
    }
    let url = Url::parse(text).map_err(|_| "use a whole URL, such as https://provider.example/oauth/token")?;
    let after_scheme = text.get(url.scheme().len()..).unwrap_or_default();
    if !after_scheme.starts_with("://") || after_scheme.starts_with(":///") {
        return Err("use a whole URL, such as https://provider.example/oauth/token");
    }
    if text.split(['/', '?', '#']).nth(2).is_some_and(|authority| authority.contains('@')) {
        return Err("leave out user name and password");
    }
    if text.contains('#') {
        return Err("leave out the fragment");
    }
    host_and_scheme(&url)?;
    // The path is compared as written when it is filled in, so it has to be written as it is read.
    let path = text.split('?').next().unwrap_or_default().splitn(4, '/').nth(3).unwrap_or_default();
    if url.path().strip_prefix('/') == Some(path) { Ok(url) } else { Err("write the path without . and .. segments") }
}

fn host_and_scheme(url: &Url) -> Result<(), &'static str> {
    let (named, close) = match url.host() {
        Some(Host::Domain(name)) if name.ends_with('.') => return Err("leave out the dot at the end of the host"),
        Some(Host::Domain(name)) => (true, name == "localhost"),
        Some(Host::Ipv4(ip)) => (false, ip.is_loopback() || ip.is_private()),
        Some(Host::Ipv6(ip)) => (false, ip.is_loopback() || ip.is_unique_local()),
        None => return Err("name a host"),
    };
    match (url.scheme(), named, close) {
        ("https", true, _) | ("http", _, true) => Ok(()),
        ("https", false, _) => Err("use a host name: an address has no certificate to check"),
        ("http", ..) => Err("use https: http is for loopback and private addresses only"),
        _ => Err("use https"),
    }
}

/// Variables stand in labels left of a fixed suffix of at least two labels, or in whole segments of the path.
fn check_variables(manifest: &Manifest, text: &str, url: &Url, names: &[&str]) -> Result<(), &'static str> {
    if names.is_empty() {
        return Ok(());
    }
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    if query.contains('{') {
        return Err("a variable cannot stand in the query: use the extra parameters");
    }
    if let Some((_, suffix)) = authority.rsplit_once('}') {
        let (host, port) = suffix.split_once(':').map_or((suffix, None), |(host, port)| (host, Some(port)));
        // `api-{region}.x.example` and `{shop}-eu.x.example` are fine: the label's rest is behind the first dot.
        let fixed = host.split_once('.').is_some_and(|(_, fixed)| fixed.contains('.') && !fixed.starts_with('.'));
        if !fixed || port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err("a variable in the host needs a fixed end behind it, such as {subdomain}.provider.example");
        }
        if url.scheme() != "https" {
            return Err("a variable in the host needs https");
        }
    }
    let whole = |segment: &str| {
        !segment.contains('{')
            || (segment.starts_with('{') && segment.ends_with('}') && segment.matches('{').count() == 1)
    };
    if !path.split('/').all(whole) {
        return Err("a variable in the path is a whole segment, such as /{tenant}/");
    }
    let all = |text: &str, good: fn(&str) -> bool| {
        parts(text).map(|parts| parts.names).unwrap_or_default().iter().all(|name| {
            match manifest.variables.get(*name) {
                Some(variable) if variable.kind == VariableKind::Enum => {
                    variable.values.iter().all(|value| good(value))
                }
                Some(_) | None => true,
            }
        })
    };
    let in_host = parts(authority).map(|parts| parts.names).unwrap_or_default();
    let segment = |name: &&str| manifest.variables.get(*name).is_some_and(|v| v.kind == VariableKind::PathSegment);
    if in_host.iter().any(segment) {
        return Err("a variable in the host is a host_label or an enum");
    }
    if !all(authority, is_host_label) {
        return Err("the values of an enum in the host are letters, digits and inner hyphens");
    }
    if all(path, is_path_segment) {
        Ok(())
    } else {
        Err("the values of an enum in the path are letters, digits and - . _ ~")
    }
}
