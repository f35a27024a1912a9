//! The API that a token, or what was pasted, is good for.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The API that the access token, or what was pasted, is good for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Its base, which may name variables, and fields that the provider tells.
    pub base_url: String,
    /// Headers of every call, where credentials are pasted: templates over credentials and variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Parameters in the query of every call, where credentials are pasted: templates over credentials and variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    /// What fields that the provider tells beside a token have to look like. One that does not is left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, ApiField>,
}

/// What a field that the provider tells has to look like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiField {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: ApiFieldKind,
    /// `url` and `host` only: how its host ends. Any host where none is listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suffixes: Vec<String>,
}

/// What a field that the provider tells is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiFieldKind {
    /// A whole URL without query and fragment.
    Url,
    /// A whole host name.
    Host,
    /// One label of a host name.
    HostLabel,
    /// One segment of a path.
    PathSegment,
}
