//! A whole grant in the place of a provider's code, while the backend is asked who came back: one value to seal.

use crate::Result;
use mortise_domain::{
    AccessToken, AuthorizationCode, DpopKey, PastedSecret, RefreshToken, ScopeSet, Timestamp, TokenGrant, TokenType,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;
use zeroize::Zeroizing;

/// A grant, and when it was asked for.
#[derive(Serialize, Deserialize)]
pub(in super::super) struct Held<'a> {
    #[serde(borrow)]
    access_token: Cow<'a, str>,
    token_type: String,
    refresh_token: Option<Cow<'a, str>>,
    lifetime: Option<Duration>,
    refresh_lifetime: Option<Duration>,
    granted_scopes: Option<ScopeSet>,
    dpop_key: Option<Cow<'a, str>>,
    extra: Cow<'a, BTreeMap<String, Value>>,
    kept: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    sent_at: Timestamp,
}

impl Held<'_> {
    /// As one secret.
    pub(in super::super) fn seal(grant: &TokenGrant, sent_at: Timestamp) -> Result<AuthorizationCode> {
        let held = Held {
            access_token: grant.access_token.expose().into(),
            token_type: grant.token_type.as_str().to_owned(),
            refresh_token: grant.refresh_token.as_ref().map(|token| token.expose().into()),
            lifetime: grant.lifetime,
            refresh_lifetime: grant.refresh_lifetime,
            granted_scopes: grant.granted_scopes.clone(),
            dpop_key: grant.dpop_key.as_ref().map(|key| key.expose().into()),
            extra: Cow::Borrowed(&grant.extra),
            kept: grant.kept.iter().map(|(name, value)| (name.into(), value.expose().into())).collect(),
            sent_at,
        };
        let text = Zeroizing::new(serde_json::to_string(&held)?);
        Ok(AuthorizationCode::new(text.as_str()))
    }

    /// Back from one secret.
    pub(in super::super) fn open(sealed: &AuthorizationCode) -> Result<(TokenGrant, Timestamp)> {
        let held: Held<'_> = serde_json::from_str(sealed.expose())?;
        let kept = held.kept.into_iter().map(|(name, value)| (name.into_owned(), PastedSecret::new(value)));
        let grant = TokenGrant {
            access_token: AccessToken::new(held.access_token),
            token_type: TokenType::new(&held.token_type),
            refresh_token: held.refresh_token.map(RefreshToken::new),
            lifetime: held.lifetime,
            refresh_lifetime: held.refresh_lifetime,
            granted_scopes: held.granted_scopes,
            dpop_key: held.dpop_key.map(DpopKey::new),
            extra: held.extra.into_owned(),
            kept: kept.collect(),
        };
        Ok((grant, held.sent_at))
    }
}
