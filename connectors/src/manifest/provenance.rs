//! Where a manifest's facts come from, and how sure they are.
//!
//! Read by the list of the catalogue, which people choose from; it changes nothing on the wire.

use serde::{Deserialize, Serialize};

/// Who says that the endpoints are what the manifest says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// How many independent sources state the same endpoints.
    pub sources: u32,
    /// What that makes them worth.
    pub confidence: Confidence,
    /// The day on which they were last compared, as `2026-11-21`.
    pub checked: String,
}

/// How sure the endpoints are, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Read in the provider's own documentation.
    Documented,
    /// Two or more independent sources state the same.
    Agreed,
    /// One source states them.
    Single,
}

impl Confidence {
    /// The word of the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Agreed => "agreed",
            Self::Single => "single",
        }
    }
}
