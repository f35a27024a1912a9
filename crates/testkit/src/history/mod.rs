//! A history checker: what the provider logged, what the timelines say and what callers were answered, put together and held
//! against the rules of a refresh engine that never loses a grant.
//!
//! Invariant: a verdict needs all three witnesses and trusts none of them alone; the program's own word that all is well
//! counts for nothing. Everything is compared by fingerprints of tokens and by times of one machine's clock, give or take
//! [`History::skew_ms`]. Deliberately absent: reading logs of the program, and any knowledge of how its engine is built.

mod account;
mod ask;
mod read;
mod rule;
mod rules;
mod witness;

pub use read::ReadError;
pub use rule::{Rule, Violation};
pub use witness::{Connection, Event, Fetch, Grant, Request, Token, Window};

/// Everything that is known of a run that has come to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// The token endpoint's log, in order of arrival.
    pub requests: Vec<Request>,
    /// What the provider knows at the end.
    pub grants: Vec<Grant>,
    /// What the program knows at the end.
    pub connections: Vec<Connection>,
    /// What callers were answered.
    pub fetches: Vec<Fetch>,
    /// When replies may be lost, apart from those that the provider knows that it did not deliver.
    pub windows: Vec<Window>,
    /// How far the witnesses' clocks may be apart.
    pub skew_ms: i64,
}

impl Default for History {
    fn default() -> Self {
        let (requests, grants, connections) = (Vec::new(), Vec::new(), Vec::new());
        Self { requests, grants, connections, fetches: Vec::new(), windows: Vec::new(), skew_ms: 5 }
    }
}

impl History {
    /// Everything that is against a rule, in the order of the rules.
    pub fn check(&self) -> Vec<Violation> {
        let mut found = rules::check(self);
        found.sort_by_key(|violation| violation.rule);
        found
    }

    /// Checks, and ends the test with what was found.
    ///
    /// # Panics
    /// When a rule was broken, or when there was nothing to judge.
    #[track_caller]
    pub fn assert_holds(&self) {
        assert!(!self.requests.is_empty() && !self.connections.is_empty(), "an empty history proves nothing");
        let found = self.check();
        assert!(found.is_empty(), "{} rules broken: {found:#?}\n{self:?}", found.len());
    }
}

#[cfg(test)]
mod tests;
