//! The grants that take something from the customer to the token endpoint: a password (RFC 6749 section 4.3), a signed
//! assertion (RFC 7523 section 2.1), a SAML assertion (RFC 7522), or a token from elsewhere (RFC 8693).
//!
//! Invariant: what is unset is left out of the canonical text. Deliberately absent: the values themselves, which are the
//! customer's secrets, and signing SAML, which is done where the assertion is made.

use super::credential::{Credential, CredentialKind, user_and_password};
use super::oauth2::{Grant, OAuth2};
use super::signing::SigningAlgorithm;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Seconds that an assertion is good for where the manifest does not say: clocks differ, and nobody keeps one.
const DEFAULT_LIFETIME: u32 = 300;
/// RFC 8693 section 3.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// What the JWT says that is sent instead of a consent. Texts are templates over credentials, variables and `client_id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// The claim `iss`.
    pub issuer: String,
    /// The claim `sub`; absent: none is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The claim `aud`; absent: the token endpoint's URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Seconds from `iat` to `exp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<u32>,
    /// Further claims.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, String>,
    /// The claim that carries the scopes; absent: the parameter `scope` does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_claim: Option<String>,
    /// How it is signed; absent: as the key is usually used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<SigningAlgorithm>,
    /// The header member `kid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The credential that it is signed with; absent: the app's client secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Assertion {
    /// Seconds from `iat` to `exp`.
    pub fn lifetime(&self) -> u32 {
        self.lifetime.unwrap_or(DEFAULT_LIFETIME)
    }

    /// Every template, with its JSON pointer in the manifest.
    pub(crate) fn templates(&self) -> Vec<(String, &str)> {
        let own = [
            ("issuer", Some(&self.issuer)),
            ("subject", self.subject.as_ref()),
            ("audience", self.audience.as_ref()),
            ("key_id", self.key_id.as_ref()),
        ];
        let own = own.into_iter().filter_map(|(name, text)| Some((format!("/auth/assertion/{name}"), text?.as_str())));
        let claims = self
            .claims
            .iter()
            .map(|(name, text)| (format!("/auth/assertion/claims/{}", crate::validate::escape(name)), text.as_str()));
        own.chain(claims).collect()
    }
}

/// Which token is given for which (RFC 8693 section 2.1). Tokens and the audience are templates over credentials and
/// variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenExchange {
    /// On whose behalf.
    #[serde(skip_serializing_if = "is_the_subject_token")]
    pub subject_token: String,
    /// What it is.
    #[serde(skip_serializing_if = "is_access_token")]
    pub subject_token_type: String,
    /// Who acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_token: Option<String>,
    /// What that is; there with an actor's token and only then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_token_type: Option<String>,
    /// What is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_token_type: Option<String>,
    /// For whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
}

impl Default for TokenExchange {
    fn default() -> Self {
        Self {
            subject_token: "{subject_token}".to_owned(),
            subject_token_type: ACCESS_TOKEN.to_owned(),
            actor_token: None,
            actor_token_type: None,
            requested_token_type: None,
            audience: None,
        }
    }
}

fn is_the_subject_token(template: &String) -> bool {
    template == "{subject_token}"
}

fn is_access_token(kind: &String) -> bool {
    kind == ACCESS_TOKEN
}

impl Grant {
    /// Whether a token is minted from what the customer pasted, or from the app's own key.
    pub fn mints(self) -> bool {
        matches!(self, Self::Password | Self::JwtBearer | Self::Saml2Bearer | Self::TokenExchange)
    }
}

impl OAuth2 {
    /// What the customer pastes; empty where they paste nothing.
    pub fn asked(&self) -> &BTreeMap<String, Credential> {
        static USER: LazyLock<BTreeMap<String, Credential>> = LazyLock::new(user_and_password);
        static SAML: LazyLock<BTreeMap<String, Credential>> =
            LazyLock::new(|| one("assertion", CredentialKind::Document, "SAML assertion"));
        static SUBJECT: LazyLock<BTreeMap<String, Credential>> =
            LazyLock::new(|| one("subject_token", CredentialKind::Secret, "Token"));
        if !self.credentials.is_empty() {
            return &self.credentials;
        }
        match self.grant {
            Grant::Password => &USER,
            Grant::Saml2Bearer => &SAML,
            Grant::TokenExchange => &SUBJECT,
            _ => &self.credentials,
        }
    }

    /// The templates of the password grant: user name and password (RFC 6749 section 4.3.2).
    pub fn resource_owner(&self) -> (&str, &str) {
        (self.username.as_deref().unwrap_or("{username}"), self.password.as_deref().unwrap_or("{password}"))
    }

    /// What the token exchange says.
    pub fn exchange(&self) -> &TokenExchange {
        static USUAL: LazyLock<TokenExchange> = LazyLock::new(TokenExchange::default);
        self.token_exchange.as_ref().unwrap_or(&USUAL)
    }

    /// Whether the app's client secret is the key that assertions are signed with, and so is never to be sent.
    pub fn signs_with_app_key(&self) -> bool {
        self.assertion.as_ref().is_some_and(|assertion| assertion.key.is_none())
    }

    /// Every template that is filled with credentials, with its JSON pointer in the manifest.
    pub(crate) fn grant_templates(&self) -> Vec<(String, &str)> {
        match self.grant {
            Grant::Password => {
                let (username, password) = self.resource_owner();
                vec![("/auth/username".to_owned(), username), ("/auth/password".to_owned(), password)]
            }
            Grant::JwtBearer => self.assertion.iter().flat_map(Assertion::templates).collect(),
            Grant::TokenExchange => {
                let TokenExchange { subject_token, actor_token, audience, .. } = self.exchange();
                let all = [
                    ("subject_token", Some(subject_token)),
                    ("actor_token", actor_token.as_ref()),
                    ("audience", audience.as_ref()),
                ];
                let all = all.into_iter().filter_map(|(name, text)| Some((name, text?.as_str())));
                all.map(|(name, text)| (format!("/auth/token_exchange/{name}"), text)).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn one(name: &str, kind: CredentialKind, title: &str) -> BTreeMap<String, Credential> {
    let (description, pattern, example) = (None, None, None);
    BTreeMap::from([(name.to_owned(), Credential { kind, title: title.to_owned(), description, pattern, example })])
}
