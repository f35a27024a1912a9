//! How each class of the sandbox behaves beyond its refresh tokens; changed at run time by the control endpoints.

mod patch;

pub use patch::ClassSettingsPatch;

use crate::config::SandboxConfig;
use crate::ledger::Rules;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// How a token reply tells the lifetime (RFC 6749 section 5.1, `expires_in`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiresIn {
    /// As a JSON number.
    #[default]
    Number,
    /// As a JSON string of digits.
    Text,
    /// Not at all.
    Omitted,
}

/// At most so many requests in any span of so many seconds. Neither is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// How many.
    pub requests: std::num::NonZeroU32,
    /// The length of the span.
    pub seconds: std::num::NonZeroU32,
}

/// One class's switches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassSettings {
    /// Seconds that access tokens live.
    pub access_token_lifetime: u32,
    /// Class G: seconds for which a refresh token stays good after its first use.
    pub grace: u32,
    /// How token replies tell the lifetime.
    pub expires_in: ExpiresIn,
    /// Whether a code exchange issues a refresh token.
    pub issue_refresh_token: bool,
    /// Class N: whether a refresh repeats the refresh token instead of leaving it out (RFC 6749 section 6).
    pub repeat_refresh_token: bool,
    /// Whether a refresh makes the earlier access tokens of its grant bad.
    pub ends_prior_access_tokens: bool,
    /// Whether callbacks carry `iss` (RFC 9207).
    pub iss: bool,
    /// Milliseconds that a token request waits before it takes effect. Requests that race each other with one refresh
    /// token are seen as overlapping only while they wait: without latency each is done in microseconds.
    pub latency_ms: u32,
    /// Members that token replies carry beside or instead of `instance_url`.
    pub extra: Map<String, Value>,
    /// Seconds before the end of the newest access token from which on a refresh is accepted; an earlier one is refused
    /// with `invalid_grant` and spends nothing. 0: only once it has expired. Absent: at any time.
    #[serde(default)]
    pub refresh_window: Option<u32>,
    /// Seconds without a refresh after which a grant's refresh tokens are dead.
    #[serde(default)]
    pub idle_limit: Option<u32>,
    /// Seconds after the consent at which a grant ends whatever happens; access tokens never outlive it.
    #[serde(default)]
    pub absolute_limit: Option<u32>,
    /// How many grants one account may have at one client; a newer one ends the oldest.
    #[serde(default)]
    pub max_live: Option<u32>,
    /// How often one grant may be refreshed; more is refused with 429 and `Retry-After`, and spends nothing.
    #[serde(default)]
    pub mint_rate: Option<Rate>,
    /// Whether one reuse ends all grants of the client.
    #[serde(default)]
    pub reuse_penalty: bool,
    /// Whether a refresh gives the same access token out again while it lives, with the seconds that it has left.
    #[serde(default)]
    pub same_access_token: bool,
    /// Seconds by which each access token of a grant lives shorter than the one before it, down to one second.
    #[serde(default)]
    pub lifetime_shrink: u32,
    /// Whether replies tell in `refresh_token_expires_in` after how many seconds the refresh token is dead if not used.
    #[serde(default)]
    pub refresh_token_expires_in: bool,
}

impl ClassSettings {
    /// Where every class starts.
    pub(crate) fn initial(config: &SandboxConfig) -> Self {
        let seconds = |duration: Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
        Self {
            access_token_lifetime: seconds(config.access_token_lifetime),
            grace: seconds(config.grace),
            expires_in: ExpiresIn::Number,
            issue_refresh_token: true,
            repeat_refresh_token: false,
            ends_prior_access_tokens: false,
            iss: true,
            latency_ms: 0,
            extra: Map::new(),
            refresh_window: None,
            idle_limit: None,
            absolute_limit: None,
            max_live: None,
            mint_rate: None,
            reuse_penalty: false,
            same_access_token: false,
            lifetime_shrink: 0,
            refresh_token_expires_in: false,
        }
    }

    /// The lifetime of the next access token of a grant to which `issued` were issued so far, in milliseconds.
    pub(crate) fn lifetime_ms(&self, issued: u64) -> i64 {
        let shrunk = u64::from(self.lifetime_shrink).saturating_mul(issued);
        let left = u64::from(self.access_token_lifetime).saturating_sub(shrunk);
        let shortest = u64::from(self.access_token_lifetime.min(1));
        i64::try_from(left.max(shortest)).unwrap_or(i64::MAX).saturating_mul(1000)
    }

    /// The limits on grants, in milliseconds.
    pub(crate) fn rules(&self) -> Rules {
        let ms = |seconds: u32| i64::from(seconds) * 1000;
        Rules {
            grace: ms(self.grace),
            refresh_window: self.refresh_window.map(ms),
            idle_limit: self.idle_limit.map(ms),
            absolute_limit: self.absolute_limit.map(ms),
            mint_rate: self.mint_rate.map(|rate| (rate.requests.get() as usize, ms(rate.seconds.get()))),
            reuse_penalty: self.reuse_penalty,
        }
    }
}

#[cfg(test)]
mod tests;
