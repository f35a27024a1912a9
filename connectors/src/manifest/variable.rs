//! What people fill into a manifest's URLs and parameters.

use serde::{Deserialize, Serialize};

/// What a person fills in, and what may be filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// What values are allowed.
    #[serde(rename = "type")]
    pub kind: VariableKind,
    /// The label of the field.
    pub title: String,
    /// One line of help under the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `enum` only: the allowed values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// `domain` only: the fixed end of the host name, such as `my.acme.example`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
    /// Used where nobody filled the field in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

impl Variable {
    /// A variable that nobody is asked for.
    pub(crate) fn of_kind(kind: VariableKind) -> Self {
        let (description, values, suffix, default) = (None, Vec::new(), None, None);
        Self { kind, title: String::new(), description, values, suffix, default }
    }
}

/// The kinds of values. All but `host` keep the authority of a URL out of the hands of whoever fills it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VariableKind {
    /// One label of a host name: letters, digits and inner hyphens, at most 63.
    HostLabel,
    /// A whole host name under a fixed `suffix`: one to three labels and then the suffix.
    Domain,
    /// A whole host name, for providers that their customers run themselves. See [`crate::Manifest::only_the_app_fills`].
    Host,
    /// One of `values`.
    Enum,
    /// One segment of a path: unreserved characters (RFC 3986 section 2.3), at most 128, not `.` or `..`.
    PathSegment,
    /// A line of 1 to 200 printable ASCII characters, for parameters and headers only.
    Text,
}
