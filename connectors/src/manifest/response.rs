//! Where a token reply keeps what.

use super::is_default;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Where the token reply keeps what: JSON pointers (RFC 6901) from the top of the reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// Its type; where the reply has none, `bearer` is assumed only if `token_type_optional` says so.
    pub token_type: String,
    /// Accept a reply without `token_type`.
    pub token_type_optional: bool,
    /// The refresh token.
    pub refresh_token: String,
    /// The lifetime in seconds.
    pub expires_in: String,
    /// The granted scopes.
    pub scope: String,
    /// The error code: where it holds a non-empty text, the reply is an error whatever its status.
    pub error: String,
    /// A member that is `true` in every success and `false` in an error with status 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ok: Option<String>,
    /// What `ok` holds in every success, where it is a text or a number; anything else there is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ok_value: Option<String>,
    /// Fields to lift out of the reply and hand out with the token, by the name they get.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
    /// The seconds that the refresh token lives.
    #[serde(skip_serializing_if = "is_usual_refresh_lifetime")]
    pub refresh_expires_in: String,
    /// A finer error code beside `error`: where `auth.refresh_errors` knows it, it decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_detail: Option<String>,
    /// In what `expires_in` and `refresh_expires_in` count.
    #[serde(skip_serializing_if = "is_default")]
    pub expires_in_unit: LifetimeUnit,
    /// When the access token ends, where the reply says that instead of a lifetime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The object that is read as the reply is, where the reply itself holds no access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alternate: Option<String>,
    /// What stands before the reply and is no part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip_prefix: Option<String>,
    /// More tokens of the same reply, by the names under which they are handed out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub further: BTreeMap<String, Further>,
}

/// Where a further token is kept in the reply, and what goes with it: JSON pointers like those of the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Further {
    /// The access token.
    pub access_token: String,
    /// What it alone is renewed with; without one it comes anew with the connection's own token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Its lifetime, in the unit of the connection's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<String>,
    /// Its scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

impl Further {
    /// The places of a reply that is about nothing else.
    pub fn on_top(whole: &TokenResponse) -> Self {
        Self {
            access_token: whole.access_token.clone(),
            refresh_token: Some(whole.refresh_token.clone()),
            expires_in: Some(whole.expires_in.clone()),
            scope: Some(whole.scope.clone()),
        }
    }
}

/// In what lifetimes count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LifetimeUnit {
    /// Seconds (RFC 6749 section 5.1).
    #[default]
    Seconds,
    /// Thousandths of a second.
    Milliseconds,
}

impl TokenResponse {
    /// Whether what stands at `ok` says success; `None`: it says neither.
    pub fn says_ok(&self, value: &Value) -> Option<bool> {
        match (&self.ok_value, value) {
            (None, Value::Bool(flag)) => Some(*flag),
            (Some(good), Value::String(text)) => Some(text == good),
            (Some(good), Value::Number(number)) => Some(number.to_string() == *good),
            (None | Some(_), _) => None,
        }
    }

    /// The shape of the object at `alternate` instead of the whole reply: tokens, lifetimes and scopes are looked for there.
    pub fn of_alternate(&self, alternate: &str) -> Self {
        let inner = |pointer: &String| format!("{alternate}{pointer}");
        Self {
            access_token: inner(&self.access_token),
            token_type: inner(&self.token_type),
            refresh_token: inner(&self.refresh_token),
            expires_in: inner(&self.expires_in),
            scope: inner(&self.scope),
            refresh_expires_in: inner(&self.refresh_expires_in),
            expires_at: self.expires_at.as_ref().map(inner),
            ..self.clone()
        }
    }
}

/// Where most providers that tell a refresh token's lifetime tell it.
const USUAL_REFRESH_LIFETIME: &str = "/refresh_token_expires_in";

impl Default for TokenResponse {
    fn default() -> Self {
        Self {
            access_token: "/access_token".to_owned(),
            token_type: "/token_type".to_owned(),
            token_type_optional: false,
            refresh_token: "/refresh_token".to_owned(),
            expires_in: "/expires_in".to_owned(),
            scope: "/scope".to_owned(),
            error: "/error".to_owned(),
            ok: None,
            ok_value: None,
            extra: BTreeMap::new(),
            refresh_expires_in: USUAL_REFRESH_LIFETIME.to_owned(),
            error_detail: None,
            expires_in_unit: LifetimeUnit::Seconds,
            expires_at: None,
            alternate: None,
            strip_prefix: None,
            further: BTreeMap::new(),
        }
    }
}

/// Left out of the canonical text, so that manifests keep the digest that they had before the member existed.
fn is_usual_refresh_lifetime(pointer: &String) -> bool {
    pointer == USUAL_REFRESH_LIFETIME
}
