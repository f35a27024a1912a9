//! How each class of the sandbox behaves beyond its refresh tokens; changed at run time by the control endpoints.

use crate::config::SandboxConfig;
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
    /// Milliseconds of real time that a token request waits before it takes effect. Requests that race each other with
    /// one refresh token are seen as overlapping only while they wait: without latency each is done in microseconds.
    pub latency_ms: u32,
    /// Members that token replies carry beside or instead of `instance_url`.
    pub extra: Map<String, Value>,
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
        }
    }

    /// The lifetime of access tokens in milliseconds.
    pub(crate) fn lifetime_ms(&self) -> i64 {
        i64::from(self.access_token_lifetime) * 1000
    }

    /// The grace of class G in milliseconds.
    pub(crate) fn grace_ms(&self) -> i64 {
        i64::from(self.grace) * 1000
    }
}

/// A change of some of a class's switches; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClassSettingsPatch {
    /// See [`ClassSettings::access_token_lifetime`].
    pub access_token_lifetime: Option<u32>,
    /// See [`ClassSettings::grace`].
    pub grace: Option<u32>,
    /// See [`ClassSettings::expires_in`].
    pub expires_in: Option<ExpiresIn>,
    /// See [`ClassSettings::issue_refresh_token`].
    pub issue_refresh_token: Option<bool>,
    /// See [`ClassSettings::repeat_refresh_token`].
    pub repeat_refresh_token: Option<bool>,
    /// See [`ClassSettings::ends_prior_access_tokens`].
    pub ends_prior_access_tokens: Option<bool>,
    /// See [`ClassSettings::iss`].
    pub iss: Option<bool>,
    /// See [`ClassSettings::latency_ms`].
    pub latency_ms: Option<u32>,
    /// See [`ClassSettings::extra`]; replaces all of it.
    pub extra: Option<Map<String, Value>>,
}

impl ClassSettingsPatch {
    /// Changes `settings`.
    pub(crate) fn apply(self, settings: &mut ClassSettings) {
        fn set<T>(slot: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *slot = value;
            }
        }
        set(&mut settings.access_token_lifetime, self.access_token_lifetime);
        set(&mut settings.grace, self.grace);
        set(&mut settings.expires_in, self.expires_in);
        set(&mut settings.issue_refresh_token, self.issue_refresh_token);
        set(&mut settings.repeat_refresh_token, self.repeat_refresh_token);
        set(&mut settings.ends_prior_access_tokens, self.ends_prior_access_tokens);
        set(&mut settings.iss, self.iss);
        set(&mut settings.latency_ms, self.latency_ms);
        set(&mut settings.extra, self.extra);
    }
}
