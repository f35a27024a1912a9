//! A whole grant in the place of a provider's code, while the backend is asked who came back: one value to seal.

use crate::Result;
use mortise_domain::{
    AccessToken, AuthorizationCode, DpopKey, FurtherToken, PastedSecret, RefreshToken, ScopeSet, Timestamp, TokenGrant,
    TokenType,
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
    #[serde(default, borrow)]
    further: BTreeMap<Cow<'a, str>, HeldFurther<'a>>,
    sent_at: Timestamp,
}

/// A further token of the grant.
#[derive(Serialize, Deserialize)]
struct HeldFurther<'a> {
    #[serde(borrow)]
    access_token: Cow<'a, str>,
    refresh_token: Option<Cow<'a, str>>,
    lifetime: Option<Duration>,
    granted_scopes: Option<ScopeSet>,
}

impl<'a> HeldFurther<'a> {
    fn of(token: &'a FurtherToken) -> Self {
        Self {
            access_token: token.access_token.expose().into(),
            refresh_token: token.refresh_token.as_ref().map(|token| token.expose().into()),
            lifetime: token.lifetime,
            granted_scopes: token.granted_scopes.clone(),
        }
    }

    fn open(self) -> FurtherToken {
        FurtherToken {
            access_token: AccessToken::new(self.access_token),
            refresh_token: self.refresh_token.map(RefreshToken::new),
            lifetime: self.lifetime,
            granted_scopes: self.granted_scopes,
        }
    }
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
            further: grant.further.iter().map(|(name, token)| (name.into(), HeldFurther::of(token))).collect(),
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
            further: held.further.into_iter().map(|(name, held)| (name.into_owned(), held.open())).collect(),
        };
        Ok((grant, held.sent_at))
    }
}
