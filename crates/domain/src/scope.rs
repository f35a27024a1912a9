//! OAuth scopes as a set (RFC 6749 section 3.3: unordered, case-sensitive).

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A set of scope tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScopeSet(BTreeSet<String>);

impl ScopeSet {
    /// Reads `text`, split at white space and at `separator`: providers that ask with commas often answer with spaces.
    pub fn parse(text: &str, separator: &str) -> Self {
        text.split(|c: char| c.is_whitespace() || separator.contains(c)).filter(|s| !s.is_empty()).collect()
    }

    /// The form to send or to store.
    pub fn join(&self, separator: &str) -> String {
        self.0.iter().map(String::as_str).collect::<Vec<_>>().join(separator)
    }

    /// What is here and not in `granted`.
    pub fn missing_from(&self, granted: &Self) -> Self {
        Self(self.0.difference(&granted.0).cloned().collect())
    }

    /// All of both.
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl<T: Into<String>> FromIterator<T> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = T>>(scopes: I) -> Self {
        Self(scopes.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_either_separator_and_reports_what_is_missing() {
        let requested = ScopeSet::parse("read write admin", " ");
        let granted = ScopeSet::parse("write,read", ",");
        assert_eq!(requested.missing_from(&granted).join(" "), "admin");
        assert_eq!(granted.join(","), "read,write");
    }
}
