//! URLs and parameters with variables in braces.
//!
//! Two safeguards, each enough by itself: values are typed, and the expanded URL is read again and has to agree with its
//! template in scheme, host suffix, port and depth.

use crate::values::check_value;
use crate::{Manifest, Values};
use url::Url;

/// Why a template could not be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A brace without its partner, or something other than a name between two.
    #[error("a brace has no partner, or holds something other than a variable's name")]
    Brace,
    /// Nothing was filled in.
    #[error("the variable `{0}` has no value")]
    NoValue(String),
    /// The value is not of the variable's type.
    #[error("the value of `{variable}` is not allowed: {allowed}")]
    BadValue {
        /// The variable.
        variable: String,
        /// What is allowed.
        allowed: String,
    },
    /// The result is no URL.
    #[error("the result is not a URL")]
    NotAUrl,
    /// The result is a URL, but not the one that the template describes.
    #[error("the value changes the URL's scheme, host, port or depth")]
    Strays,
    /// A line break or another control character.
    #[error("control characters are not allowed")]
    Control,
}

/// A template in parts: literal text and, before each but the first, a variable.
pub(crate) struct Parts<'a> {
    pub(crate) literals: Vec<&'a str>,
    pub(crate) names: Vec<&'a str>,
}

/// Takes a template apart.
pub(crate) fn parts(template: &str) -> Result<Parts<'_>, TemplateError> {
    let mut parts = Parts { literals: Vec::new(), names: Vec::new() };
    let mut rest = template;
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or(TemplateError::Brace)?;
        let is_name =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !is_name || literal.contains('}') {
            return Err(TemplateError::Brace);
        }
        parts.literals.push(literal);
        parts.names.push(name);
        rest = after;
    }
    if rest.contains('}') {
        return Err(TemplateError::Brace);
    }
    parts.literals.push(rest);
    Ok(parts)
}

/// Fills a URL in. Every value is checked against its variable's type, and the result against the template.
pub fn expand_url(template: &str, manifest: &Manifest, values: &Values) -> Result<Url, TemplateError> {
    for name in parts(template)?.names {
        let variable = manifest.variables.get(name).ok_or_else(|| TemplateError::NoValue(name.to_owned()))?;
        let value = values.get(name).ok_or_else(|| TemplateError::NoValue(name.to_owned()))?;
        let refused = |allowed| TemplateError::BadValue { variable: name.to_owned(), allowed };
        check_value(variable, value).map_err(refused)?;
    }
    let expanded = Url::parse(&expand_text(template, values)?).map_err(|_| TemplateError::NotAUrl)?;
    if agrees(template, &expanded)? { Ok(expanded) } else { Err(TemplateError::Strays) }
}

/// Fills a parameter or a header in.
pub fn expand_text(template: &str, values: &Values) -> Result<String, TemplateError> {
    let Parts { literals, names } = parts(template)?;
    let mut text = String::with_capacity(template.len() + 32);
    for (index, literal) in literals.iter().enumerate() {
        text.push_str(literal);
        if let Some(name) = names.get(index) {
            text.push_str(values.get(*name).ok_or_else(|| TemplateError::NoValue((*name).to_owned()))?);
        }
    }
    if text.chars().any(char::is_control) { Err(TemplateError::Control) } else { Ok(text) }
}

/// Compares with the same template filled with one harmless letter for each variable.
fn agrees(template: &str, expanded: &Url) -> Result<bool, TemplateError> {
    let Parts { literals, .. } = parts(template)?;
    let model = Url::parse(&literals.join("x")).map_err(|_| TemplateError::NotAUrl)?;
    let authority_end = template.find("://").map_or(0, |at| at + 3);
    let authority = template[authority_end..].split(['/', '?', '#']).next().unwrap_or_default();
    // What stands right of the last variable of the host is the provider's own.
    let suffix = authority.rsplit_once('}').map_or(authority, |(_, suffix)| suffix);
    let suffix = suffix.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let labels = |url: &Url| url.host_str().map(|host| host.split('.').count());
    let depth = |url: &Url| url.path().split('/').count();
    Ok(expanded.scheme() == model.scheme()
        && expanded.port_or_known_default() == model.port_or_known_default()
        && expanded.host_str().is_some_and(|host| host.ends_with(&suffix))
        && labels(expanded) == labels(&model)
        && depth(expanded) == depth(&model)
        && expanded.username().is_empty()
        && expanded.password().is_none()
        && expanded.fragment().is_none())
}
