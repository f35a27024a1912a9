//! What came out of a life: one line for each thing that was looked at.

use serde::Serialize;
use std::fmt;

/// The part of a life that a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The manifest can be played at all.
    Describe,
    /// What people fill in.
    Input,
    /// From the consent page to the first token.
    Connect,
    /// What is handed out.
    Fetch,
    /// A token is renewed.
    Refresh,
    /// The provider refuses, or fails.
    Errors,
    /// The grant is ended.
    Revoke,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Describe => "describe",
            Self::Input => "input",
            Self::Connect => "connect",
            Self::Fetch => "fetch",
            Self::Refresh => "refresh",
            Self::Errors => "errors",
            Self::Revoke => "revoke",
        })
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The part of the life.
    pub step: Step,
    /// What has to be so.
    pub what: String,
    /// How it is not so; `None`: it is. No secret is in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The connector.
    pub id: String,
    /// In the order in which it was lived.
    pub checks: Vec<Check>,
}

impl Report {
    /// Whether everything is as it has to be.
    pub fn passed(&self) -> bool {
        !self.checks.is_empty() && self.faults().next().is_none()
    }

    /// What is not.
    pub fn faults(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.fault.is_some())
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            None => write!(f, "{:<9} ok      {}", self.step, self.what),
            Some(fault) => write!(f, "{:<9} FAILED  {}: {fault}", self.step, self.what),
        }
    }
}
