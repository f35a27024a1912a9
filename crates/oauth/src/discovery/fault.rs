//! Why nothing could be discovered.
//!
//! Invariant: texts of a provider are shown only where they are short lines of plain ASCII.

use std::fmt;

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataFault {
    /// Not UTF-8, not JSON, a name twice, too deep, or too many values.
    #[error("it is no JSON object that can be read in one way only")]
    NotJson,
    /// A member that everything else hangs on.
    #[error("it has no `{0}`")]
    Missing(&'static str),
    /// A member that is not of its type, or far too long.
    #[error("its `{0}` is not what it has to be")]
    Member(&'static str),
}

/// Why nothing could be discovered. Nothing was taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveryError {
    /// Where it was looked for, with what was wrong there; the place is empty where no single one is to blame.
    pub tried: Vec<(String, String)>,
    /// Whether asking again later may help: no whole reply arrived, or the provider failed to give one.
    pub unreachable: bool,
}

impl DiscoveryError {
    pub(super) fn because(why: impl Into<String>) -> Self {
        Self { tried: vec![(String::new(), why.into())], unreachable: false }
    }
}

impl fmt::Display for DiscoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (place, why)) in self.tried.iter().enumerate() {
            let gap = if index == 0 { "" } else { "; " };
            let colon = if place.is_empty() { "" } else { ": " };
            write!(f, "{gap}{place}{colon}{why}")?;
        }
        Ok(())
    }
}

impl std::error::Error for DiscoveryError {}
