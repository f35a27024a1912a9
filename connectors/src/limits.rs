//! What a provider allows and for how long, as the engine needs it: limits as durations, error codes by what they mean.
//!
//! Invariant: pure arithmetic over the manifest. Deliberately absent: counting against a limit, which takes a database.

use crate::{Auth, OAuth2, RecoveryClass, TwoStep};
use mortise_domain::{Deadlines, RefreshRules, Timestamp, gate};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Seconds of grace that are assumed for class G where the manifest does not say: short, because a retry that comes too
/// late costs the connection.
pub const DEFAULT_GRACE: u32 = 60;

/// A number of requests in a number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// How many; at least 1.
    pub requests: u32,
    /// In how many seconds; at least 1.
    pub seconds: u32,
}

impl Rate {
    /// The time between two requests at an even pace.
    pub fn interval(self) -> Duration {
        self.drain(1)
    }

    /// The time that `count` requests take at an even pace.
    pub fn drain(self, count: u64) -> Duration {
        let period = Duration::from_secs(self.seconds.into());
        let nanos = period.as_nanos().saturating_mul(count.into()) / u128::from(self.requests.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

impl From<Rate> for gate::Rate {
    fn from(Rate { requests, seconds }: Rate) -> Self {
        Self { requests, seconds }
    }
}

/// Error codes in replies to a refresh that mean more than the protocol says (RFC 6749 section 5.2 leaves them open).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RefreshErrors {
    /// The grant is gone, as with `invalid_grant`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permanent: Vec<String>,
    /// The provider failed; whether it processed the request is unknown, as with `server_error`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transient: Vec<String>,
    /// The provider asks for fewer requests, as with `slow_down`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub throttled: Vec<String>,
    /// The client is refused and not the grant, as with `invalid_client`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub app: Vec<String>,
}

/// What an error code in the reply to a refresh means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefreshError {
    /// The grant is gone.
    Permanent,
    /// The provider failed.
    Transient,
    /// The provider asks for fewer requests.
    Throttled,
    /// The client is refused.
    App,
}

impl RefreshErrors {
    /// The four lists by their members' names.
    pub fn lists(&self) -> [(&'static str, RefreshError, &[String]); 4] {
        [
            ("permanent", RefreshError::Permanent, &self.permanent),
            ("transient", RefreshError::Transient, &self.transient),
            ("throttled", RefreshError::Throttled, &self.throttled),
            ("app", RefreshError::App, &self.app),
        ]
    }

    /// What `code`, in lower case, means at this provider; `None`: what it means everywhere.
    pub fn meaning(&self, code: &str) -> Option<RefreshError> {
        self.lists()
            .into_iter()
            .find(|(_, _, codes)| codes.iter().any(|known| known == code))
            .map(|(_, error, _)| error)
    }

    /// Whether there is no code in any list.
    pub fn is_empty(&self) -> bool {
        self.lists().iter().all(|(_, _, codes)| codes.is_empty())
    }
}

/// The limits of a provider. `None`: none is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// How long a used refresh token stays good; always there in class G, never in another.
    pub grace: Option<Duration>,
    /// The refresh token ends after this long without a refresh.
    pub idle: Option<Duration>,
    /// The grant ends this long after consent.
    pub absolute: Option<Duration>,
    /// Grants of one account; a newer one ends the oldest.
    pub max_live: Option<u32>,
    /// Requests to the token endpoint, from all connections together, and from each.
    pub gate: gate::Limits,
}

impl OAuth2 {
    /// For how many seconds a used refresh token stays good: `None` where the class is not G.
    pub fn grace_seconds(&self) -> Option<u32> {
        (self.recovery_class == RecoveryClass::G).then(|| self.grace.unwrap_or(DEFAULT_GRACE))
    }

    /// The provider's limits.
    pub fn limits(&self) -> Limits {
        Limits {
            grace: seconds(self.grace_seconds()),
            idle: seconds(self.idle_limit),
            absolute: seconds(self.absolute_limit),
            max_live: self.max_live,
            gate: gate::Limits {
                rate: self.rate_limit.map(Into::into),
                concurrency: self.concurrency,
                mint: self.mint_rate.map(Into::into),
            },
        }
    }

    /// What decides when an access token is renewed.
    pub fn refresh_rules(&self) -> RefreshRules {
        RefreshRules {
            margin: seconds(self.refresh_margin),
            window: seconds(self.refresh_window),
            kills_prior_access_token: self.kills_prior_access_token,
        }
    }

    /// How long an access token lives where nothing else tells.
    pub fn assumed_lifetime(&self) -> Option<Duration> {
        seconds(self.default_lifetime)
    }

    /// When a grant ends for good, given at `granted_at` and last refreshed at `refreshed_at` with a reply that told
    /// `told` as the refresh token's lifetime. What the reply says is more exact than the manifest's `idle_limit`. A
    /// refresh token that never changes (class N) is not given another life by a refresh, so there it is the absolute end.
    pub fn deadlines(&self, granted_at: Timestamp, refreshed_at: Timestamp, told: Option<Duration>) -> Deadlines {
        let limits = self.limits();
        let fixed = told.filter(|_| self.recovery_class == RecoveryClass::N);
        let sliding = told.filter(|_| self.recovery_class != RecoveryClass::N).or(limits.idle);
        Deadlines::new(granted_at, refreshed_at, limits.absolute, sliding, fixed)
    }
}

/// The same for every mode: what has no protocol never ends by itself, and nothing renews it.
impl Auth {
    /// The provider's limits.
    pub fn limits(&self) -> Limits {
        match self {
            Self::TwoStep(auth) => auth.limits(),
            _ => self.oauth2().map(OAuth2::limits).unwrap_or_default(),
        }
    }

    /// What decides when an access token is renewed.
    pub fn refresh_rules(&self) -> RefreshRules {
        match self {
            Self::TwoStep(auth) => RefreshRules {
                margin: seconds(auth.refresh_margin),
                window: None,
                kills_prior_access_token: auth.kills_prior_access_token,
            },
            _ => self.oauth2().map(OAuth2::refresh_rules).unwrap_or_default(),
        }
    }

    /// How long an access token lives where nothing else tells.
    pub fn assumed_lifetime(&self) -> Option<Duration> {
        match self {
            Self::TwoStep(auth) => seconds(auth.default_lifetime),
            _ => self.oauth2()?.assumed_lifetime(),
        }
    }

    /// When a grant ends for good; see [`OAuth2::deadlines`]. What is given to a login does not end by itself.
    pub fn deadlines(&self, granted_at: Timestamp, refreshed_at: Timestamp, told: Option<Duration>) -> Deadlines {
        match self {
            Self::TwoStep(_) => Deadlines::new(granted_at, refreshed_at, None, told, None),
            _ => self.oauth2().map(|auth| auth.deadlines(granted_at, refreshed_at, told)).unwrap_or_default(),
        }
    }

    /// What the provider's own error codes mean in the reply to a renewal.
    pub fn refresh_errors(&self) -> Option<&RefreshErrors> {
        match self {
            Self::TwoStep(auth) => Some(&auth.refresh_errors),
            _ => self.oauth2().map(|auth| &auth.refresh_errors),
        }
    }

    /// What happens to a refresh token when it is used; what is pasted never changes.
    pub fn recovery_class(&self) -> RecoveryClass {
        match self {
            Self::TwoStep(auth) => auth.recovery_class(),
            _ => self.oauth2().map_or(RecoveryClass::N, |auth| auth.recovery_class),
        }
    }
}

impl TwoStep {
    /// The provider's limits.
    fn limits(&self) -> Limits {
        Limits {
            grace: (self.recovery_class() == RecoveryClass::G).then(|| Duration::from_secs(DEFAULT_GRACE.into())),
            gate: gate::Limits {
                rate: self.rate_limit.map(Into::into),
                concurrency: self.concurrency,
                mint: self.mint_rate.map(Into::into),
            },
            ..Limits::default()
        }
    }

    /// What happens to a refresh token when it is used; where there is none, nothing can.
    fn recovery_class(&self) -> RecoveryClass {
        if self.refresh.is_empty() { RecoveryClass::N } else { self.recovery_class.unwrap_or_default() }
    }
}

fn seconds(number: Option<u32>) -> Option<Duration> {
    number.map(|seconds| Duration::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests;
