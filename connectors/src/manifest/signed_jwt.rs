//! A token that is signed here, with a key that the customer has from the provider: nobody is asked for one.
//!
//! Invariant: what is unset is left out of the canonical text. Deliberately absent: the key, which is the customer's secret,
//! `jti` and `nbf`, which none of these providers wants, and an app's client, which none of them knows.

use super::credential::{Credential, Verification};
use super::signing::SigningAlgorithm;
use super::{Api, is_default};
use crate::template::{is_name, parts};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Seconds that a token is good for where the manifest does not say: what the strictest of these providers allows.
const DEFAULT_LIFETIME: u32 = 300;

/// Tokens that customers' keys sign, as this provider has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedJwt {
    /// What the customer gives, by the name that templates use in braces: the key, and what the token says.
    pub credentials: BTreeMap<String, Credential>,
    /// What the token says, and how it is signed.
    pub jwt: Jwt,
    /// The call that tells whether the key is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
}

/// A JWT (RFC 7519). Texts are templates over credentials and variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jwt {
    /// How it is signed.
    pub algorithm: SigningAlgorithm,
    /// What it is signed with; absent: the only secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How a shared key is written.
    #[serde(default, skip_serializing_if = "is_default")]
    pub key_encoding: KeyEncoding,
    /// The header member `kid`; absent: what the key itself says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The claim `iss`; absent: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The claim `sub`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The claim `aud`, one text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Further claims.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, String>,
    /// Seconds from `iat` to `exp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<u32>,
}

/// How the customer has a key that both sides know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyEncoding {
    /// The text itself is the key.
    #[default]
    Text,
    /// RFC 4648 section 8.
    Hex,
    /// RFC 4648 section 4.
    Base64,
}

impl SignedJwt {
    /// The template of the key.
    pub fn key(&self) -> String {
        let only = || crate::pasted::secrets(&self.credentials).next().map(|name| format!("{{{name}}}"));
        self.jwt.key.clone().or_else(only).unwrap_or_default()
    }

    /// The credential that is the key, where that is one and nothing beside it.
    pub fn key_credential(&self) -> Option<&str> {
        match &self.jwt.key {
            Some(template) => template.strip_prefix('{')?.strip_suffix('}').filter(|name| is_name(name)),
            None => crate::pasted::secrets(&self.credentials).next(),
        }
    }

    /// The credentials that calls carry beside the token: they are kept beside it.
    pub fn keeps<'a>(&'a self, api: Option<&'a Api>) -> BTreeSet<&'a str> {
        let carried = api.into_iter().flat_map(|api| api.headers.values().chain(api.query.values()));
        let names = carried.filter_map(|text| parts(text).ok()).flat_map(|parts| parts.names);
        names.filter(|name| self.credentials.contains_key(*name)).collect()
    }
}

impl Jwt {
    /// Seconds from `iat` to `exp`.
    pub fn lifetime(&self) -> u32 {
        self.lifetime.unwrap_or(DEFAULT_LIFETIME)
    }

    /// The claims but for `iat` and `exp`, by their names, as templates.
    pub fn says(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = [("iss", &self.issuer), ("sub", &self.subject), ("aud", &self.audience)];
        let own = own.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?)));
        own.chain(self.claims.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }

    /// Every template that anybody who sees a token can read, with its JSON pointer in the manifest.
    pub(crate) fn templates(&self) -> Vec<(String, &str)> {
        let own = [
            ("key_id", &self.key_id),
            ("issuer", &self.issuer),
            ("subject", &self.subject),
            ("audience", &self.audience),
        ];
        let own = own.into_iter().filter_map(|(name, text)| Some((format!("/auth/jwt/{name}"), text.as_deref()?)));
        let claims = self
            .claims
            .iter()
            .map(|(name, text)| (format!("/auth/jwt/claims/{}", crate::validate::escape(name)), text.as_str()));
        own.chain(claims).collect()
    }
}
