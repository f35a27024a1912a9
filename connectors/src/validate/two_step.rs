//! Credentials for a token: every request can be written with what is known when it is sent, and nothing is asked, taken or
//! said in vain.

mod request;

use super::extras::{header, is_param_name};
use super::pasted::credentials_of;
use super::pointers;
use super::wire::header_name;
use super::{Findings, escape, limits};
use crate::diagnostic::Code;
use crate::manifest::{LoginStep, TwoStep};
use crate::template::{is_name, parts};
use crate::{CredentialKind, Manifest};
use std::collections::BTreeSet;

const MOST_STEPS: usize = 5;
const CREDENTIALS: &str = "/auth/credentials";
/// Names of what the provider gives, which templates may use where it is known.
const ACCESS: &str = "access_token";
const REFRESH: &str = "refresh_token";

pub(super) fn check(manifest: &Manifest, auth: &TwoStep, found: &mut Findings) {
    credentials_of(manifest, &auth.credentials, true, found);
    for (name, _) in auth.credentials.iter().filter(|(_, one)| one.kind == CredentialKind::Document) {
        let message = "a document has several lines, which a login does not take: use `type: secret`";
        found.add(Code::BadValue, format!("{CREDENTIALS}/{}/type", escape(name)), message).about("/auth/type");
    }
    for (member, requests, least) in [("steps", &auth.steps, 1), ("refresh", &auth.refresh, 0)] {
        if !(least..=MOST_STEPS).contains(&requests.len()) {
            let message = format!("{} requests: use {least} to {MOST_STEPS}", requests.len());
            found.add(Code::TooMany, format!("/auth/{member}"), message);
        }
    }
    let mut used = BTreeSet::new();
    let known = in_turn(manifest, "/auth/steps", &auth.steps, given(auth), &mut used, found);
    let with_token = known.iter().copied().chain([REFRESH]).collect();
    let known = in_turn(manifest, "/auth/refresh", &auth.refresh, with_token, &mut used, found);
    if let Some(step) = &auth.revocation {
        request::check(manifest, "/auth/revocation", step, &BTreeSet::from([ACCESS]), &mut used, found);
    }
    carried(manifest, &known, &mut used, found);
    in_vain(auth, &used, found);
    replies(auth, found);
    limits::of_two_step(auth, found);
    if !manifest.scopes.is_empty() {
        let message = "scopes belong to OAuth 2: what a login may do is decided at the provider: remove them";
        found.add(Code::IgnoredMember, "/scopes", message).at_name().about("/auth/type");
    }
}

/// The names of what the customer gives.
fn given(auth: &TwoStep) -> BTreeSet<&str> {
    auth.credentials.keys().map(String::as_str).collect()
}

/// Requests that come one after the other; answers what is known after the last.
fn in_turn<'a>(
    manifest: &'a Manifest,
    base: &str,
    requests: &'a [LoginStep],
    mut known: BTreeSet<&'a str>,
    used: &mut BTreeSet<&'a str>,
    found: &mut Findings,
) -> BTreeSet<&'a str> {
    let mut taken = BTreeSet::new();
    for (index, step) in requests.iter().enumerate() {
        let base = format!("{base}/{index}");
        request::check(manifest, &base, step, &known, used, found);
        for (name, pointer) in &step.take {
            let path = format!("{base}/take/{}", escape(name));
            let clashes = manifest.variables.contains_key(name) || [ACCESS, REFRESH].contains(&name.as_str());
            let given = manifest.auth.asks().is_some_and(|asked| asked.contains_key(name));
            if !is_name(name) {
                let message = "a name is 1 to 40 lower-case letters, digits and underscores";
                found.add(Code::BadVariable, path.as_str(), message).at_name();
            } else if clashes || given || !taken.insert(name.as_str()) {
                let message = format!("`{{{name}}}` means something else already: give this another name");
                found.add(Code::BadVariable, path.as_str(), message).at_name().about("/variables").about(CREDENTIALS);
            }
            pointers::pointer_at(path, pointer, found);
        }
        known.extend(step.take.keys().map(String::as_str));
    }
    known
}

/// What calls of the API carry: the token, among other things.
pub(super) fn carried<'a>(
    manifest: &'a Manifest,
    known: &BTreeSet<&'a str>,
    used: &mut BTreeSet<&'a str>,
    found: &mut Findings,
) {
    let Some(api) = &manifest.api else { return };
    let known = known.iter().copied().filter(|name| *name != REFRESH).chain([ACCESS]).collect();
    let mut seen = BTreeSet::new();
    for (name, value) in &api.headers {
        let path = format!("/api/headers/{}", escape(name));
        header(&path, name, value, Some("authorization"), &mut seen, found);
        request::names(manifest, &path, value, &known, used, found);
    }
    for (name, value) in &api.query {
        let path = format!("/api/query/{}", escape(name));
        if !is_param_name(name) {
            let message = "a parameter's name is 1 to 100 letters, digits and - _ . ~ : [ ]";
            found.add(Code::BadParameter, path.as_str(), message).at_name();
        }
        request::names(manifest, &path, value, &known, used, found);
    }
    let carries = |text: &String| parts(text).is_ok_and(|parts| parts.names.contains(&ACCESS));
    if !api.headers.values().chain(api.query.values()).any(carries) {
        let message =
            "say how calls carry the token, such as headers: {Authorization: Bearer {access_token}}".to_owned();
        found.add(Code::MissingMember, "/api/headers", message).about("/api/query").about("/auth/type");
    }
}

/// What is asked for or taken, and never used.
fn in_vain(auth: &TwoStep, used: &BTreeSet<&str>, found: &mut Findings) {
    for name in auth.credentials.keys().filter(|name| is_name(name) && !used.contains(name.as_str())) {
        let message = format!("no request and no call carries `{{{name}}}`: say where it goes, or remove it");
        let path = format!("{CREDENTIALS}/{}", escape(name));
        found.add(Code::UnusedCredential, path, message).at_name().about("/api").about("/auth");
    }
    for (member, requests) in [("steps", &auth.steps), ("refresh", &auth.refresh)] {
        for (index, step) in requests.iter().enumerate() {
            let taken = step.take.keys().filter(|name| is_name(name) && ![ACCESS, REFRESH].contains(&name.as_str()));
            for name in taken.filter(|name| !used.contains(name.as_str())) {
                let message = format!("nothing uses `{{{name}}}`: remove it, or hand it out by `token_response.extra`");
                let path = format!("/auth/{member}/{index}/take/{}", escape(name));
                found.add(Code::IgnoredMember, path, message).at_name().about("/api").about("/auth");
            }
        }
    }
}

/// Where the reply keeps what, and what has no use without `refresh`.
fn replies(auth: &TwoStep, found: &mut Findings) {
    pointers::check(&auth.reply(), found);
    let reply = &auth.token_response;
    let of_refresh = [
        ("/auth/token_response/refresh_token", reply.refresh_token.is_some()),
        ("/auth/token_response/refresh_expires_in", reply.refresh_expires_in.is_some()),
        ("/auth/recovery_class", auth.recovery_class.is_some()),
    ];
    for (path, _) in of_refresh.into_iter().filter(|(_, given)| *given && auth.refresh.is_empty()) {
        let message = "without `refresh` the steps are gone again and no refresh token is kept: remove it";
        found.add(Code::IgnoredMember, path, message).at_name().about("/auth/refresh");
    }
    let sends = |step: &LoginStep| step.templates().any(|text| parts(text).is_ok_and(|p| p.names.contains(&REFRESH)));
    if !auth.refresh.is_empty() && !auth.refresh.iter().any(sends) {
        let message = "none of these requests carries `{refresh_token}`: say where it goes";
        found.add(Code::MissingMember, "/auth/refresh", message);
    }
    if let Some(hint) = &auth.retry_hint {
        header_name("/auth/retry_hint/header", &hint.header, found);
    }
}
