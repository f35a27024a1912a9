//! Tokens that the customer's key signs: what they say is known and no secret, and the key is one.
//!
//! Invariant: what a token says, anybody reads who sees it. Deliberately absent: whether a key is one, which its value tells.

use super::extras::LONGEST_VALUE;
use super::pasted::{credentials_of, statuses};
use super::two_step::carried;
use super::{Findings, escape, is_line};
use crate::Manifest;
use crate::diagnostic::Code;
use crate::manifest::{CredentialKind, KeyEncoding, SignedJwt};
use crate::pasted::secrets;
use crate::template::{is_name, parts};
use std::collections::BTreeSet;

const CREDENTIALS: &str = "/auth/credentials";
const KEY: &str = "/auth/jwt/key";
/// What stands in every token anyway, has a member of its own, or would not be new each time.
const OWN_CLAIMS: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];
/// A token has to live longer than it takes to fetch and use it.
const SHORTEST: u32 = 60;
/// Whoever has the key makes the next one: there is no reason for tokens that are worth stealing.
const LONGEST: u32 = 3600;

pub(super) fn check(manifest: &Manifest, auth: &SignedJwt, found: &mut Findings) {
    credentials_of(manifest, &auth.credentials, true, found);
    let mut used = key(auth, found);
    documents(auth, &used, found);
    says(manifest, auth, &mut used, found);
    if auth.jwt.lifetime.is_some_and(|seconds| !(SHORTEST..=LONGEST).contains(&seconds)) {
        let message = format!("use {SHORTEST} to {LONGEST} seconds: the next token is signed before this one ends");
        found.add(Code::OutOfRange, "/auth/jwt/lifetime", message);
    }
    if let Some(call) = &auth.verification {
        statuses(call, found);
    }
    if manifest.api.is_none() {
        let message = "calls carry the token as `api.headers` or `api.query` say: add `api`";
        found.add(Code::MissingMember, "/api", message).about("/auth/type");
    }
    let known = auth.credentials.keys().map(String::as_str).collect();
    carried(manifest, &known, &mut used, found);
    for name in auth.credentials.keys().filter(|name| is_name(name) && !used.contains(name.as_str())) {
        let message = format!("neither the token nor a call says `{{{name}}}`: name it where it belongs, or remove it");
        let path = format!("{CREDENTIALS}/{}", escape(name));
        found.add(Code::UnusedCredential, path, message).at_name().about("/api").about("/auth");
    }
    if !manifest.scopes.is_empty() {
        let message = "scopes belong to OAuth 2: what a key may do is decided where it was made: remove them";
        found.add(Code::IgnoredMember, "/scopes", message).at_name().about("/auth/type");
    }
}

/// What the key is made of: one private key, or secrets that make up a shared one. Answers the names in it.
fn key<'a>(auth: &'a SignedJwt, found: &mut Findings) -> BTreeSet<&'a str> {
    let shared = auth.jwt.algorithm.is_symmetric();
    if !shared && auth.jwt.key_encoding != KeyEncoding::Text {
        let message = "a private key says itself how it is written: remove this";
        found.add(Code::IgnoredMember, "/auth/jwt/key_encoding", message).at_name().about("/auth/jwt/algorithm");
    }
    let Some(template) = &auth.jwt.key else {
        let all: Vec<_> = secrets(&auth.credentials).collect();
        if all.len() > 1 {
            let message =
                format!("of several secrets, say which one signs: add `key`, such as {{{}}}", all.join("} or {"));
            found.add(Code::MissingMember, KEY, message).about(CREDENTIALS);
        }
        // Of none and of several, anyone may have been meant.
        return if all.is_empty() { every(auth) } else { all.into_iter().collect() };
    };
    let names = match parts(template) {
        Ok(parts) => parts.names,
        Err(error) => {
            found.add(Code::BadTemplate, KEY, format!("{error}: credentials look like {{private_key}}"));
            return every(auth);
        }
    };
    for name in names.iter().filter(|name| !auth.credentials.contains_key(**name)) {
        let message = format!("`{{{name}}}` is not in `auth.credentials`, and nothing else makes up a key: add it");
        found.add(Code::UnknownVariable, KEY, message).about(CREDENTIALS);
    }
    let is_secret = |name: &&str| secrets(&auth.credentials).any(|secret| secret == *name);
    if !names.iter().any(is_secret) {
        let message = "no secret is in it: name the credential that signs, such as {private_key}";
        found.add(Code::BadValue, KEY, message).about(CREDENTIALS);
        return every(auth);
    }
    let alone = auth.key_credential();
    if !shared && alone.is_none() {
        let message = "a private key is one credential and nothing beside it, such as {private_key}";
        found.add(Code::BadValue, KEY, message).about("/auth/jwt/algorithm");
    } else if alone.is_some_and(|alone| secrets(&auth.credentials).eq([alone])) {
        let message = "there is only one secret, and it signs anyway: remove this";
        found.add(Code::IgnoredMember, KEY, message).at_name().about(CREDENTIALS);
    }
    names.into_iter().collect()
}

fn every(auth: &SignedJwt) -> BTreeSet<&str> {
    auth.credentials.keys().map(String::as_str).collect()
}

/// Only a private key has several lines.
fn documents(auth: &SignedJwt, signing: &BTreeSet<&str>, found: &mut Findings) {
    for (name, one) in &auth.credentials {
        let signs = signing.contains(name.as_str()) && !auth.jwt.algorithm.is_symmetric();
        if one.kind == CredentialKind::Document && !signs {
            let message = "a document has several lines, and only a private key may: use `type: secret`";
            let path = format!("{CREDENTIALS}/{}/type", escape(name));
            found.add(Code::BadValue, path, message).about(KEY).about("/auth/jwt/algorithm");
        }
    }
}

/// What stands in the token: credentials that are no secrets, and variables.
fn says<'a>(manifest: &Manifest, auth: &'a SignedJwt, used: &mut BTreeSet<&'a str>, found: &mut Findings) {
    for name in auth.jwt.claims.keys() {
        let path = format!("/auth/jwt/claims/{}", escape(name));
        if OWN_CLAIMS.contains(&name.as_str()) {
            let message = format!("`{name}` is set from the other members of `jwt`, or not at all: remove it");
            found.add(Code::ReservedParameter, path, message).at_name();
        } else if !is_line(name, 200) {
            found.add(Code::BadParameter, path, "a claim's name is 1 to 200 characters").at_name();
        }
    }
    let secret = |name: &str| auth.credentials.get(name).is_some_and(|one| one.kind != CredentialKind::Text);
    for (path, template) in auth.jwt.templates() {
        if template.is_empty() || template.len() > LONGEST_VALUE {
            found.add(Code::BadText, path.as_str(), format!("use 1 to {LONGEST_VALUE} bytes"));
        }
        let names = match parts(template) {
            Ok(parts) => parts.names,
            Err(error) => {
                found.add(Code::BadTemplate, path, format!("{error}: credentials look like {{key_id}}"));
                // Who knows what it was meant to name.
                used.extend(auth.credentials.keys().map(String::as_str));
                continue;
            }
        };
        for name in names {
            if !auth.credentials.contains_key(name) && !manifest.variables.contains_key(name) {
                let message = format!("`{{{name}}}` is neither in `auth.credentials` nor in `variables`: add it");
                found.add(Code::UnknownVariable, path.as_str(), message).about(CREDENTIALS).about("/variables");
            }
            if secret(name) {
                let message = format!("anybody who sees a token reads this: `{{{name}}}` is a secret");
                found.add(Code::ExposesToken, path.as_str(), message).about(CREDENTIALS);
            }
            used.insert(name);
        }
    }
}
