//! OAuth 1.0: parameters that are not the protocol's own, and a secret that is never sent in the clear.

use super::extras::params_beside;
use super::pointers::{field_name, pointer_at};
use super::{Findings, escape};
use crate::diagnostic::Code;
use crate::{Manifest, OAuth1, SignatureMethod};
use std::collections::BTreeMap;

const MOST: usize = 50;
/// What a form has for the secrets of the protocol (RFC 5849 section 2).
const SECRETS: [&str; 3] = ["/oauth_token", "/oauth_token_secret", "/oauth_session_handle"];

pub(super) fn check(manifest: &Manifest, auth: &OAuth1, found: &mut Findings) {
    params(manifest, "request_token_params", &auth.request_token_params, &auth.request_token_url, found);
    params(manifest, "authorization_params", &auth.authorization_params, &auth.authorization_url, found);
    if auth.signature_method == SignatureMethod::Plaintext {
        for (path, url) in auth.urls() {
            if url.starts_with("http:") {
                let message = "PLAINTEXT sends both secrets as they are: use https, or a signature";
                found.add(Code::BadUrl, path, message).about("/auth/signature_method");
            }
        }
    }
    if auth.realm.as_ref().is_some_and(|realm| !is_realm(realm)) {
        let message = "a realm is 1 to 200 printable ASCII characters without quotes and backslashes";
        found.add(Code::BadHeader, "/auth/realm", message);
    }
    for (name, at) in &auth.token_response.extra {
        let path = format!("/auth/token_response/extra/{}", escape(name));
        field_name(&path, name, found);
        pointer_at(path.clone(), at, found);
        if SECRETS.contains(&at.as_str()) || at.is_empty() {
            let message = "a token or its secret is never handed out as a field: remove it";
            found.add(Code::ExposesToken, path, message);
        }
    }
    if auth.token_response.extra.len() > MOST {
        let message = format!("{} entries: use at most {MOST}", auth.token_response.extra.len());
        found.add(Code::TooMany, "/auth/token_response/extra", message);
    }
    if !manifest.scopes.is_empty() {
        let message = "OAuth 1.0 knows no scopes: what is asked for belongs into the extra parameters: remove them";
        found.add(Code::IgnoredMember, "/scopes", message).at_name().about("/auth/type");
    }
}

fn params(manifest: &Manifest, list: &str, given: &BTreeMap<String, String>, url: &str, found: &mut Findings) {
    let reserved = |name: &str| name.to_ascii_lowercase().starts_with("oauth_");
    params_beside(manifest, list, given, Some(url), reserved, found);
}

/// What may stand between quotes in a header.
fn is_realm(text: &str) -> bool {
    let plain = |b: u8| (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\';
    (1..=200).contains(&text.len()) && text.bytes().all(plain)
}
