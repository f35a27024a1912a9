//! The rules of the six recovery classes, as pure functions over what is known of one refresh token.

use serde::{Deserialize, Serialize};

/// What happens to a refresh token when it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecoveryClass {
    /// It never changes.
    N,
    /// A new one is issued and the old one stays good.
    M,
    /// The old one stays good for a fixed time after its first use.
    G,
    /// The old one stays good until a successor of it, or an access token issued with one, is used.
    U,
    /// Single use: the old one just fails.
    S,
    /// Single use, and reuse ends the whole family of tokens.
    F,
}

/// What has happened to a refresh token so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// When it was first exchanged, in unix milliseconds.
    pub spent_at: Option<i64>,
    /// Whether something that was issued for it has been used since.
    pub superseded: bool,
}

impl RecoveryClass {
    /// All of them, in order of severity.
    pub const ALL: [Self; 6] = [Self::N, Self::M, Self::G, Self::U, Self::S, Self::F];

    /// The letter as it stands in paths.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::N => "n",
            Self::M => "m",
            Self::G => "g",
            Self::U => "u",
            Self::S => "s",
            Self::F => "f",
        }
    }

    /// The class in a few words for people.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::N => "refresh tokens never change",
            Self::M => "refresh tokens multiply",
            Self::G => "old refresh tokens have a grace period",
            Self::U => "old refresh tokens last until their successor is used",
            Self::S => "refresh tokens work once",
            Self::F => "refresh tokens work once, and reuse ends the grant",
        }
    }

    /// Whether a refresh issues a new refresh token.
    pub const fn rotates(self) -> bool {
        !matches!(self, Self::N)
    }

    /// Whether presenting a refresh token that is no longer good ends its family.
    pub const fn reuse_ends_family(self) -> bool {
        matches!(self, Self::F)
    }

    /// Whether the first use of a token makes the one that it was issued for bad.
    pub const fn use_supersedes_parent(self) -> bool {
        matches!(self, Self::U)
    }

    /// Whether a refresh token with this history would be accepted at `now`; times and `grace` in milliseconds.
    pub const fn accepts(self, history: History, grace: i64, now: i64) -> bool {
        match (self, history.spent_at) {
            (Self::N | Self::M, _) | (Self::G | Self::S | Self::F, None) => true,
            (Self::G, Some(spent_at)) => now < spent_at.saturating_add(grace),
            (Self::U, _) => !history.superseded,
            (Self::S | Self::F, Some(_)) => false,
        }
    }
}

impl std::fmt::Display for RecoveryClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
