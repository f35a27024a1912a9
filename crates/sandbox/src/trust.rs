//! What the sandbox goes by where nobody consents: passwords, the keys of those who sign assertions, and the SAML
//! assertions that it made itself.
//!
//! Invariant: passwords and SAML assertions are kept as digests, and an assertion counts once (RFC 7523 section 3).

use crate::assertion::TrustedKey;
use crate::clients::DEFAULT_CLIENT_ID;
use crate::ledger::TokenId;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// A user with a password; without one, the user is taken away.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// 1 to 255 characters.
    pub username: String,
    /// Any but an empty one.
    #[serde(default)]
    pub password: Option<String>,
}

/// Somebody who signs assertions; without a key, they are trusted no more.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewIssuer {
    /// The claim `iss`.
    pub issuer: String,
    /// What their signatures are checked with.
    #[serde(default)]
    pub key: Option<TrustedKey>,
    /// The client that tokens are for where a request names none; the default client if absent.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Whom they may speak for; anybody if empty.
    #[serde(default)]
    pub subjects: Vec<String>,
}

/// Why somebody cannot be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// No name, or a password that says nothing.
    #[error("`username` must be 1 to 255 characters and `password` not empty")]
    User,
    /// A key that nothing can be checked with.
    #[error("`issuer` must not be empty and `key` a public key in PEM or as a JWK, or a secret with HS256 to HS512")]
    Issuer,
}

/// Somebody who signs assertions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Issuer {
    pub key: TrustedKey,
    pub client_id: String,
    pub subjects: Vec<String>,
}

/// A SAML assertion that was handed out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SamlAssertion {
    pub subject: String,
    pub audience: String,
    /// In unix milliseconds.
    pub ends_at: i64,
}

/// Whom the sandbox believes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Trust {
    users: BTreeMap<String, [u8; 32]>,
    issuers: BTreeMap<String, Issuer>,
    saml: BTreeMap<TokenId, SamlAssertion>,
    /// Assertions that were used, with the time from which on they are refused by their own end (unix milliseconds).
    spent: BTreeMap<String, i64>,
}

impl Trust {
    /// Puts a user in, gives them another password, or takes them away.
    pub fn put_user(&mut self, new: NewUser) -> Result<(), TrustError> {
        if new.username.is_empty() || new.username.len() > 255 || new.password.as_deref() == Some("") {
            return Err(TrustError::User);
        }
        match new.password {
            Some(password) => self.users.insert(new.username, digest(&password)),
            None => self.users.remove(&new.username),
        };
        Ok(())
    }

    /// Whether this is the user's password.
    pub fn is_password(&self, username: &str, password: &str) -> bool {
        self.users.get(username) == Some(&digest(password))
    }

    /// Trusts somebody, goes by another key of theirs, or trusts them no more.
    pub fn put_issuer(&mut self, new: NewIssuer) -> Result<(), TrustError> {
        if new.issuer.is_empty() || new.key.as_ref().is_some_and(|key| !key.is_usable()) {
            return Err(TrustError::Issuer);
        }
        let client_id = new.client_id.unwrap_or_else(|| DEFAULT_CLIENT_ID.to_owned());
        match new.key {
            Some(key) => self.issuers.insert(new.issuer, Issuer { key, client_id, subjects: new.subjects }),
            None => self.issuers.remove(&new.issuer),
        };
        Ok(())
    }

    /// Somebody who is trusted.
    pub fn issuer(&self, name: &str) -> Option<&Issuer> {
        self.issuers.get(name)
    }

    /// Uses the assertion `jti` of `issuer` up; `false`: it was used before.
    pub fn spend(&mut self, issuer: &str, jti: &str, ends_at: i64, now: i64) -> bool {
        self.spent.retain(|_, end| *end > now);
        // Neither part may reach into the other.
        self.spent.insert(format!("{}:{issuer}:{jti}", issuer.len()), ends_at).is_none()
    }

    /// Hands a SAML assertion out.
    pub fn put_saml(&mut self, assertion: &str, record: SamlAssertion) {
        self.saml.insert(TokenId::of(assertion), record);
    }

    /// A SAML assertion that was handed out, to the byte.
    pub fn saml(&self, assertion: &str) -> Option<&SamlAssertion> {
        self.saml.get(&TokenId::of(assertion))
    }
}

fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
