//! URLs of a manifest: where a variable may stand, and which hosts are hosts.
//!
//! Invariant: the scheme, the port, the query and, but for a variable of type `host`, the end of the host are the author's,
//! whatever anybody fills in.

use super::extras::RESERVED;
use super::{Findings, stand_ins};
use crate::diagnostic::Code;
use crate::manifest::ApiFieldKind;
use crate::template::{PLACEHOLDER, Parts, is_host_end, is_path_segment, parts};
use crate::told::STAND_IN;
use crate::{Manifest, Variable, VariableKind};
use url::{Host, Url};

const LONGEST: usize = 2000;
const WHOLE: &str = "a domain or a host is the whole host, such as https://{domain}/oauth/token";
const LISTED: &str = "the values of an enum in the host are parts of host names, such as eu, com or acme.example";
const TEXT: &str = "a text cannot stand in a URL: use it in a parameter or a header, or make it a path_segment";

pub(super) fn check(manifest: &Manifest, found: &mut Findings) {
    for (path, text) in manifest.auth.urls() {
        template(manifest, path, text, found);
    }
    if let Some(api) = &manifest.api {
        base_url(manifest, &api.base_url, found);
    }
    let issuer = manifest.oauth2().and_then(|auth| auth.issuer.as_ref());
    for (path, text) in [("/docs_url", manifest.docs_url.as_ref()), ("/auth/issuer", issuer)] {
        if let Some(Err(fault)) = text.map(|text| fixed_url(text)) {
            found.add(Code::BadUrl, path, fault);
        }
    }
    if issuer.is_some_and(|issuer| issuer.contains('?')) {
        found.add(Code::BadUrl, "/auth/issuer", "an issuer has no query (RFC 8414 section 2)");
    }
}

fn template(manifest: &Manifest, path: &str, text: &str, found: &mut Findings) {
    found.template(manifest, path, text);
    let Ok(Parts { literals, names }) = parts(text) else { return };
    if let (true, Some(meant)) = (text.contains("${"), stand_ins::meant(text)) {
        found.add(Code::BadTemplate, path, format!("no `$` stands before a brace: {meant}"));
    }
    match plain_url(&literals.join(PLACEHOLDER)) {
        Err(fault) => {
            let way_out = stand_ins::meant(text).map_or(String::new(), |meant| format!(". For a variable, {meant}"));
            found.add(Code::BadUrl, path, format!("{fault}{way_out}"));
        }
        Ok(url) => {
            stand_ins::check(path, text, found);
            if let Err(fault) = check_variables(manifest, text, &url, &names) {
                found.add(Code::BadUrl, path, fault).about("/variables");
            }
            for (name, _) in url.query_pairs().filter(|(name, _)| RESERVED.contains(&name.as_ref())) {
                let message = format!("`{name}` belongs to the protocol, which sets it itself: take it out of the URL");
                found.add(Code::ReservedParameter, path, message);
            }
        }
    }
}

/// The base of the API may be made of what the provider tells, too.
fn base_url(manifest: &Manifest, text: &str, found: &mut Findings) {
    const PATH: &str = "/api/base_url";
    const FIRST: &str = "a field of type `url` stands at the very beginning, and a path may follow: {instance_url}/v1";
    let (widened, leading) = (manifest.with_told_fields(), manifest.leading_url(text));
    let rest = leading.map_or(text, |(_, rest)| rest);
    let is_url = |name: &&str| {
        let fields = manifest.api.as_ref().map(|api| &api.fields);
        fields.and_then(|fields| fields.get(*name)).is_some_and(|field| field.kind == ApiFieldKind::Url)
    };
    let astray = parts(rest).is_ok_and(|parts| parts.names.iter().any(is_url));
    if astray || leading.is_some() && !(rest.is_empty() || rest.starts_with('/')) {
        found.add(Code::BadUrl, PATH, FIRST).about("/api/fields");
    } else if leading.is_some() {
        template(&widened, PATH, &format!("{STAND_IN}{rest}"), found);
    } else {
        template(&widened, PATH, text, found);
    }
}

pub(super) fn fixed_url(text: &str) -> Result<Url, &'static str> {
    if text.contains(['{', '}']) { Err("no variables here: write the whole URL out") } else { plain_url(text) }
}

/// A URL that says what it seems to say.
pub(crate) fn plain_url(text: &str) -> Result<Url, &'static str> {
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
    let value = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let alone = value.starts_with('{') && value.ends_with('}') && value.matches('{').count() == 1;
        !name.contains('{') && (!value.contains('{') || alone)
    };
    if !query.split('&').all(value) {
        return Err(
            "a variable in the query is a whole value, such as ?key={key}, unless the extra parameters can have it",
        );
    }
    check_host(manifest, authority)?;
    if authority.contains('{') && url.scheme() != "https" {
        return Err("a variable in the host needs https");
    }
    let whole = |segment: &str| {
        !segment.contains('{')
            || (segment.starts_with('{') && segment.ends_with('}') && segment.matches('{').count() == 1)
    };
    if !path.split('/').all(whole) {
        return Err("a variable in the path is a whole segment, such as /{tenant}/");
    }
    for variable in variables_of(manifest, path).into_iter().chain(variables_of(manifest, query)) {
        match variable.kind {
            VariableKind::Enum if !variable.values.iter().all(|value| is_path_segment(value)) => {
                return Err("the values of an enum in the path are letters, digits and - . _ ~");
            }
            VariableKind::Text => return Err(TEXT),
            VariableKind::HostLabel
            | VariableKind::Domain
            | VariableKind::Host
            | VariableKind::PathSegment
            | VariableKind::Enum => {}
        }
    }
    Ok(())
}

/// Whatever is filled in, the end of the host is one that the author wrote: behind the variable, as the `suffix` of its
/// `domain`, or as a value of an `enum` that stands last.
fn check_host(manifest: &Manifest, authority: &str) -> Result<(), &'static str> {
    const FIXED: &str = "a variable in the host needs a fixed end behind it, such as {subdomain}.provider.example, or is of type `host`";
    let Some((before, suffix)) = authority.rsplit_once('}') else { return Ok(()) };
    let (host, port) = suffix.split_once(':').map_or((suffix, None), |(host, port)| (host, Some(port)));
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err(FIXED);
    }
    if let Some(hosts) = written_out(manifest, authority) {
        return if hosts { Ok(()) } else { Err(LISTED) };
    }
    let last = before.rsplit_once('{').and_then(|(_, name)| manifest.variables.get(name));
    let rest = match last {
        Some(variable) if matches!(variable.kind, VariableKind::Domain | VariableKind::Host) => {
            let alone = host.is_empty() && before.starts_with('{') && before.matches('{').count() == 1;
            return if alone { Ok(()) } else { Err(WHOLE) };
        }
        Some(variable) if variable.kind == VariableKind::Enum && host.is_empty() => {
            let front = before.rsplit_once('{').map_or("", |(front, _)| front);
            let ends = |value: &String| is_host_end(value) && has_fixed_end(&format!("{front}{value}"));
            if !variable.values.iter().all(ends) {
                return Err(LISTED);
            }
            front
        }
        Some(_) | None if has_fixed_end(authority) => authority,
        Some(_) | None => return Err(FIXED),
    };
    for variable in variables_of(manifest, rest) {
        match variable.kind {
            // The author wrote them, dots and all.
            VariableKind::Enum if !variable.values.iter().all(|value| is_host_end(value)) => {
                return Err("the values of an enum in the host are letters, digits, inner hyphens and dots");
            }
            VariableKind::PathSegment => {
                return Err("a variable in the host is a host_label, an enum, a domain or a host");
            }
            VariableKind::Domain | VariableKind::Host => return Err(WHOLE),
            VariableKind::Text => return Err(TEXT),
            VariableKind::HostLabel | VariableKind::Enum => {}
        }
    }
    Ok(())
}

/// Whether a host of enums alone is one whatever is chosen: its author wrote all of it. `None`: something else stands in it.
fn written_out(manifest: &Manifest, authority: &str) -> Option<bool> {
    let Parts { literals, names } = parts(authority).ok()?;
    let variables: Option<Vec<_>> = names.iter().map(|name| manifest.variables.get(*name)).collect();
    let variables = variables?;
    if variables.iter().any(|variable| variable.kind != VariableKind::Enum) {
        return None;
    }
    let good = variables.iter().all(|variable| variable.values.iter().all(|value| is_host_end(value)));
    // Every value is labels with dots between them, so the first of each stands for all.
    let chosen = |index: usize| variables.get(index).and_then(|variable| variable.values.first());
    let pieces = literals.iter().enumerate();
    let host: String = pieces.map(|(at, text)| format!("{text}{}", chosen(at).map_or("", String::as_str))).collect();
    let host = host.split(':').next().unwrap_or_default();
    Some(good && host.contains('.') && is_host_end(host))
}

/// Whether two labels or more stand behind the label with the last variable: `api-{region}.x.example` and
/// `{shop}-eu.x.example` are fine.
fn has_fixed_end(authority: &str) -> bool {
    let behind = authority.rsplit_once('}').map_or(authority, |(_, behind)| behind);
    let host = behind.split_once(':').map_or(behind, |(host, _)| host);
    host.split_once('.').is_some_and(|(_, fixed)| fixed.contains('.') && !fixed.starts_with('.'))
}

/// The variables that a part of a URL names.
fn variables_of<'a>(manifest: &'a Manifest, text: &str) -> Vec<&'a Variable> {
    let names = parts(text).map(|parts| parts.names).unwrap_or_default();
    names.into_iter().filter_map(|name| manifest.variables.get(name)).collect()
}
