//! The rules beyond types: what has to fit together, and what is never allowed.

mod urls;

use crate::template::parts;
use crate::values::check_value;
use crate::{Auth, ClientAuthentication, Grant, Manifest, RecoveryClass, Severity, VariableKind};
use std::collections::BTreeMap;

/// Ten years, the longest lifetime that anybody means (seconds).
const LONGEST_LIFETIME: u32 = 10 * 365 * 86_400;
/// What the protocol itself says; a manifest's extras must not say otherwise.
const RESERVED: &[&str] = &[
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "nonce",
    "redirect_uri",
    "refresh_token",
    "resource",
    "response_type",
    "scope",
    "state",
];
/// What the HTTP client itself says.
const RESERVED_HEADERS: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// A finding before it has a place.
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) code: &'static str,
    pub(crate) path: String,
    pub(crate) message: String,
}

/// Collects findings.
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    pub(crate) fn error(&mut self, code: &'static str, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Finding { severity: Severity::Error, code, path: path.into(), message: message.into() });
    }

    fn warning(&mut self, code: &'static str, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Finding { severity: Severity::Warning, code, path: path.into(), message: message.into() });
    }
}

/// Every broken rule.
pub(crate) fn validate(manifest: &Manifest) -> Vec<Finding> {
    let mut found = Findings(Vec::new());
    texts(manifest, &mut found);
    variables(manifest, &mut found);
    urls::check(manifest, &mut found);
    grant(&manifest.auth, &mut found);
    extras(manifest, &mut found);
    numbers(&manifest.auth, &mut found);
    pointers(&manifest.auth, &mut found);
    unused(manifest, &mut found);
    found.0
}

fn texts(manifest: &Manifest, found: &mut Findings) {
    let plain = |text: &str, most: usize| {
        (1..=most).contains(&text.trim().chars().count()) && !text.chars().any(char::is_control)
    };
    if !plain(&manifest.name, 80) {
        found.error("bad_text", "/name", "use 1 to 80 characters without control characters");
    }
    if manifest.description.as_deref().is_some_and(|text| !plain(text, 300)) {
        found.error("bad_text", "/description", "use 1 to 300 characters without control characters");
    }
    if manifest.auth.pkce_disabled_reason.as_deref().is_some_and(|text| !plain(text, 300)) {
        found.error(
            "bad_text",
            "/auth/pkce_disabled_reason",
            "say why PKCE has to be left out, in 1 to 300 characters",
        );
    }
    let separator = manifest.auth.scope_separator.as_str();
    if ![" ", ",", "+", ";", "|"].contains(&separator) {
        found.error("bad_separator", "/auth/scope_separator", "use one of: space , + ; |");
    }
    for (scope, meaning) in &manifest.scopes {
        let token = (1..=256).contains(&scope.len())
            && scope.bytes().all(|b| (0x21..0x7f).contains(&b) && b != b'"' && b != b'\\');
        if !token || !plain(meaning, 200) {
            let path = format!("/scopes/{}", escape(scope));
            found.error(
                "bad_scope",
                path,
                "a scope is printable ASCII without spaces; its meaning 1 to 200 characters",
            );
        }
    }
    if manifest.scopes.len() > 500 || manifest.variables.len() > 20 {
        found.error("too_many", "", "use at most 500 scopes and 20 variables");
    }
}

fn variables(manifest: &Manifest, found: &mut Findings) {
    for (name, variable) in &manifest.variables {
        let path = format!("/variables/{}", escape(name));
        let good = (1..=40).contains(&name.len()) && parts(&format!("{{{name}}}")).is_ok();
        if !good {
            found.error("bad_variable", path.as_str(), "a variable's name is lower-case letters, digits and _");
        }
        match (variable.kind, variable.values.is_empty()) {
            (VariableKind::Enum, true) => found.error("no_values", path.as_str(), "an enum needs its `values`"),
            (VariableKind::HostLabel | VariableKind::PathSegment, false) => {
                found.error("ignored_member", format!("{path}/values"), "only an enum has `values`");
            }
            (VariableKind::Enum, false) | (VariableKind::HostLabel | VariableKind::PathSegment, true) => {}
        }
        if let Some(Err(allowed)) = variable.default.as_ref().map(|value| check_value(variable, value)) {
            found.error("bad_default", format!("{path}/default"), allowed);
        }
    }
}

fn grant(auth: &Auth, found: &mut Findings) {
    match (auth.grant, &auth.authorization_url) {
        (Grant::AuthorizationCode, None) => {
            found.error("missing_member", "/auth", "the grant `authorization_code` needs an `authorization_url`");
        }
        (Grant::ClientCredentials, Some(_)) => {
            let message = "the grant `client_credentials` sends nobody to an `authorization_url`: remove it";
            found.error("ignored_member", "/auth/authorization_url", message);
        }
        (Grant::AuthorizationCode, Some(_)) | (Grant::ClientCredentials, None) => {}
    }
    if auth.grant == Grant::ClientCredentials && auth.client_authentication == ClientAuthentication::None {
        let message = "a client without a secret cannot be granted a token by its own credentials";
        found.error("no_credentials", "/auth/client_authentication", message);
    }
    if auth.grant == Grant::ClientCredentials && auth.pkce_disabled_reason.is_some() {
        found.error("ignored_member", "/auth/pkce_disabled_reason", "PKCE belongs to the authorization code grant");
    }
    if auth.recovery_class != RecoveryClass::G && auth.grace.is_some() {
        found.error("ignored_member", "/auth/grace", "only recovery class G has a `grace`");
    }
    if auth.authorization_response_iss_parameter_supported && auth.issuer.is_none() {
        let path = "/auth/authorization_response_iss_parameter_supported";
        found.error("missing_member", path, "an `iss` can only be checked against an `issuer`");
    }
}

fn extras(manifest: &Manifest, found: &mut Findings) {
    let auth = &manifest.auth;
    let lists: [(&str, &BTreeMap<String, String>, &[&str]); 4] = [
        ("authorization_params", &auth.authorization_params, RESERVED),
        ("token_params", &auth.token_params, RESERVED),
        ("refresh_params", &auth.refresh_params, RESERVED),
        ("token_headers", &auth.token_headers, RESERVED_HEADERS),
    ];
    for (list, members, reserved) in lists {
        for (name, value) in members {
            let path = format!("/auth/{list}/{}", escape(name));
            let lower = name.to_ascii_lowercase();
            if reserved.contains(&lower.as_str()) {
                found.error("reserved_parameter", path.as_str(), format!("`{name}` is the protocol's own: remove it"));
            }
            let token = |b: u8| b.is_ascii_alphanumeric() || b"-_.~[]".contains(&b);
            if name.is_empty() || name.len() > 100 || !name.bytes().all(token) {
                found.error("bad_parameter", path.as_str(), "a name is letters, digits and - _ . ~ [ ]");
            }
            if value.len() > 2000 || value.chars().any(char::is_control) {
                found.error("bad_parameter", path.as_str(), "a value is at most 2000 bytes without control characters");
            }
            template(manifest, &path, value, found);
        }
        if members.len() > 50 {
            found.error("too_many", format!("/auth/{list}"), "use at most 50");
        }
    }
}

/// Braces pair up around declared variables.
fn template(manifest: &Manifest, path: &str, text: &str, found: &mut Findings) {
    match parts(text) {
        Err(error) => found.error("bad_template", path, error.to_string()),
        Ok(parts) => {
            for name in parts.names.iter().filter(|name| !manifest.variables.contains_key(**name)) {
                found.error("unknown_variable", path, format!("`{{{name}}}` is not among the `variables`"));
            }
        }
    }
}

fn numbers(auth: &Auth, found: &mut Findings) {
    let numbers =
        [("default_lifetime", auth.default_lifetime), ("refresh_margin", auth.refresh_margin), ("grace", auth.grace)];
    for (name, number) in numbers {
        if number.is_some_and(|n| n == 0 || n > LONGEST_LIFETIME) {
            found.error("out_of_range", format!("/auth/{name}"), format!("use 1 to {LONGEST_LIFETIME} seconds"));
        }
    }
}

fn pointers(auth: &Auth, found: &mut Findings) {
    let reply = &auth.token_response;
    let fixed = [
        ("access_token", &reply.access_token),
        ("token_type", &reply.token_type),
        ("refresh_token", &reply.refresh_token),
        ("expires_in", &reply.expires_in),
        ("scope", &reply.scope),
        ("error", &reply.error),
    ];
    let fixed = fixed.into_iter().map(|(name, pointer)| (name.to_owned(), pointer));
    let ok = reply.ok.iter().map(|pointer| ("ok".to_owned(), pointer));
    let extra = reply.extra.iter().map(|(name, pointer)| (format!("extra/{}", escape(name)), pointer));
    for (name, pointer) in fixed.chain(ok).chain(extra) {
        let good = pointer.starts_with('/') && pointer.len() <= 200 && !pointer.chars().any(char::is_control);
        if !good {
            let path = format!("/auth/token_response/{name}");
            found.error("bad_pointer", path, "use a JSON pointer, such as /data/access_token");
        }
    }
}

fn unused(manifest: &Manifest, found: &mut Findings) {
    let text = crate::canonical_json(manifest);
    for name in manifest.variables.keys().filter(|name| !text.contains(&format!("{{{name}}}"))) {
        found.warning("unused_variable", format!("/variables/{}", escape(name)), "nothing uses this variable");
    }
}

/// A member's name inside a JSON pointer (RFC 6901 section 3).
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
