//! What a connection keeps to renew its access with.
//!
//! Invariant: one of these, sealed in one place of the row (see [`crate::sealing`]): what was given is not kept beside a
//! refresh token. A connection that keeps neither is renewed by its client, or not at all.

use crate::further::copy;
use mortise_domain::{RefreshToken, TokenGrant};
use mortise_oauth::Credentials;
use std::collections::BTreeMap;

/// What a further token is asked for with.
#[derive(Debug)]
pub enum Renewal {
    /// RFC 6749 section 6.
    RefreshToken(RefreshToken),
    /// What the customer gave: the token is asked for anew, as often as need be.
    Credentials(Credentials),
    /// One for each token of the connection.
    Several(RefreshTokens),
}

/// The refresh tokens of a connection that has several tokens.
#[derive(Debug, Default)]
pub struct RefreshTokens {
    /// Of its own token, if that can be renewed.
    pub own: Option<RefreshToken>,
    /// Of its further ones, by their names.
    pub further: BTreeMap<String, RefreshToken>,
}

impl RefreshTokens {
    /// What renews the further token `name`, or the connection's own one.
    pub fn of(&self, name: Option<&str>) -> Option<&RefreshToken> {
        match name {
            Some(name) => self.further.get(name),
            None => self.own.as_ref(),
        }
    }

    /// Those of a grant's first reply; `None`: at most the connection's own.
    pub(crate) fn of_grant(grant: &TokenGrant) -> Option<Self> {
        let further = grant.further.iter();
        let further = further.filter_map(|(name, token)| Some((name.clone(), copy(token.refresh_token.as_ref()?))));
        let several = Self { own: grant.refresh_token.as_ref().map(copy), further: further.collect() };
        (!several.further.is_empty()).then_some(several)
    }
}
