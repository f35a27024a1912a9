//! URLs and parameters with variables in braces.
//!
//! Invariant: two safeguards, each enough by itself. Values are typed; and the expanded URL is read again and has to
//! agree with its template in scheme, host, port, path and query. Deliberately absent: defaults, filters, nesting.

use crate::values::check_value;
use crate::{Manifest, Values, VariableKind};
use url::Url;

/// Stands for every variable where a template is read as a URL: fit for a host label and for a path segment.
pub(crate) const PLACEHOLDER: &str = "mortise0variable";
/// No expanded URL or text is longer (bytes).
const LONGEST: usize = 16 * 1024;

/// Why a template could not be expanded. Values are not repeated.
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
    /// The result is longer than any header or URL may be.
    #[error("the result is longer than 16384 bytes")]
    TooLong,
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
        if !is_name(name) || literal.contains('}') {
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
///
/// # Errors
/// A value that is missing, not allowed, or that would change which host, port or path depth is called.
pub fn expand_url(template: &str, manifest: &Manifest, values: &Values) -> Result<Url, TemplateError> {
    for name in parts(template)?.names {
        let missing = || TemplateError::NoValue(name.to_owned());
        let variable = manifest.variables.get(name).ok_or_else(missing)?;
        let value = values.get(name).ok_or_else(missing)?;
        let refused = |allowed| TemplateError::BadValue { variable: name.to_owned(), allowed };
        check_value(variable, value).map_err(refused)?;
    }
    // Only these may hold dots: a domain ends as the author says, a host is the whole of it, an enum is what the author wrote.
    let dotted = |name: &str| {
        let kind = manifest.variables.get(name).map(|variable| variable.kind);
        matches!(kind, Some(VariableKind::Domain | VariableKind::Host | VariableKind::Enum))
    };
    agreeing_url(template, values, dotted)
}

/// Fills a parameter or a header in; values go in as they are.
///
/// # Errors
/// A value that is missing, or a result with a control character, CR, LF and NUL among them.
pub fn expand_text(template: &str, values: &Values) -> Result<String, TemplateError> {
    let Parts { literals, names } = parts(template)?;
    let mut text = String::with_capacity(template.len() + 32);
    for (index, literal) in literals.iter().enumerate() {
        text.push_str(literal);
        if let Some(name) = names.get(index) {
            text.push_str(values.get(*name).ok_or_else(|| TemplateError::NoValue((*name).to_owned()))?);
        }
        if text.len() > LONGEST {
            return Err(TemplateError::TooLong);
        }
    }
    if text.chars().any(char::is_control) { Err(TemplateError::Control) } else { Ok(text) }
}

/// The second safeguard by itself: the URL as read has to be the template as read, with the values in their places.
fn agreeing_url(template: &str, values: &Values, dotted: impl Fn(&str) -> bool) -> Result<Url, TemplateError> {
    let Parts { literals, names } = parts(template)?;
    let model = Url::parse(&literals.join(PLACEHOLDER)).map_err(|_| TemplateError::NotAUrl)?;
    let expanded = Url::parse(&expand_text(template, values)?).map_err(|_| TemplateError::NotAUrl)?;
    let mut filled = names.iter().filter_map(|name| values.get(*name));
    let in_host = model.host_str().unwrap_or_default().matches(PLACEHOLDER).count();
    let dots = names.iter().take(in_host).filter(|name| dotted(name)).filter_map(|name| values.get(*name));
    let dots: usize = dots.map(|value| value.matches('.').count()).sum();
    let host = fill(model.host_str().unwrap_or_default(), &mut filled, str::to_ascii_lowercase);
    let path = fill(model.path(), &mut filled, str::to_owned);
    let query = model.query().map(|query| fill(query, &mut filled, str::to_owned));
    // An empty value leaves the depth as it is, and an escaped slash may count as one to whoever reads it.
    let harmless = names.iter().filter_map(|name| values.get(*name)).all(|v| !v.is_empty() && !v.contains('%'));
    let count = |url: &Url, dots| {
        let labels = url.host_str().map(|host| host.split('.').count() + dots);
        (labels, url.path().split('/').count(), url.query_pairs().count())
    };
    let agrees = harmless
        && expanded.scheme() == model.scheme()
        && expanded.username().is_empty()
        && expanded.password().is_none()
        && expanded.host_str().unwrap_or_default() == host
        && expanded.port_or_known_default() == model.port_or_known_default()
        && expanded.path() == path
        && count(&expanded, 0) == count(&model, dots)
        && expanded.query() == query.as_deref()
        && expanded.fragment().is_none()
        && filled.next().is_none();
    if agrees { Ok(expanded) } else { Err(TemplateError::Strays) }
}

/// `text` with its placeholders replaced by the next values.
fn fill<'a>(text: &str, values: &mut impl Iterator<Item = &'a String>, form: fn(&str) -> String) -> String {
    let mut pieces = text.split(PLACEHOLDER);
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        filled.push_str(&values.next().map(|value| form(value)).unwrap_or_default());
        filled.push_str(piece);
    }
    filled
}

/// A variable's name.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// One label of a host name (RFC 1123 section 2.1), and none that encodes an international name, because what people
/// see of those is not what is called.
pub(crate) fn is_host_label(value: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (1..=63).contains(&value.len())
        && value.bytes().all(inner)
        && !value.starts_with('-')
        && !value.ends_with('-')
        && !value.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"))
}

/// One to three labels in front of the author's own end of a host name.
pub(crate) fn is_domain_under(value: &str, suffix: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let front = lower.strip_suffix(&suffix.to_ascii_lowercase()).and_then(|rest| rest.strip_suffix('.'));
    let labels: Vec<_> = front.into_iter().flat_map(|front| front.split('.')).collect();
    !suffix.is_empty() && value.len() <= 253 && (1..=3).contains(&labels.len()) && labels.into_iter().all(is_host_label)
}

/// A whole host name: two labels or more, of which the last is a word, so that nothing reads it as an address.
pub(crate) fn is_host(value: &str) -> bool {
    let top = value.rsplit('.').next().unwrap_or_default();
    value.contains('.') && is_host_end(value) && top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Host labels with dots between them, as an author may list them.
pub(crate) fn is_host_end(value: &str) -> bool {
    value.len() <= 253 && value.split('.').all(is_host_label)
}

/// A line that fits into a parameter and into a header.
pub(crate) fn is_text(value: &str) -> bool {
    (1..=200).contains(&value.len()) && value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && value.trim() == value
}

/// Unreserved characters (RFC 3986 section 2.3), and nothing that a path would resolve away.
pub(crate) fn is_path_segment(value: &str) -> bool {
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    (1..=128).contains(&value.len()) && value.bytes().all(unreserved) && value != "." && value != ".."
}

#[cfg(test)]
mod tests;
