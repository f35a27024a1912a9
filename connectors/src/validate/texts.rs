//! What people read, and scopes.

use super::{Findings, escape, is_line};
use crate::diagnostic::Code;
use crate::{Manifest, OAuth2};

const SEPARATORS: [&str; 5] = [" ", ",", "+", ";", "|"];
const MOST_SCOPES: usize = 500;

pub(super) fn check(manifest: &Manifest, found: &mut Findings) {
    let auth = manifest.oauth2();
    let lines = [
        ("/name", Some(&manifest.name), 80),
        ("/description", manifest.description.as_ref(), 300),
        ("/auth/pkce_disabled_reason", auth.and_then(|auth| auth.pkce_disabled_reason.as_ref()), 300),
    ];
    for (path, text, most) in lines {
        if text.is_some_and(|text| !is_line(text, most)) {
            found.add(Code::BadText, path, format!("use 1 to {most} characters, without control characters"));
        }
    }
    if let Some(auth) = auth {
        scopes(manifest, auth, found);
    }
}

fn scopes(manifest: &Manifest, auth: &OAuth2, found: &mut Findings) {
    if !SEPARATORS.contains(&auth.scope_separator.as_str()) {
        found.add(Code::BadSeparator, "/auth/scope_separator", "use one of \" \", \",\", \"+\", \";\" and \"|\"");
    }
    for (scope, meaning) in &manifest.scopes {
        let path = format!("/scopes/{}", escape(scope));
        if !is_scope(scope, &auth.scope_separator) {
            bad_scope(found, &path);
        }
        if !is_line(meaning, 200) {
            let message = "say what the scope allows in 1 to 200 characters: customers read it before they consent";
            found.add(Code::BadText, path, message);
        }
    }
    for (index, scope) in auth.default_scopes.iter().enumerate() {
        if !is_scope(scope, &auth.scope_separator) {
            // The set is sorted, so the index is not that of the text: point at the list unless there is but one.
            let path = if index == 0 && auth.default_scopes.iter().count() == 1 { "/0" } else { "" };
            bad_scope(found, &format!("/auth/default_scopes{path}"));
        }
    }
    for (path, count) in
        [("/scopes", manifest.scopes.len()), ("/auth/default_scopes", auth.default_scopes.iter().count())]
    {
        if count > MOST_SCOPES {
            found.add(Code::TooMany, path, format!("{count} scopes: list at most {MOST_SCOPES}"));
        }
    }
}

fn bad_scope(found: &mut Findings, path: &str) {
    let message =
        "a scope is 1 to 256 printable ASCII characters, without spaces, quotes, backslashes and the separator";
    found.add(Code::BadScope, path, message).at_name().about("/auth/scope_separator");
}

/// A scope token (RFC 6749 section 3.3) that survives being joined.
fn is_scope(scope: &str, separator: &str) -> bool {
    (1..=256).contains(&scope.len())
        && scope.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
        && (separator.is_empty() || !scope.contains(separator))
}
