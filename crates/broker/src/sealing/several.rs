//! The forms that several tokens of one connection are sealed in: the further ones beside the access token, the refresh tokens
//! in the place of one.
//!
//! Invariant: a form that holds one token is what it was before there were others.

use super::SealedAccess;
use crate::Result;
use crate::further::{FurtherTokens, KeptToken};
use crate::refresh::core::Times;
use crate::renewal::RefreshTokens;
use mortise_domain::{AccessToken, RefreshToken, ScopeSet};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Further tokens as they stand beside the access token.
#[derive(Serialize, Deserialize)]
pub(super) struct SealedFurther<'a> {
    #[serde(rename = "o")]
    own: Times,
    #[serde(rename = "n", borrow)]
    tokens: BTreeMap<Cow<'a, str>, SealedToken<'a>>,
}

#[derive(Serialize, Deserialize)]
struct SealedToken<'a> {
    #[serde(rename = "t", borrow)]
    token: Cow<'a, str>,
    #[serde(rename = "s", skip_serializing_if = "Option::is_none", default)]
    scopes: Option<Cow<'a, ScopeSet>>,
    #[serde(flatten)]
    times: Times,
}

impl<'a> SealedFurther<'a> {
    pub(super) fn of(further: &'a FurtherTokens) -> Self {
        let tokens = further.tokens.iter().map(|(name, kept)| {
            let token = SealedToken {
                token: kept.token.expose().into(),
                scopes: kept.scopes.as_ref().map(Cow::Borrowed),
                times: kept.times,
            };
            (name.into(), token)
        });
        Self { own: further.own, tokens: tokens.collect() }
    }

    pub(super) fn open(self) -> FurtherTokens {
        let tokens = self.tokens.into_iter().map(|(name, sealed)| {
            let scopes = sealed.scopes.map(Cow::into_owned);
            (name.into_owned(), KeptToken { token: AccessToken::new(sealed.token), scopes, times: sealed.times })
        });
        FurtherTokens { own: self.own, tokens: tokens.collect() }
    }
}

/// What stands beside an access token, with these further tokens in the place of those that are there.
pub(super) fn with_further(plain: &[u8], further: &FurtherTokens) -> Result<Zeroizing<Vec<u8>>> {
    let mut access: SealedAccess<'_> = serde_json::from_slice(plain)?;
    access.further = Some(SealedFurther::of(further));
    Ok(Zeroizing::new(serde_json::to_vec(&access)?))
}

/// What stands before several refresh tokens in the place of one, which never holds a control character.
pub(super) const MARK: char = '\u{2}';

#[derive(Serialize, Deserialize)]
struct SealedRefresh<'a> {
    #[serde(rename = "o", skip_serializing_if = "Option::is_none", default, borrow)]
    own: Option<Cow<'a, str>>,
    #[serde(rename = "n", borrow)]
    further: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

/// Refresh tokens in a form that no single one can have.
pub(super) fn sealed(tokens: &RefreshTokens) -> Result<Zeroizing<String>> {
    let form = SealedRefresh {
        own: tokens.own.as_ref().map(|token| token.expose().into()),
        further: tokens.further.iter().map(|(name, token)| (name.into(), token.expose().into())).collect(),
    };
    let plain = Zeroizing::new(serde_json::to_string(&form)?);
    let mut marked = Zeroizing::new(String::with_capacity(plain.len() + MARK.len_utf8()));
    marked.push(MARK);
    marked.push_str(&plain);
    Ok(marked)
}

/// Back from what stands behind the mark.
pub(super) fn opened(plain: &str) -> Result<RefreshTokens> {
    let form: SealedRefresh<'_> = serde_json::from_str(plain)?;
    let further = form.further.into_iter().map(|(name, token)| (name.into_owned(), RefreshToken::new(token)));
    Ok(RefreshTokens { own: form.own.map(RefreshToken::new), further: further.collect() })
}

#[cfg(test)]
mod tests;
