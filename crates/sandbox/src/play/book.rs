//! What the played provider has issued, and what is still good: codes, access tokens, and refresh tokens by recovery class.
//!
//! Invariant: a code is good once; what a used refresh token is good for, its class says and nothing else.

use mortise_connectors::RecoveryClass;
use mortise_domain::ScopeSet;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Seconds that an access token lives.
pub(super) const LIFETIME: i64 = 3600;
/// Seconds that a refresh token lives, as replies tell.
pub(super) const REFRESH_LIFETIME: i64 = 30 * 86_400;

/// What a reply gave, as the provider means it.
#[derive(Clone)]
pub struct Issued {
    /// The access token.
    pub access_token: String,
    /// The refresh token, where the reply has one.
    pub refresh_token: Option<String>,
    /// Seconds that the access token lives.
    pub lifetime: i64,
    /// Seconds that the refresh token lives, where the reply tells.
    pub refresh_lifetime: Option<i64>,
    /// The granted scopes, where the reply tells them.
    pub scopes: ScopeSet,
    /// OAuth 1.0: what the token is used with.
    pub token_secret: Option<String>,
    /// The manifest's fields beside the token.
    pub extra: BTreeMap<String, Value>,
    /// Further tokens of the same reply, by the manifest's names.
    pub further: BTreeMap<String, Issued>,
    /// This is a further token itself, renewed by itself.
    pub(super) alone: bool,
}

impl Issued {
    /// A token that does not end.
    pub(super) fn endless(access_token: String) -> Self {
        Self {
            access_token,
            refresh_token: None,
            lifetime: ENDLESS,
            refresh_lifetime: None,
            scopes: ScopeSet::default(),
            token_secret: None,
            extra: BTreeMap::new(),
            further: BTreeMap::new(),
            alone: false,
        }
    }
}

/// A hundred years, in seconds.
const ENDLESS: i64 = 3_155_760_000;

pub(super) struct Code {
    text: String,
    challenge: Option<String>,
    pub(super) scopes: ScopeSet,
    spent: bool,
}

struct Access {
    token: String,
    until: i64,
}

struct Refresh {
    token: String,
    used_at: Option<i64>,
    dead: bool,
}

#[derive(Default)]
struct Grant {
    /// It is of a further token alone.
    further: bool,
    scopes: ScopeSet,
    ended: bool,
    access: Vec<Access>,
    refresh: Vec<Refresh>,
}

/// What decides whether a refresh token may be used.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    pub(super) class: RecoveryClass,
    pub(super) grace: i64,
    pub(super) window: Option<i64>,
    pub(super) kills_prior: bool,
    /// The access token is the refresh token.
    pub(super) renews_itself: bool,
}

/// All that was issued.
#[derive(Default)]
pub(super) struct Book {
    pub(super) issued: Option<Issued>,
    /// Requests that were left here: their name, the state, the challenge.
    pub(super) pushed: Vec<(String, String, Option<String>)>,
    /// Which key tokens are bound to (RFC 9449).
    pub(super) bound: BTreeMap<String, String>,
    /// What may be used once: the identifiers of JWTs.
    pub(super) used: BTreeSet<String>,
    drawn: u32,
    codes: Vec<Code>,
    grants: Vec<Grant>,
}

impl Book {
    /// A text that was never issued before.
    pub(super) fn draw(&mut self, kind: &str) -> String {
        self.drawn += 1;
        format!("played_{kind}_{}_{:08x}", self.drawn, self.drawn.wrapping_mul(0x9E37_79B9))
    }

    /// A code for a customer who consented.
    pub(super) fn code(&mut self, challenge: Option<String>, scopes: ScopeSet) -> String {
        let text = self.draw("code");
        self.codes.push(Code { text: text.clone(), challenge, scopes, spent: false });
        text
    }

    /// Spends a code; `proves` tells whether the verifier fits the challenge.
    pub(super) fn spend(&mut self, text: &str, proves: impl Fn(&str) -> bool) -> Option<ScopeSet> {
        let code = self.codes.iter_mut().find(|code| code.text == text && !code.spent)?;
        if !code.challenge.as_deref().is_none_or(proves) {
            return None;
        }
        code.spent = true;
        Some(code.scopes.clone())
    }

    /// A new grant with its first tokens.
    pub(super) fn grant(&mut self, scopes: ScopeSet, with_refresh: bool, rules: Rules, now: i64) -> Issued {
        self.grants.push(Grant { scopes, ..Grant::default() });
        self.issue(self.grants.len() - 1, with_refresh, rules, now)
    }

    /// A further token beside a grant's, which ends sooner and is renewed, if at all, by itself.
    pub(super) fn further(&mut self, scopes: ScopeSet, with_refresh: bool, rules: Rules, now: i64) -> Issued {
        self.grants.push(Grant { scopes, further: true, ..Grant::default() });
        self.issue(self.grants.len() - 1, with_refresh, rules, now)
    }

    /// Uses a refresh token: the grant's next tokens, or nothing where it is not good.
    pub(super) fn refresh(&mut self, token: &str, rules: Rules, now: i64) -> Option<Issued> {
        let at = self.grants.iter().position(|grant| grant.refresh.iter().any(|known| known.token == token))?;
        let grant = &mut self.grants[at];
        let place = grant.refresh.iter().position(|known| known.token == token)?;
        let ends = grant.access.iter().map(|access| access.until).max().unwrap_or(now);
        if grant.ended || grant.refresh[place].dead || rules.window.is_some_and(|window| ends - now > window) {
            return None;
        }
        let used_at = grant.refresh[place].used_at;
        let good = match (rules.class, used_at) {
            (RecoveryClass::N | RecoveryClass::M | RecoveryClass::U, _) | (_, None) => true,
            (RecoveryClass::G, Some(used)) => now <= used + rules.grace,
            (RecoveryClass::S, Some(_)) => false,
            (RecoveryClass::F, Some(_)) => {
                grant.ended = true;
                false
            }
        };
        if !good {
            return None;
        }
        grant.refresh[place].used_at.get_or_insert(now);
        if rules.class == RecoveryClass::U {
            grant.refresh[..place].iter_mut().for_each(|older| older.dead = true);
        }
        if rules.kills_prior {
            grant.access.iter_mut().for_each(|access| access.until = access.until.min(now));
        }
        let rotates = rules.class != RecoveryClass::N || rules.renews_itself;
        Some(self.issue(at, rotates, rules, now))
    }

    fn issue(&mut self, at: usize, with_refresh: bool, rules: Rules, now: i64) -> Issued {
        let access_token = self.draw("access");
        let refresh_token = with_refresh.then(|| match rules.renews_itself {
            true => access_token.clone(),
            false => self.draw("refresh"),
        });
        let grant = &mut self.grants[at];
        let lifetime = if grant.further { LIFETIME / 2 } else { LIFETIME };
        grant.access.push(Access { token: access_token.clone(), until: now + lifetime });
        grant.refresh.extend(refresh_token.iter().map(|token| Refresh {
            token: token.clone(),
            used_at: None,
            dead: false,
        }));
        Issued {
            access_token,
            refresh_token,
            lifetime,
            refresh_lifetime: None,
            scopes: grant.scopes.clone(),
            token_secret: None,
            extra: BTreeMap::new(),
            further: BTreeMap::new(),
            alone: grant.further,
        }
    }

    /// A token that does not end.
    pub(super) fn endless(&mut self, scopes: ScopeSet) -> String {
        let token = self.draw("access");
        let access = vec![Access { token: token.clone(), until: i64::MAX }];
        self.grants.push(Grant { scopes, access, ..Grant::default() });
        token
    }

    /// The scopes of the grant that a living access token is of.
    pub(super) fn scopes_of(&self, access_token: &str, now: i64) -> Option<&ScopeSet> {
        self.living(access_token, now).map(|(grant, _)| &grant.scopes)
    }

    /// When a living access token ends.
    pub(super) fn end_of(&self, access_token: &str, now: i64) -> Option<i64> {
        self.living(access_token, now).map(|(_, access)| access.until)
    }

    /// Whether an access token is good.
    pub(super) fn is_alive(&self, access_token: &str, now: i64) -> bool {
        self.living(access_token, now).is_some()
    }

    /// Ends the grant of a token of either kind.
    pub(super) fn end(&mut self, token: &str) {
        let of = |grant: &&mut Grant| {
            grant.access.iter().any(|known| known.token == token)
                || grant.refresh.iter().any(|known| known.token == token)
        };
        if let Some(grant) = self.grants.iter_mut().find(of) {
            grant.ended = true;
        }
    }

    fn living(&self, access_token: &str, now: i64) -> Option<(&Grant, &Access)> {
        let all = self.grants.iter().filter(|grant| !grant.ended);
        all.flat_map(|grant| grant.access.iter().map(move |access| (grant, access)))
            .find(|(_, access)| access.token == access_token && access.until > now)
    }
}
