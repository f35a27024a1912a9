//! Extra parameters and headers: nothing that the protocol or the HTTP client says itself.

use super::{Findings, escape};
use crate::diagnostic::Code;
use crate::{Grant, Manifest, OAuth2};
use std::collections::{BTreeMap, BTreeSet};
use url::form_urlencoded;

const MOST: usize = 50;
pub(super) const LONGEST_VALUE: usize = 2000;

/// What the protocol itself says; a manifest's extras must not say otherwise.
pub(super) const RESERVED: &[&str] = &[
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "device_code",
    "grant_type",
    "nonce",
    "redirect_uri",
    "refresh_token",
    "request",
    "request_uri",
    "resource",
    "response_type",
    "scope",
    "state",
];

/// What the HTTP client itself says.
const RESERVED_HEADERS: &[&str] = &[
    "authorization",
    "connection",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

pub(super) fn check(manifest: &Manifest, auth: &OAuth2, found: &mut Findings) {
    let token_url = Some(&auth.token_url);
    let visited = auth.authorization_url.as_ref().or(auth.device_authorization_url.as_ref());
    let refresh_url = auth.refresh_url.as_ref().or(token_url);
    params(manifest, "authorization_params", &auth.authorization_params, visited, found);
    params(manifest, "token_params", &auth.token_params, token_url, found);
    params(manifest, "refresh_params", &auth.refresh_params, refresh_url, found);
    headers(manifest, &auth.token_headers, found);
    let way = if auth.grant == Grant::Implicit { "fragment" } else { "query" };
    if auth.authorization_params.get("response_mode").is_some_and(|mode| mode != way) {
        let message = format!("callbacks are read from the {way} alone: use response_mode: {way}");
        found.add(Code::BadParameter, "/auth/authorization_params/response_mode", message);
    }
}

fn params(
    manifest: &Manifest,
    list: &str,
    members: &BTreeMap<String, String>,
    url: Option<&String>,
    found: &mut Findings,
) {
    let reserved = |name: &str| RESERVED.contains(&name.to_ascii_lowercase().as_str());
    params_beside(manifest, list, members, url.map(String::as_str), reserved, found);
}

/// Extra parameters of a request to `url` that sets those which `reserved` names by itself.
pub(super) fn params_beside(
    manifest: &Manifest,
    list: &str,
    members: &BTreeMap<String, String>,
    url: Option<&str>,
    reserved: fn(&str) -> bool,
    found: &mut Findings,
) {
    let query = url.and_then(|url| url.split_once('?')).map_or("", |(_, query)| query);
    let in_url: BTreeSet<_> = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name.into_owned()).collect();
    for (name, value) in members {
        let path = format!("/auth/{list}/{}", escape(name));
        if reserved(name) {
            let message = format!("`{name}` belongs to the protocol, which sets it itself: remove it");
            found.add(Code::ReservedParameter, path.as_str(), message).at_name();
        } else if !is_param_name(name) {
            let message = "a parameter's name is 1 to 100 letters, digits and - _ . ~ : [ ]";
            found.add(Code::BadParameter, path.as_str(), message).at_name();
        } else if in_url.contains(name) {
            let message = format!("`{name}` stands in the URL too, and no parameter may be sent twice: keep one");
            found.add(Code::BadParameter, path.as_str(), message).at_name();
        }
        if value.len() > LONGEST_VALUE || value.chars().any(char::is_control) {
            let message = format!("a value is at most {LONGEST_VALUE} bytes, without control characters");
            found.add(Code::BadParameter, path.as_str(), message);
        }
        found.template(manifest, &path, value);
    }
    count(list, members, found);
}

fn headers(manifest: &Manifest, members: &BTreeMap<String, String>, found: &mut Findings) {
    let mut seen = BTreeSet::new();
    for (name, value) in members {
        let path = format!("/auth/token_headers/{}", escape(name));
        header(&path, name, value, None, &mut seen, found);
        found.template(manifest, &path, value);
    }
    count("token_headers", members, found);
}

/// One header; `allowed` is one that is otherwise reserved.
pub(super) fn header(
    path: &str,
    name: &str,
    value: &str,
    allowed: Option<&str>,
    seen: &mut BTreeSet<String>,
    found: &mut Findings,
) {
    let lower = name.to_ascii_lowercase();
    if let Some((code, message)) = header_fault(name, allowed) {
        found.add(code, path, message).at_name();
    } else if !seen.insert(lower) {
        let message = format!("`{name}` is given twice in different spelling: keep one");
        found.add(Code::BadHeader, path, message).at_name();
    }
    if value.is_empty() || value.len() > LONGEST_VALUE || !value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        let message = format!("a header's value is 1 to {LONGEST_VALUE} printable ASCII characters on one line");
        found.add(Code::BadHeader, path, message);
    }
}

/// What is wrong with a header's name.
pub(super) fn header_fault(name: &str, allowed: Option<&str>) -> Option<(Code, &'static str)> {
    let lower = name.to_ascii_lowercase();
    let families = ["content-", "proxy-", "sec-"];
    let reserved =
        RESERVED_HEADERS.contains(&lower.as_str()) || families.iter().any(|family| lower.starts_with(family));
    if reserved && allowed != Some(lower.as_str()) {
        Some((Code::ReservedHeader, "this header belongs to the request itself: remove it"))
    } else if !is_header_name(name) {
        let message = "a header's name is 1 to 100 letters, digits and ! # $ % & ' * + - . ^ _ ` | ~";
        Some((Code::BadHeader, message))
    } else {
        None
    }
}

fn count(list: &str, members: &BTreeMap<String, String>, found: &mut Findings) {
    if members.len() > MOST {
        found.add(Code::TooMany, format!("/auth/{list}"), format!("{} entries: use at most {MOST}", members.len()));
    }
}

pub(super) fn is_param_name(name: &str) -> bool {
    (1..=100).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~:[]".contains(&b))
}

/// A token (RFC 9110 section 5.6.2).
fn is_header_name(name: &str) -> bool {
    (1..=100).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
