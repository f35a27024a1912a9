//! The rules by name, and what is said when one is broken.

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// No two requests with one refresh token are in flight at once.
    Overlap,
    /// Once a successor is stored or was presented, the token before it is not presented again (but in N and M).
    Stale,
    /// What is presented or handed out was issued by the provider, for this connection.
    Provenance,
    /// Stored generations follow each other without a gap, each made from the one before.
    Chain,
    /// A stored pair was issued for the refresh token of the pair stored before it (in N, M and G: or of an earlier one).
    Parent,
    /// Before a request there is its intent in the timeline.
    Intent,
    /// What callers were given had been stored before.
    Published,
    /// A successor that was issued is stored, unless its reply was lost by somebody else.
    Lost,
    /// Nobody is given an older token after a newer one.
    Monotonic,
    /// `needs_reauth` is said only after the provider's own refusal.
    FalseDeath,
    /// Who holds a refresh token that the provider would accept is not asked to connect again.
    DeadThoughAlive,
    /// What was ended or taken out of service sends nothing.
    SentAfterEnd,
}

/// What was seen against a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// Whose connection, request or grant, and what happened.
    pub what: String,
}
