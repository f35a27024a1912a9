//! Fields that the provider tells about its API: each comes from somewhere, and has one meaning.

use super::{Findings, escape};
use crate::Manifest;
use crate::diagnostic::Code;
use crate::manifest::ApiFieldKind;
use crate::template::{is_host_end, is_name};
use crate::told::BASE_URL_FIELD;

const MOST: usize = 20;
const BASE: &str = "/api/fields";

pub(super) fn check(manifest: &Manifest, found: &mut Findings) {
    let Some(api) = &manifest.api else { return };
    let told = manifest.auth.told();
    if api.fields.len() > MOST {
        found.add(Code::TooMany, BASE, format!("{} fields: use at most {MOST}", api.fields.len()));
    }
    for (name, field) in &api.fields {
        let path = format!("{BASE}/{}", escape(name));
        if !is_name(name) {
            let message = "a field that a URL may name is 1 to 40 lower-case letters, digits and underscores";
            found.add(Code::BadVariable, path.as_str(), message).at_name();
        } else if manifest.variables.contains_key(name) {
            let message = format!("`{{{name}}}` could be this or the variable of the same name: rename one");
            found.add(Code::BadVariable, path.as_str(), message).at_name().about("/variables");
        } else if !told.contains(name.as_str()) {
            let message = format!(
                "nothing tells `{name}`: lift it in `token_response.extra`, `callback.keep` or `identity.fields`, or remove this"
            );
            found.add(Code::IgnoredMember, path.as_str(), message).at_name().about("/auth");
        }
        let with_host = matches!(field.kind, ApiFieldKind::Url | ApiFieldKind::Host);
        if !with_host && !field.suffixes.is_empty() {
            let message = "only a url and a host have `suffixes`: remove them";
            found.add(Code::IgnoredMember, format!("{path}/suffixes"), message).at_name().about(format!("{path}/type"));
        }
        for (index, suffix) in field.suffixes.iter().enumerate() {
            if !(suffix.contains('.') && is_host_end(suffix)) {
                let message =
                    "use the end of a host name without the dot before it: two labels or more, such as acme.example";
                found.add(Code::BadValue, format!("{path}/suffixes/{index}"), message);
            }
        }
    }
    if manifest.tells_base_url() && told.contains(BASE_URL_FIELD) {
        let message =
            format!("`{BASE_URL_FIELD}` is what the base of the API is handed out as: give the field another name");
        found.add(Code::BadParameter, "/api/base_url", message).about("/auth");
    }
}
