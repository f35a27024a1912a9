//! Variables: their names, their values, and whether anything uses them.

use super::{Findings, escape, is_line};
use crate::diagnostic::Code;
use crate::template::{is_name, parts};
use crate::values::check_value;
use crate::{Manifest, Variable, VariableKind};
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
        (VariableKind::HostLabel | VariableKind::PathSegment, false) => {
            let message = "only an enum has `values`: remove them, or make the type `enum`";
            found.add(Code::IgnoredMember, list.as_str(), message).about(kind.as_str());
        }
        (VariableKind::Enum, false) | (VariableKind::HostLabel | VariableKind::PathSegment, true) => {}
    }
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
        found.add(Code::BadDefault, format!("{path}/default"), message).about(kind).about(list);
    }
}

/// The variables that a URL, a parameter or a header names.
fn used(manifest: &Manifest) -> BTreeSet<&str> {
    let auth = &manifest.auth;
    let base = manifest.api.as_ref().map(|api| &api.base_url);
    let urls = auth.urls().map(|(_, url)| url).chain(base);
    let lists = [&auth.authorization_params, &auth.token_params, &auth.refresh_params, &auth.token_headers];
    let texts = urls.chain(lists.into_iter().flat_map(|list| list.values()));
    texts.filter_map(|text| parts(text).ok()).flat_map(|parts| parts.names).collect()
}
