//! A change of a class's switches.

use super::{ClassSettings, ExpiresIn, Rate};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A change of some of a class's switches; what is absent stays. Switches that can be off take `null` for that.
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
    /// See [`ClassSettings::ends_prior_access_tokens`]; may be called as manifests call it, too.
    #[serde(alias = "kills_prior_access_token")]
    pub ends_prior_access_tokens: Option<bool>,
    /// See [`ClassSettings::iss`].
    pub iss: Option<bool>,
    /// See [`ClassSettings::latency_ms`].
    pub latency_ms: Option<u32>,
    /// See [`ClassSettings::extra`]; replaces all of it.
    pub extra: Option<Map<String, Value>>,
    /// See [`ClassSettings::refresh_window`].
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub refresh_window: Option<Option<u32>>,
    /// See [`ClassSettings::idle_limit`].
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub idle_limit: Option<Option<u32>>,
    /// See [`ClassSettings::absolute_limit`].
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub absolute_limit: Option<Option<u32>>,
    /// See [`ClassSettings::max_live`].
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub max_live: Option<Option<u32>>,
    /// See [`ClassSettings::mint_rate`].
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub mint_rate: Option<Option<Rate>>,
    /// See [`ClassSettings::reuse_penalty`].
    pub reuse_penalty: Option<bool>,
    /// See [`ClassSettings::same_access_token`].
    pub same_access_token: Option<bool>,
    /// See [`ClassSettings::lifetime_shrink`].
    pub lifetime_shrink: Option<u32>,
    /// See [`ClassSettings::refresh_token_expires_in`].
    pub refresh_token_expires_in: Option<bool>,
}

/// Tells `null` from absent.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
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
        set(&mut settings.refresh_window, self.refresh_window);
        set(&mut settings.idle_limit, self.idle_limit);
        set(&mut settings.absolute_limit, self.absolute_limit);
        set(&mut settings.max_live, self.max_live);
        set(&mut settings.mint_rate, self.mint_rate);
        set(&mut settings.reuse_penalty, self.reuse_penalty);
        set(&mut settings.same_access_token, self.same_access_token);
        set(&mut settings.lifetime_shrink, self.lifetime_shrink);
        set(&mut settings.refresh_token_expires_in, self.refresh_token_expires_in);
    }
}
