//! A connection with several tokens: one of them is renewed, and all are written down.
//!
//! Invariant: what an attempt did not renew is stored again as it was, token and refresh token alike.

use super::Drive;
use crate::Result;
use crate::further::{FurtherTokens, KeptToken, copy, shared_life};
use crate::refresh::core::{Credential, Granted, Others, Pair, Rules, Standing, Times, renewed};
use crate::renewal::{RefreshTokens, Renewal};
use mortise_domain::{FurtherToken, RefreshToken, Timestamp, TokenGrant};
use std::collections::BTreeMap;

/// The connection's tokens as they are and as they will be.
#[derive(Default)]
pub(super) struct Several {
    /// The further token whose turn it is; `None`: the connection's own.
    turn: Option<String>,
    /// What is in store to renew with.
    refresh: RefreshTokens,
    /// The further tokens that the row will hold; `None`: what it holds is not touched.
    tokens: Option<FurtherTokens>,
}

impl Several {
    pub(super) fn turn(&self) -> Option<&str> {
        self.turn.as_deref()
    }

    /// The further tokens to store with `pair`, which tells what the token comes to whose turn it was.
    pub(super) fn with(&mut self, pair: &Pair) -> Option<&FurtherTokens> {
        let tokens = self.tokens.as_mut()?;
        match self.turn.as_deref() {
            None => tokens.own = pair.own,
            Some(name) => {
                if let Some(kept) = tokens.tokens.get_mut(name) {
                    kept.times = pair.own;
                }
            }
        }
        Some(tokens)
    }
}

impl Drive<'_> {
    /// The refresh token of whichever token has its turn, of `tokens` as `credential` has them. `None`: it has none.
    pub(super) async fn whose_turn(
        &mut self,
        credential: Credential,
        tokens: RefreshTokens,
    ) -> Result<Option<RefreshToken>> {
        if credential == Credential::Previous {
            // The one before it of the same token; where that is not told apart, the present one again.
            let turn = self.several.turn();
            return Ok(tokens.of(turn).or_else(|| self.several.refresh.of(turn)).map(copy));
        }
        let row = &self.claimed.connection;
        if let Some(sealed) = &row.access {
            let beside = self.engine.seams.seals.beside(self.place(row.generation), sealed).await?;
            self.several.turn = beside.further.and_then(|kept| kept.turn(&tokens).map(str::to_owned));
        }
        self.several.refresh = tokens;
        Ok(self.several.refresh.of(self.several.turn()).map(copy))
    }

    /// What an answer means for what is decided, with the tokens that it left as they were.
    pub(super) async fn weigh(
        &mut self,
        asked_at: Timestamp,
        own: Option<&TokenGrant>,
        mut further: BTreeMap<String, FurtherToken>,
        kept: Option<FurtherTokens>,
    ) -> Granted {
        self.remember_refresh_tokens(own, &mut further);
        let turn = self.several.turn.clone();
        let of_own = match own {
            Some(grant) => Some(self.own_granted(asked_at, grant, &further).await),
            None => None,
        };
        let plans: BTreeMap<_, _> = further
            .iter()
            .map(|(name, token)| (name.clone(), self.further_granted(asked_at, name, token, kept.as_ref())))
            .collect();
        self.several.tokens = self.merged(asked_at, of_own, further, &plans, kept);
        let granted = match &turn {
            Some(name) => plans.get(name).copied(),
            None => of_own,
        };
        let others = self.several.tokens.as_ref().map(|all| all.others(turn.as_deref(), &self.several.refresh));
        let nothing = Granted {
            asked_at,
            lifetime: None,
            deadlines: self.app.manifest.auth.deadlines(self.claimed.connection.granted_at, asked_at, None),
            rotated: false,
            unchanged: false,
            others: Others::default(),
        };
        Granted { others: others.unwrap_or_default(), ..granted.unwrap_or(nothing) }
    }

    /// Puts the refresh tokens of an answer in the place of those that were spent.
    fn remember_refresh_tokens(&mut self, own: Option<&TokenGrant>, further: &mut BTreeMap<String, FurtherToken>) {
        if let Some(token) = own.and_then(|grant| grant.refresh_token.as_ref()) {
            self.several.refresh.own = Some(copy(token));
        } else if let (None, None, Some(Renewal::RefreshToken(sent))) =
            (&self.several.refresh.own, &self.several.turn, &self.credential)
        {
            self.several.refresh.own = Some(copy(sent));
        }
        for (name, token) in further {
            if let Some(token) = &token.refresh_token {
                self.several.refresh.further.insert(name.clone(), copy(token));
            }
        }
    }

    async fn own_granted(
        &self,
        asked_at: Timestamp,
        grant: &TokenGrant,
        further: &BTreeMap<String, FurtherToken>,
    ) -> Granted {
        let alone = |name: &str| self.several.refresh.further.contains_key(name);
        let renewable = self.several.refresh.own.is_some();
        Granted {
            asked_at,
            lifetime: if renewable { shared_life(grant.lifetime, further, alone) } else { grant.lifetime },
            deadlines: self.app.manifest.auth.deadlines(
                self.claimed.connection.granted_at,
                asked_at,
                grant.refresh_lifetime,
            ),
            rotated: grant.refresh_token.is_some(),
            unchanged: self.is_unchanged(&grant.access_token).await,
            others: Others::default(),
        }
    }

    fn further_granted(
        &self,
        asked_at: Timestamp,
        name: &str,
        token: &FurtherToken,
        kept: Option<&FurtherTokens>,
    ) -> Granted {
        let before = kept.and_then(|kept| kept.tokens.get(name));
        Granted {
            asked_at,
            lifetime: token.lifetime,
            deadlines: self.app.manifest.auth.deadlines(self.claimed.connection.granted_at, asked_at, None),
            rotated: token.refresh_token.is_some(),
            unchanged: before.is_some_and(|before| before.is(&token.access_token)),
            others: Others::default(),
        }
    }

    /// What there was, with what an answer brought in the place of what it renewed.
    fn merged(
        &self,
        asked_at: Timestamp,
        own: Option<Granted>,
        further: BTreeMap<String, FurtherToken>,
        plans: &BTreeMap<String, Granted>,
        kept: Option<FurtherTokens>,
    ) -> Option<FurtherTokens> {
        let auth = &self.app.manifest.auth;
        let (rules, standing, at) = (Rules::from(auth), Standing::of(self.claimed, auth), self.moment());
        let times = |granted: &Granted| renewed(&rules, &standing, at, granted).own;
        let unknown = Times { asked_at, expires_at: None, next_refresh_at: None, refresh_idle_at: None };
        let (own_before, mut tokens) = match kept {
            Some(kept) => (kept.own, kept.tokens),
            None => (unknown, BTreeMap::new()),
        };
        for (name, token) in further {
            let scopes_before = tokens.remove(&name).and_then(|before: KeptToken| before.scopes);
            let fresh = KeptToken {
                token: token.access_token,
                scopes: token.granted_scopes.or(scopes_before),
                times: plans.get(&name).map_or(unknown, times),
            };
            tokens.insert(name, fresh);
        }
        let own = own.as_ref().map_or(own_before, times);
        (!tokens.is_empty()).then_some(FurtherTokens { own, tokens })
    }

    /// The refresh tokens that the row will hold, where there are several.
    pub(super) fn refresh_tokens(&mut self) -> Option<&RefreshTokens> {
        let several = &mut self.several;
        if several.refresh.further.is_empty() {
            return None;
        }
        // One that came alone is the successor of the one that was sent.
        if let Some(token) = &self.alone {
            match &several.turn {
                Some(name) => drop(several.refresh.further.insert(name.clone(), copy(token))),
                None => several.refresh.own = Some(copy(token)),
            }
        }
        Some(&several.refresh)
    }
}
