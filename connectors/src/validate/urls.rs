//! URLs of a manifest: where a variable may stand, and which hosts are hosts.

use super::{Findings, template};
use crate::template::{Parts, parts};
use crate::{Manifest, VariableKind};
use url::{Host, Url};

pub(super) fn check(manifest: &Manifest, found: &mut Findings) {
    let auth = &manifest.auth;
    let urls = [
        ("/auth/authorization_url", auth.authorization_url.as_ref()),
        ("/auth/token_url", Some(&auth.token_url)),
        ("/auth/refresh_url", auth.refresh_url.as_ref()),
        ("/auth/revocation_url", auth.revocation_url.as_ref()),
        ("/api/base_url", manifest.api.as_ref().map(|api| &api.base_url)),
        ("/docs_url", manifest.docs_url.as_ref()),
    ];
    for (path, text) in urls.into_iter().filter_map(|(path, text)| Some((path, text?))) {
        template(manifest, path, text, found);
        if let Err(fault) = check_url(manifest, text) {
            found.error("bad_url", path, fault);
        }
    }
    if let Some(issuer) = &auth.issuer
        && (Url::parse(issuer).is_err() || issuer.contains(['?', '#', '{']))
    {
        found.error("bad_url", "/auth/issuer", "an issuer is a plain URL without query, fragment and variables");
    }
}

fn check_url(manifest: &Manifest, text: &str) -> Result<(), &'static str> {
    let Ok(Parts { literals, names }) = parts(text) else { return Ok(()) };
    if text.len() > 2000 {
        return Err("use at most 2000 bytes");
    }
    let url =
        Url::parse(&literals.join("x")).map_err(|_| "use a whole URL, such as https://provider.example/oauth/token")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("leave out user name and password");
    }
    if url.fragment().is_some() {
        return Err("leave out the fragment");
    }
    let loopback_or_private = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_private(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        None => return Err("name a host"),
    };
    match (url.scheme(), loopback_or_private, matches!(url.host(), Some(Host::Domain(_)))) {
        ("http", true, _) => {}
        ("http", false, _) => return Err("use https (http is for loopback and private addresses only)"),
        ("https", _, true) => {}
        ("https", _, false) => return Err("use a host name: an address has no certificate to check"),
        _ => return Err("use https"),
    }
    check_variables(manifest, text, &names)
}

/// Variables stand in labels left of a fixed suffix of at least two labels, or in whole segments of the path.
fn check_variables(manifest: &Manifest, text: &str, names: &[&str]) -> Result<(), &'static str> {
    if names.is_empty() {
        return Ok(());
    }
    let (scheme, rest) = text.split_once("://").ok_or("leave the scheme alone")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if scheme.contains('{') {
        return Err("a variable cannot stand in the scheme");
    }
    if let Some((_, suffix)) = authority.rsplit_once('}') {
        let fixed = suffix.strip_prefix('.').is_some_and(|suffix| suffix.contains('.') && !suffix.contains(':'));
        if !fixed {
            return Err("a variable in the host needs a fixed suffix behind it, such as {subdomain}.provider.example");
        }
    }
    let kind = |name: &str| manifest.variables.get(name).map(|variable| variable.kind);
    let host = parts(authority).map(|parts| parts.names).unwrap_or_default();
    let host_like = |values: &[String]| {
        values.iter().all(|v| v.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.'))
    };
    for name in host {
        match kind(name) {
            Some(VariableKind::PathSegment) => return Err("a variable in the host is a host_label or an enum"),
            Some(VariableKind::Enum) if !manifest.variables.get(name).is_some_and(|v| host_like(&v.values)) => {
                return Err("the values of an enum in the host are letters, digits, hyphens and dots");
            }
            Some(VariableKind::HostLabel | VariableKind::Enum) | None => {}
        }
    }
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    if query.contains('{') {
        return Err("a variable cannot stand in the query: use the extra parameters");
    }
    let whole = |segment: &str| {
        !segment.contains('{') || (segment.starts_with('{') && segment.find('}') == Some(segment.len() - 1))
    };
    if path.split('/').all(whole) { Ok(()) } else { Err("a variable in the path is a whole segment") }
}
