//! The further tokens of a connection whose provider gives several: what is kept of each, and whose turn it is.
//!
//! Invariant: one attempt renews one token, and which one it is follows from what is sealed in the row alone, so that an
//! attempt after a crash asks for the same again. Deliberately absent: the clock.

use crate::refresh::core::{Granted, Others, Rules, Times, first};
use crate::renewal::RefreshTokens;
use mortise_domain::{AccessToken, Deadlines, FurtherToken, RefreshToken, ScopeSet, Timestamp, TokenGrant};
use std::collections::BTreeMap;
use std::time::Duration;

/// A further token as it is kept. Its refresh token is kept elsewhere (see [`RefreshTokens`]).
#[derive(Debug)]
pub struct KeptToken {
    /// The token.
    pub token: AccessToken,
    /// What it may do, where the provider told.
    pub scopes: Option<ScopeSet>,
    /// What it comes to.
    pub times: Times,
}

impl KeptToken {
    /// Whether it is this one.
    pub(crate) fn is(&self, token: &AccessToken) -> bool {
        self.token.expose() == token.expose()
    }
}

/// The further tokens of a connection.
#[derive(Debug)]
pub struct FurtherTokens {
    /// What the connection's own token comes to: its row tells the first of all.
    pub own: Times,
    /// By the names of the manifest.
    pub tokens: BTreeMap<String, KeptToken>,
}

impl FurtherTokens {
    /// Whose turn it is of those that `refresh` has something for: the name of a further token, or `None` for the
    /// connection's own, which comes first of equals. Its own token has its turn even where nothing can renew it, because
    /// it ends all the same.
    pub fn turn(&self, refresh: &RefreshTokens) -> Option<&str> {
        let own = (refresh.own.is_some() || self.own.turn().is_some()).then_some((self.own.turn(), None));
        let renewable = self.tokens.iter().filter(|(name, _)| refresh.further.contains_key(*name));
        let further = renewable.map(|(name, kept)| (kept.times.turn(), Some(name.as_str())));
        let first = own.into_iter().chain(further).min_by_key(|(turn, _)| turn.unwrap_or(Timestamp::MAX_UTC));
        first.and_then(|(_, name)| name)
    }

    /// What all tokens come to that a refresh can still bring anew, but for `but`.
    pub fn others(&self, but: Option<&str>, refresh: &RefreshTokens) -> Others {
        let own = but.is_some().then_some(&self.own);
        let further =
            self.tokens.iter().filter(|(name, _)| but != Some(name.as_str()) && refresh.further.contains_key(*name));
        own.into_iter().chain(further.map(|(_, kept)| &kept.times)).fold(Others::default(), Others::and)
    }

    /// Whether the connection's own token lives so long still, counted from `now`.
    pub fn own_lives_for(&self, least: Duration, now: Timestamp) -> bool {
        self.own.expires_at.is_none_or(|end| end >= now + least)
    }

    /// How long the token lives that ends first.
    pub fn life(&self) -> Option<Duration> {
        let all = [&self.own].into_iter().chain(self.tokens.values().map(|kept| &kept.times));
        let first = all.filter_map(|times| Some((times.expires_at?, times.asked_at))).min()?;
        (first.0 - first.1).to_std().ok()
    }

    /// What is kept of a grant's first reply, with what its further tokens come to. `None`: it brought one token.
    pub(crate) fn of_first(
        grant: &TokenGrant,
        rules: &Rules,
        asked_at: Timestamp,
        deadlines: impl Fn() -> Deadlines,
        fraction: f64,
    ) -> Option<Self> {
        let times = |token: &FurtherToken| {
            let granted = Granted {
                asked_at,
                lifetime: token.lifetime,
                deadlines: deadlines(),
                rotated: token.refresh_token.is_some(),
                unchanged: false,
                others: Others::default(),
            };
            first(rules, &granted, granted.rotated, false, fraction).own
        };
        let tokens = grant.further.iter().map(|(name, token)| {
            let kept = KeptToken {
                token: AccessToken::new(token.access_token.expose()),
                scopes: token.granted_scopes.clone(),
                times: times(token),
            };
            (name.clone(), kept)
        });
        // The own token's times are known only when those of the others are.
        let own = Times { asked_at, expires_at: None, next_refresh_at: None, refresh_idle_at: None };
        (!grant.further.is_empty()).then(|| Self { own, tokens: tokens.collect() })
    }
}

/// How long the connection's own token counts as living. A token that has nothing of its own to be renewed with comes anew
/// with the own one: both are asked for when the first of them ends.
pub(crate) fn shared_life(
    own: Option<Duration>,
    further: &BTreeMap<String, FurtherToken>,
    alone: impl Fn(&str) -> bool,
) -> Option<Duration> {
    let riders = further.iter().filter(|(name, _)| !alone(name)).filter_map(|(_, token)| token.lifetime);
    own.into_iter().chain(riders).min()
}

/// A second copy of a refresh token, to be sealed.
pub(crate) fn copy(token: &RefreshToken) -> RefreshToken {
    RefreshToken::new(token.expose())
}

#[cfg(test)]
mod tests;
