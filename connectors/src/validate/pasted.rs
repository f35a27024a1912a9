//! What customers paste: fields that can be checked, a call that tries them out, and calls that carry all of them.

use super::extras::{header, is_param_name};
use super::{Findings, escape, is_line};
use crate::diagnostic::Code;
use crate::manifest::{Credential, CredentialKind, Verification};
use crate::pasted::{secrets, whole};
use crate::template::{is_name, parts};
use crate::{Manifest, Pasted, Scheme};
use std::collections::{BTreeMap, BTreeSet};

const MOST: usize = 10;
const LONGEST_PATTERN: usize = 200;
const CREDENTIALS: &str = "/auth/credentials";

/// What an import says beside credentials, so that none may be called that.
const TAKEN: [&str; 4] = ["access_token", "refresh_token", "expires_at", "scopes"];

pub(super) fn check(manifest: &Manifest, pasted: &Pasted<'_>, found: &mut Findings) {
    let credentials = pasted.credentials;
    credentials_of(manifest, credentials, true, found);
    for (name, _) in credentials.iter().filter(|(_, one)| one.kind == CredentialKind::Document) {
        let message = "a document has several lines, which no header takes: use `type: secret`";
        found.add(Code::BadValue, format!("{CREDENTIALS}/{}/type", escape(name)), message).about("/auth/type");
    }
    if let Scheme::ApiKey { key } = pasted.scheme {
        the_key(manifest, key, credentials, found);
    }
    if let Some(call) = pasted.verification {
        statuses(call, found);
    }
    carried(manifest, pasted, found);
    if !manifest.scopes.is_empty() {
        let message =
            "scopes belong to OAuth 2: what a pasted credential may do is decided where it was made: remove them";
        found.add(Code::IgnoredMember, "/scopes", message).at_name().about("/auth/type");
    }
}

/// The fields of the form; `secret`: one of them has to be one.
pub(super) fn credentials_of(
    manifest: &Manifest,
    credentials: &BTreeMap<String, Credential>,
    secret: bool,
    found: &mut Findings,
) {
    if secret && credentials.is_empty() || credentials.len() > MOST {
        let message = format!("{} credentials: ask for 1 to {MOST}", credentials.len());
        found.add(Code::TooMany, CREDENTIALS, message);
    } else if secret && secrets(credentials).next().is_none() {
        let message = "none of these is a secret: give the one that proves who calls `type: secret`";
        found.add(Code::NoCredentials, CREDENTIALS, message);
    }
    for (name, one) in credentials {
        credential(manifest, name, one, found);
    }
}

fn credential(manifest: &Manifest, name: &str, one: &Credential, found: &mut Findings) {
    let path = format!("{CREDENTIALS}/{}", escape(name));
    if !is_name(name) || TAKEN.contains(&name) {
        let message = format!(
            "a credential's name is 1 to 40 lower-case letters, digits and underscores, and none of {}",
            TAKEN.join(", ")
        );
        found.add(Code::BadVariable, path.as_str(), message).at_name();
    } else if manifest.variables.contains_key(name) {
        let message = format!("`{{{name}}}` could be this or the variable of the same name: rename one");
        found.add(Code::BadVariable, path.as_str(), message).at_name().about("/variables");
    }
    let texts = [("title", Some(&one.title), 80), ("description", one.description.as_ref(), 300)];
    for (member, text, most) in texts {
        if text.is_some_and(|text| !is_line(text, most)) {
            let message = format!("use 1 to {most} characters, without control characters");
            found.add(Code::BadText, format!("{path}/{member}"), message);
        }
    }
    if let Some(pattern) = &one.pattern
        && let Err(fault) = compiles(pattern)
    {
        found.add(Code::BadPattern, format!("{path}/pattern"), fault);
    }
    if let Some(example) = &one.example
        && (!is_line(example, 200) || one.check(example).is_err())
    {
        let message = "an example is 1 to 200 printable ASCII characters that the pattern accepts";
        found.add(Code::BadValue, format!("{path}/example"), message).about(format!("{path}/pattern"));
    }
}

fn compiles(pattern: &str) -> Result<(), String> {
    if pattern.is_empty() || pattern.len() > LONGEST_PATTERN {
        return Err(format!("a pattern is 1 to {LONGEST_PATTERN} bytes long"));
    }
    // By itself first: brackets that only pair up with ours would let its parts escape.
    let sound = regex_lite::Regex::new(pattern).and_then(|_| whole(pattern));
    sound.map(|_| ()).map_err(|_| {
        "this is no regular expression of classes, groups and counts such as key-[a-z0-9]{32}, or far too large a one; \
         look-around and back-references do not exist here"
            .to_owned()
    })
}

/// The one credential that a fetch answers with.
fn the_key(manifest: &Manifest, key: &str, credentials: &BTreeMap<String, Credential>, found: &mut Findings) {
    let all: Vec<_> = secrets(credentials).collect();
    let named = matches!(&manifest.auth, crate::Auth::ApiKey(auth) if auth.key.is_some());
    if named && !all.contains(&key) {
        let message = format!("the key is one of the secrets: use {}", all.join(" or "));
        found.add(Code::BadValue, "/auth/key", message).about(CREDENTIALS);
    } else if !named && all.len() > 1 {
        let message = format!("of several secrets, say which one is the key: add `key` with {}", all.join(" or "));
        found.add(Code::MissingMember, "/auth/key", message).about(CREDENTIALS);
    }
}

pub(super) fn statuses(call: &Verification, found: &mut Findings) {
    for (index, status) in call.status.iter().enumerate() {
        let refusal = matches!(*status, 401 | 403 | 407 | 429);
        if !(200..500).contains(status) || (300..400).contains(status) || refusal {
            let message = "use a status by which the provider accepts what was pasted: 200 to 299, or 400 to 499 but not 401, 403, 407 and 429";
            found.add(Code::BadStatus, format!("/auth/verification/status/{index}"), message);
        }
    }
}

/// Every credential is carried somewhere, and nothing else is named.
fn carried(manifest: &Manifest, pasted: &Pasted<'_>, found: &mut Findings) {
    let mut used = BTreeSet::new();
    let mut templates: Vec<(String, &str)> = Vec::new();
    if let Scheme::Basic { username, password } = pasted.scheme {
        templates.extend([("/auth/username".to_owned(), username), ("/auth/password".to_owned(), password)]);
        if username.contains(':') {
            found.add(Code::BadTemplate, "/auth/username", "a user name holds no colon (RFC 7617 section 2)");
        }
    }
    if let Some(api) = &manifest.api {
        let mut seen = BTreeSet::new();
        for (name, value) in &api.headers {
            let path = format!("/api/headers/{}", escape(name));
            let taken = matches!(pasted.scheme, Scheme::ApiKey { .. }).then_some("authorization");
            header(&path, name, value, taken, &mut seen, found);
            templates.push((path, value));
        }
        for (name, value) in &api.query {
            let path = format!("/api/query/{}", escape(name));
            if !is_param_name(name) {
                let message = "a parameter's name is 1 to 100 letters, digits and - _ . ~ : [ ]";
                found.add(Code::BadParameter, path.as_str(), message).at_name();
            }
            templates.push((path, value));
        }
    }
    for (path, template) in templates {
        match parts(template) {
            Ok(parts) => {
                for name in parts.names {
                    used.insert(name);
                    if !pasted.credentials.contains_key(name) && !manifest.variables.contains_key(name) {
                        let message =
                            format!("`{{{name}}}` is neither in `auth.credentials` nor in `variables`: add it");
                        found.add(Code::UnknownVariable, path.as_str(), message).about(CREDENTIALS).about("/variables");
                    }
                }
            }
            Err(error) => {
                found.add(Code::BadTemplate, path, format!("{error}: credentials look like {{api_key}}"));
            }
        }
    }
    let handed_out = handed_out(manifest, pasted, &used, found);
    let idle = |name: &&String| is_name(name) && !used.contains(name.as_str()) && Some(name.as_str()) != handed_out;
    let idle: Vec<_> = pasted.credentials.keys().filter(idle).collect();
    for name in idle {
        let path = format!("{CREDENTIALS}/{}", escape(name));
        let message = format!(
            "no call carries `{{{name}}}`: say where it goes, such as headers: {{Authorization: Bearer {{{name}}}}} in `api`"
        );
        found.add(Code::UnusedCredential, path, message).at_name().about("/api").about("/auth");
    }
}

/// The key that no call carries, because whoever calls puts it into the body or the path: the manifest says so by naming it.
fn handed_out<'a>(
    manifest: &Manifest,
    pasted: &Pasted<'a>,
    used: &BTreeSet<&str>,
    found: &mut Findings,
) -> Option<&'a str> {
    let (Scheme::ApiKey { key }, crate::Auth::ApiKey(auth)) = (pasted.scheme, &manifest.auth) else { return None };
    auth.key.as_ref()?;
    if used.contains(key) {
        if secrets(pasted.credentials).count() == 1 {
            let message = "there is only one secret, and calls carry it: remove this";
            found.add(Code::IgnoredMember, "/auth/key", message).at_name().about(CREDENTIALS).about("/api");
        }
        return None;
    }
    if pasted.verification.is_some() {
        let message =
            "the call carries no key, so it would tell nothing about it: remove it, or say how calls carry the key";
        found.add(Code::IgnoredMember, "/auth/verification", message).at_name().about("/api").about("/auth/key");
    }
    Some(key)
}
