//! What a provider tells about its API beside a token: fields that have to look like something before anybody relies on them.
//!
//! Invariant: a URL that is made of told fields has the host that was told or the author's own end, and no more of it than
//! the author left open. Deliberately absent: whether its host may be called, which the egress policy says.

use crate::manifest::{ApiField, ApiFieldKind};
use crate::template::{TemplateError, expand_url, is_host, is_host_label, is_path_segment, parts};
use crate::validate::plain_url;
use crate::{Auth, Manifest, Values, Variable, VariableKind};
use std::collections::BTreeSet;
use url::{Host, Url};

/// The field under which a base that is made of told fields is handed out.
pub const BASE_URL_FIELD: &str = "api_base_url";
/// Stands for a told URL where the rest of a template is looked at.
pub(crate) const STAND_IN: &str = "https://told.example.com";

impl ApiField {
    /// Whether `value` is what this field has to be.
    pub fn accepts(&self, value: &str) -> bool {
        match self.kind {
            ApiFieldKind::Url => told_url(value).is_some_and(|url| self.ends_well(url.host_str().unwrap_or_default())),
            ApiFieldKind::Host => is_host(value) && self.ends_well(value),
            ApiFieldKind::HostLabel => is_host_label(value),
            ApiFieldKind::PathSegment => is_path_segment(value),
        }
    }

    fn ends_well(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let ends = |suffix: &String| {
            let front = host.strip_suffix(&suffix.to_ascii_lowercase());
            front.is_some_and(|front| front.is_empty() || front.ends_with('.'))
        };
        self.suffixes.is_empty() || self.suffixes.iter().any(ends)
    }
}

/// A URL that says what it seems to say, with a whole host name unless it is plainly of this machine or its network.
fn told_url(value: &str) -> Option<Url> {
    let url = plain_url(value).ok().filter(|url| url.query().is_none())?;
    let whole = match url.host()? {
        Host::Domain(name) => is_host(name) || name == "localhost",
        Host::Ipv4(_) | Host::Ipv6(_) => true,
    };
    whole.then_some(url)
}

impl Auth {
    /// The fields that are handed out beside a token, wherever they come from.
    pub fn told(&self) -> BTreeSet<&str> {
        match self {
            Self::Oauth2(auth) => auth.told().collect(),
            Self::Oauth1(auth) => auth.token_response.extra.keys().map(String::as_str).collect(),
            Self::TwoStep(auth) => auth.token_response.extra.keys().map(String::as_str).collect(),
            Self::ApiKey(_) | Self::Basic(_) | Self::SignedJwt(_) => BTreeSet::new(),
        }
    }
}

impl Manifest {
    /// Whether `api.base_url` is made of fields that the provider tells.
    pub fn tells_base_url(&self) -> bool {
        let Some(api) = &self.api else { return false };
        let names = parts(&api.base_url).map(|parts| parts.names).unwrap_or_default();
        names.into_iter().any(|name| api.fields.contains_key(name))
    }

    /// The API's base, with `values` for variables and `told` for fields in their places.
    ///
    /// # Errors
    /// A value that is missing, or not of its type; or a manifest without an `api`.
    pub fn api_base_url(&self, values: &Values, told: &Values) -> Result<Url, TemplateError> {
        let api = self.api.as_ref().ok_or(TemplateError::NotAUrl)?;
        let mut all = values.clone();
        for (name, field) in &api.fields {
            let Some(value) = told.get(name) else { continue };
            if !field.accepts(value) {
                let allowed = "what the manifest's `api.fields` says".to_owned();
                return Err(TemplateError::BadValue { variable: name.clone(), allowed });
            }
            all.insert(name.clone(), value.clone());
        }
        let widened = self.with_told_fields();
        let Some((name, rest)) = self.leading_url(&api.base_url) else {
            return expand_url(&api.base_url, &widened, &all);
        };
        let base = all.get(name).ok_or_else(|| TemplateError::NoValue(name.to_owned()))?.trim_end_matches('/');
        let rest = expand_url(&format!("{STAND_IN}{rest}"), &widened, &all)?;
        let query = rest.query().map(|query| format!("?{query}")).unwrap_or_default();
        let path = Some(rest.path()).filter(|path| *path != "/").unwrap_or_default();
        let whole = Url::parse(&format!("{base}{path}{query}")).map_err(|_| TemplateError::NotAUrl)?;
        let origin = Url::parse(base).map_err(|_| TemplateError::NotAUrl)?.origin();
        if whole.origin() == origin { Ok(whole) } else { Err(TemplateError::Strays) }
    }

    /// The field of type `url` that a template begins with, and what follows it.
    pub(crate) fn leading_url<'a>(&self, template: &'a str) -> Option<(&'a str, &'a str)> {
        let (name, rest) = template.strip_prefix('{')?.split_once('}')?;
        let field = self.api.as_ref()?.fields.get(name)?;
        (field.kind == ApiFieldKind::Url).then_some((name, rest))
    }

    /// The same manifest with the told fields among its variables, but for URLs, which stand at the beginning alone.
    pub(crate) fn with_told_fields(&self) -> Self {
        let mut widened = self.clone();
        for (name, field) in self.api.iter().flat_map(|api| &api.fields) {
            let kind = match field.kind {
                ApiFieldKind::Host => VariableKind::Host,
                ApiFieldKind::HostLabel => VariableKind::HostLabel,
                ApiFieldKind::PathSegment => VariableKind::PathSegment,
                ApiFieldKind::Url => continue,
            };
            widened.variables.insert(name.clone(), Variable::of_kind(kind));
        }
        widened
    }
}

#[cfg(test)]
mod tests;
