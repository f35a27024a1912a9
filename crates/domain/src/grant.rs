//! What a token endpoint gave, after every quirk of its reply was ironed out.

use crate::{AccessToken, DpopKey, PastedSecret, RefreshToken, ScopeSet};
use std::collections::BTreeMap;
use std::time::Duration;

/// How the access token is to be presented (RFC 6749 section 7.1), in lower case: `bearer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenType(String);

impl TokenType {
    /// RFC 6750.
    pub fn bearer() -> Self {
        Self("bearer".to_owned())
    }

    /// Compares case-insensitively, so it keeps the lower-case form.
    pub fn new(text: &str) -> Self {
        Self(text.to_ascii_lowercase())
    }

    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A successful answer of a token endpoint (RFC 6749 section 5.1).
#[derive(Debug)]
pub struct TokenGrant {
    /// The token to hand out.
    pub access_token: AccessToken,
    /// How to present it.
    pub token_type: TokenType,
    /// Absent on a refresh: the one that was sent stays good (section 6).
    pub refresh_token: Option<RefreshToken>,
    /// Counted from the moment the request was sent. `None`: the provider told no lifetime and the manifest knows none.
    pub lifetime: Option<Duration>,
    /// How long the refresh token lives, counted from the same moment. `None`: the reply does not say.
    pub refresh_lifetime: Option<Duration>,
    /// Absent: as requested (section 5.1).
    pub granted_scopes: Option<ScopeSet>,
    /// What the tokens are bound to (RFC 9449); `None`: nothing.
    pub dpop_key: Option<DpopKey>,
    /// Fields that the manifest lifts out of the reply, such as `instance_url`.
    pub extra: BTreeMap<String, serde_json::Value>,
    /// Secrets that are sealed beside the access token and outlive its renewals, such as a part of what calls carry.
    pub kept: BTreeMap<String, PastedSecret>,
    /// More tokens of the same reply, by the names that the manifest gives them.
    pub further: BTreeMap<String, FurtherToken>,
}

/// One of several tokens in a reply, beside the connection's own. It is a bearer token (RFC 6750).
#[derive(Debug)]
pub struct FurtherToken {
    /// The token to hand out.
    pub access_token: AccessToken,
    /// What it alone is renewed with. Absent in its first reply: it comes anew with the connection's own token. Absent on a
    /// refresh: the one that was sent stays good.
    pub refresh_token: Option<RefreshToken>,
    /// Counted from the moment the request was sent. `None`: nobody knows.
    pub lifetime: Option<Duration>,
    /// Absent: the reply does not say.
    pub granted_scopes: Option<ScopeSet>,
}

/// The answer to the refresh of a further token.
#[derive(Debug)]
pub struct FurtherGrant {
    /// The connection's own token, where the reply brought that too.
    pub own: Option<TokenGrant>,
    /// The token that was asked for, and whichever others the reply brought.
    pub further: BTreeMap<String, FurtherToken>,
}
