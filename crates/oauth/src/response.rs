//! From the bytes of a token reply to a grant, as the manifest says where what is kept.
//!
//! Invariant: a grant holds no control character, and no token that is empty or longer than 16 KiB. What decides how a
//! token may be used (token, type, scope) is strict. The lifetime only decides when to renew, so that an odd one never
//! costs a grant. Deliberately absent: statuses and error codes (see [`crate::outcome`]).

mod document;
mod expiry;
mod further;
mod json;
mod jwt;
mod lifetime;

pub(crate) use document::{Document, Unreadable};
pub(crate) use expiry::Expiry;
pub(crate) use json::parse as parse_json;

use lifetime::{Told, end, lifetime, refresh_lifetime};
use mortise_connectors::{LifetimeUnit, Manifest, TokenResponse};
use mortise_domain::{AccessToken, RefreshToken, ScopeSet, Timestamp, TokenGrant, TokenType};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;
use zeroize::Zeroizing;

/// Tokens grow over the years; this leaves room and still bounds a row.
const LONGEST: usize = 16 * 1024;

impl Document {
    /// Takes the grant out of a reply to a request that was sent at `sent_at`, where that is known.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub(crate) fn grant(
        &mut self,
        manifest: &Manifest,
        sent_at: Option<Timestamp>,
    ) -> Result<TokenGrant, &'static str> {
        let auth = manifest.oauth2().ok_or("the connector does not speak OAuth 2")?;
        let shape = self.shape(&auth.token_response);
        let told = self.lifetime(manifest, &shape).or_else(|| self.left(&shape, sent_at));
        let refresh_lifetime = refresh_lifetime(self.get(&shape.refresh_expires_in), shape.expires_in_unit);
        let granted_scopes = self.scopes(&shape.scope, &auth.scope_separator)?;
        let token_type = self.token_type(&shape.token_type, shape.token_type_optional, auth.dpop)?;
        let extra = self.lifted(manifest, &shape.extra);
        let access = self.token(&shape.access_token)?.ok_or("the reply holds no access token")?;
        // Where one pointer serves for both, the access token renews itself.
        let renews_itself = shape.refresh_token == shape.access_token;
        let refresh = if renews_itself { Some(access.clone()) } else { self.token(&shape.refresh_token)? };
        // What the reply says, then what the token says, then what the manifest says.
        let lifetime = told.or_else(|| jwt::expiry(&access)?.life(sent_at)).or_else(|| auth.assumed_lifetime());
        let further = self.further(manifest, auth, sent_at)?;
        Ok(TokenGrant {
            access_token: AccessToken::new(access),
            token_type,
            refresh_token: refresh.map(RefreshToken::new),
            lifetime,
            refresh_lifetime,
            granted_scopes,
            dpop_key: None,
            extra,
            kept: BTreeMap::new(),
            further,
        })
    }

    /// Takes the token of a login out of its reply. Of what type it is and what it may do, nobody says.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub(crate) fn session(
        &mut self,
        manifest: &Manifest,
        shape: &TokenResponse,
        with_refresh: bool,
        sent_at: Option<Timestamp>,
    ) -> Result<TokenGrant, &'static str> {
        let told = self.lifetime(manifest, shape).or_else(|| self.left(shape, sent_at));
        let refresh_lifetime = refresh_lifetime(self.get(&shape.refresh_expires_in), shape.expires_in_unit);
        let extra = self.lifted(manifest, &shape.extra);
        let access = self.token(&shape.access_token)?.ok_or("the reply holds no token")?;
        let refresh = if with_refresh { self.token(&shape.refresh_token)? } else { None };
        let lifetime =
            told.or_else(|| jwt::expiry(&access)?.life(sent_at)).or_else(|| manifest.auth.assumed_lifetime());
        Ok(TokenGrant {
            access_token: AccessToken::new(access),
            token_type: TokenType::new("two_step"),
            refresh_lifetime: refresh_lifetime.filter(|_| refresh.is_some()),
            refresh_token: refresh.map(RefreshToken::new),
            lifetime,
            granted_scopes: None,
            dpop_key: None,
            extra,
            kept: BTreeMap::new(),
            further: BTreeMap::new(),
        })
    }

    /// A token: absent, null and empty are the same (RFC 6749 section 6 keeps the old refresh token then).
    fn token(&mut self, pointer: &str) -> Result<Option<String>, &'static str> {
        match self.take(pointer) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) if text.len() > LONGEST => Err("a token in the reply is longer than 16 KiB"),
            Some(Value::String(text)) if is_token(&text) => Ok(Some(text)),
            Some(Value::String(_)) => Err("a token in the reply holds characters that no token may hold"),
            Some(_) => Err("a token in the reply is not a text"),
        }
    }

    /// RFC 6749 section 7.1: compared without regard to case, and a type that is not understood must not be used.
    fn token_type(&self, pointer: &str, optional: bool, dpop: bool) -> Result<TokenType, &'static str> {
        match self.get(pointer) {
            Some(Value::String(text)) if dpop && text.eq_ignore_ascii_case("dpop") => Ok(TokenType::new(text)),
            // What was to be bound to a key and is not, whoever finds it can use.
            _ if dpop => Err("the reply's token type is not `DPoP`, which the manifest's `dpop` asks for"),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("bearer") => Ok(TokenType::new(text)),
            None | Some(Value::Null) if optional => Ok(TokenType::bearer()),
            Some(Value::String(text)) if text.is_empty() && optional => Ok(TokenType::bearer()),
            None | Some(Value::Null) => Err("the reply does not say of which type the token is"),
            Some(_) => Err("the reply's token type is not `bearer`"),
        }
    }

    /// The refresh token of a reply that is no success, if it is another than the ones that were sent: providers that
    /// renew it with each request do so even where they then ask for fewer.
    pub(crate) fn successor(&mut self, manifest: &Manifest, sent: &[Zeroizing<String>]) -> Option<RefreshToken> {
        let refresh_token = self.shape(&manifest.oauth2()?.token_response).refresh_token.clone();
        self.successor_at(&refresh_token, sent)
    }

    fn successor_at(&mut self, pointer: &str, sent: &[Zeroizing<String>]) -> Option<RefreshToken> {
        let token = self.token(pointer).ok().flatten()?;
        (!sent.iter().any(|sent| **sent == token)).then(|| RefreshToken::new(token))
    }

    /// Where this reply keeps what: some providers have the only token one floor down.
    fn shape<'a>(&self, shape: &'a TokenResponse) -> Cow<'a, TokenResponse> {
        match &shape.alternate {
            Some(alternate) if !self.get(&shape.access_token).is_some_and(Value::is_string) => {
                Cow::Owned(shape.of_alternate(alternate))
            }
            Some(_) | None => Cow::Borrowed(shape),
        }
    }

    /// What is left until the instant of expiry, by the provider's clock if it shows it.
    fn left(&self, shape: &TokenResponse, sent_at: Option<Timestamp>) -> Option<Duration> {
        end(self.get(shape.expires_at.as_deref()?)?)?.life(self.date.or(sent_at))
    }

    fn lifetime(&self, manifest: &Manifest, shape: &TokenResponse) -> Option<Duration> {
        self.lifetime_at(manifest, &shape.expires_in, shape.expires_in_unit)
    }

    fn lifetime_at(&self, manifest: &Manifest, pointer: &str, unit: LifetimeUnit) -> Option<Duration> {
        match lifetime(self.get(pointer), unit) {
            Told::Nothing => None,
            Told::Plainly(life) => Some(life),
            Told::OutOfRange(life) => {
                tracing::warn!(connector = %manifest.id, seconds = life.as_secs(), "a token reply's lifetime was clamped");
                Some(life)
            }
            Told::Nonsense => {
                tracing::warn!(connector = %manifest.id, "a token reply's lifetime is no number: it is not used");
                None
            }
        }
    }

    /// RFC 6749 section 5.1: absent means as requested. A list of texts is a common deviation.
    fn scopes(&self, pointer: &str, separator: &str) -> Result<Option<ScopeSet>, &'static str> {
        const WRONG: &str = "the reply's scope is neither a text nor a list of scopes";
        let scopes = match self.get(pointer) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => ScopeSet::parse(text, separator),
            Some(Value::Array(items)) => {
                items.iter().map(|item| item.as_str().ok_or(WRONG)).collect::<Result<ScopeSet, _>>()?
            }
            Some(_) => return Err(WRONG),
        };
        let odd = |scope: &str| scope.is_empty() || scope.chars().any(|c| c.is_control() || c.is_whitespace());
        if scopes.iter().any(odd) || scopes.iter().map(str::len).sum::<usize>() > LONGEST {
            return Err(WRONG);
        }
        Ok(Some(scopes).filter(|scopes| !scopes.is_empty()))
    }

    /// What the manifest lifts out: names with pointers. A value that could not be handed on is left out, because it is no
    /// reason to lose a grant.
    pub(crate) fn lifted(&self, manifest: &Manifest, fields: &BTreeMap<String, String>) -> BTreeMap<String, Value> {
        let mut extra = BTreeMap::new();
        for (name, pointer) in fields {
            match self.get(pointer) {
                Some(value) if is_clean(value) && value.to_string().len() <= LONGEST => {
                    extra.insert(name.clone(), value.clone());
                }
                Some(_) => {
                    tracing::warn!(connector = %manifest.id, field = name, "a field of a reply was left out: too long, or control characters");
                }
                None => {}
            }
        }
        extra
    }
}

/// `1*VSCHAR` (RFC 6749 appendices A.12 and A.17), with no space at either end, where a header would lose it.
fn is_token(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && text.trim() == text
}

fn is_clean(value: &Value) -> bool {
    let clean = |text: &str| !text.chars().any(char::is_control);
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => clean(text),
        Value::Array(items) => items.iter().all(is_clean),
        Value::Object(members) => members.iter().all(|(name, value)| clean(name) && is_clean(value)),
    }
}

#[cfg(test)]
mod tests;
