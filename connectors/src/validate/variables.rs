//! Variables: their names, their values, and whether anything uses them.

use super::{Findings, escape, is_line};
use crate::diagnostic::Code;
use crate::template::{is_host_end, is_name, parts};
use crate::values::check_value;
use crate::{Auth, Manifest, OAuth2, Scheme, Variable, VariableKind};
use std::collections::BTreeSet;

const MOST_VARIABLES: usize = 20;
const MOST_VALUES: usize = 100;

pub(super) fn check(manifest: &Manifest, found: &mut Findings) {
    if manifest.variables.len() > MOST_VARIABLES {
        let message = format!("{} variables: ask for at most {MOST_VARIABLES}", manifest.variables.len());
        found.add(Code::TooMany, "/variables", message);
    }
    let used = used(manifest);
    for (name, variable) in &manifest.variables {
        let path = format!("/variables/{}", escape(name));
        if !is_name(name) {
            let message = "a variable's name is 1 to 40 lower-case letters, digits and underscores";
            found.add(Code::BadVariable, path.as_str(), message).at_name();
        } else if !used.contains(name.as_str()) {
            let message = format!("nothing uses `{{{name}}}`: people would be asked for it in vain");
            found.add(Code::UnusedVariable, path.as_str(), message).at_name().warning().about("/auth").about("/api");
        }
        texts(&path, variable, found);
        values(&path, variable, found);
        if manifest.only_the_app_fills(name) && variable.default.is_some() {
            let message =
                "the app's secret is sent to this host, so whoever registers the app has to say it: remove this";
            found.add(Code::IgnoredMember, format!("{path}/default"), message).at_name().about(format!("{path}/type"));
        }
    }
}

fn texts(path: &str, variable: &Variable, found: &mut Findings) {
    for (member, text, most) in
        [("title", Some(&variable.title), 80), ("description", variable.description.as_ref(), 300)]
    {
        if text.is_some_and(|text| !is_line(text, most)) {
            let message = format!("use 1 to {most} characters, without control characters");
            found.add(Code::BadText, format!("{path}/{member}"), message);
        }
    }
}

fn values(path: &str, variable: &Variable, found: &mut Findings) {
    let kind = format!("{path}/type");
    let list = format!("{path}/values");
    match (variable.kind, variable.values.is_empty()) {
        (VariableKind::Enum, true) => {
            let message = "an enum needs its `values`: list what may be chosen";
            found.add(Code::MissingMember, list.as_str(), message).about(kind.as_str());
        }
        (_, false) if variable.kind != VariableKind::Enum => {
            let message = "only an enum has `values`: remove them, or make the type `enum`";
            found.add(Code::IgnoredMember, list.as_str(), message).about(kind.as_str());
        }
        (_, _) => {}
    }
    suffix(path, variable, found);
    if variable.values.len() > MOST_VALUES {
        let message = format!("{} values: list at most {MOST_VALUES}", variable.values.len());
        found.add(Code::TooMany, list.as_str(), message);
    }
    let mut seen = BTreeSet::new();
    for (index, value) in variable.values.iter().enumerate() {
        let item = format!("{list}/{index}");
        if !is_line(value, 200) {
            found.add(Code::BadValue, item, "use 1 to 200 characters, without control characters");
        } else if !seen.insert(value) {
            found.add(Code::BadValue, item, format!("`{value}` is listed twice: keep one"));
        }
    }
    if let Some(Err(allowed)) = variable.default.as_ref().map(|value| check_value(variable, value)) {
        let message = format!("the default is none of the allowed values: {allowed}");
        found
            .add(Code::BadDefault, format!("{path}/default"), message)
            .about(kind)
            .about(list)
            .about(format!("{path}/suffix"));
    }
}

fn suffix(path: &str, variable: &Variable, found: &mut Findings) {
    let (kind, suffix) = (format!("{path}/type"), format!("{path}/suffix"));
    match (variable.kind == VariableKind::Domain, variable.suffix.as_deref()) {
        (true, None) => {
            let message = "a domain needs its `suffix`: say how every host name ends, such as my.acme.example";
            found.add(Code::MissingMember, suffix, message).about(kind);
        }
        (true, Some(end)) if !(end.contains('.') && is_host_end(end)) => {
            let message = "use the fixed end of the host name without the dot before it: two labels or more, such as acme.example";
            found.add(Code::BadValue, suffix, message);
        }
        (false, Some(_)) => {
            let message = "only a domain has a `suffix`: remove it, or make the type `domain`";
            found.add(Code::IgnoredMember, suffix, message).about(kind);
        }
        (true, Some(_)) | (false, None) => {}
    }
}

/// The variables that a URL, a parameter or a header names.
fn used(manifest: &Manifest) -> BTreeSet<&str> {
    let api = manifest.api.as_ref();
    let urls =
        manifest.auth.urls().into_iter().map(|(_, url)| url.as_str()).chain(api.map(|api| api.base_url.as_str()));
    let mut texts: Vec<&str> = urls.collect();
    if let Some(auth) = manifest.oauth2() {
        let lists = [&auth.authorization_params, &auth.token_params, &auth.refresh_params, &auth.token_headers];
        let expected = &auth.callback.expect;
        texts.extend(auth.client_assertion.templates().map(|(_, text)| text.as_str()).chain(auth.resource.as_deref()));
        texts.extend(lists.into_iter().chain([expected]).flat_map(|list| list.values()).map(String::as_str));
    }
    texts.extend(manifest.oauth2().into_iter().flat_map(OAuth2::grant_templates).map(|(_, text)| text));
    if let Some(auth) = manifest.auth.oauth1() {
        let lists = [&auth.request_token_params, &auth.authorization_params];
        texts.extend(lists.into_iter().flat_map(|list| list.values()).map(String::as_str));
    }
    if let Auth::TwoStep(auth) = &manifest.auth {
        texts.extend(auth.requests().flat_map(|(_, step)| step.templates()));
        texts
            .extend(api.into_iter().flat_map(|api| api.headers.values().chain(api.query.values())).map(String::as_str));
    }
    if let Auth::SignedJwt(auth) = &manifest.auth {
        texts.extend(auth.jwt.templates().into_iter().map(|(_, text)| text));
        texts
            .extend(api.into_iter().flat_map(|api| api.headers.values().chain(api.query.values())).map(String::as_str));
    }
    if let Some(pasted) = manifest.auth.pasted() {
        if let Scheme::Basic { username, password } = pasted.scheme {
            texts.extend([username, password]);
        }
        texts
            .extend(api.into_iter().flat_map(|api| api.headers.values().chain(api.query.values())).map(String::as_str));
    }
    texts.into_iter().filter_map(|text| parts(text).ok()).flat_map(|parts| parts.names).collect()
}
