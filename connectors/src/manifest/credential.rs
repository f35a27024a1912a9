//! What a customer pastes where there is no OAuth, and the call that tries it out.
//!
//! Invariant: one type a mode, so that a member that another mode would need is refused. Deliberately absent: the values
//! themselves, which are secrets of the customer, and how calls carry them (`api.headers` and `api.query`).

use super::is_default;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A key that calls carry as the manifest's `api` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// What the customer pastes, by the name that templates use in braces.
    pub credentials: BTreeMap<String, Credential>,
    /// Which credential is *the* key, where more than one is secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The call that tells whether what was pasted is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
}

/// A user name and a password in the header `Authorization` of every call (RFC 7617).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// What the customer pastes: `username` and `password` if nothing else is said.
    #[serde(default = "user_and_password")]
    pub credentials: BTreeMap<String, Credential>,
    /// The user name, a template over credentials and variables.
    #[serde(default = "the_username", skip_serializing_if = "is_the_username")]
    pub username: String,
    /// The password, a template over credentials and variables. It may be empty.
    #[serde(default = "the_password", skip_serializing_if = "is_the_password")]
    pub password: String,
    /// The call that tells whether what was pasted is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
}

/// One field of the form in which the customer pastes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// Whether it is shown while it is typed.
    #[serde(rename = "type")]
    pub kind: CredentialKind,
    /// The label of the field.
    pub title: String,
    /// One line of help under the field, such as where the provider shows the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A regular expression that the whole value has to match. Its engine takes linear time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// What a value looks like, shown in the empty field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// Whether a credential is shown while it is typed. Both kinds are sealed like tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// Shown, such as a user name.
    Text,
    /// Never shown.
    Secret,
    /// A secret of several lines, such as a key file.
    Document,
}

/// A call that is made with what was pasted before anything is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// Its method.
    #[serde(default, skip_serializing_if = "is_default")]
    pub method: VerificationMethod,
    /// Where it goes; it may name variables.
    pub url: String,
    /// The statuses that mean that the credentials are good; any of 200 to 299 where none is listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<u32>,
}

/// The method of a verification.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum VerificationMethod {
    /// Asks.
    #[default]
    Get,
    /// Asks, at APIs that know nothing else; the body is empty.
    Post,
}

impl Verification {
    /// Whether a reply with this status says that the credentials are good.
    pub fn accepts(&self, status: u16) -> bool {
        if self.status.is_empty() { (200..300).contains(&status) } else { self.status.contains(&status.into()) }
    }
}

pub(super) fn user_and_password() -> BTreeMap<String, Credential> {
    let credential = |name: &str, kind, title: &str| {
        let (description, pattern, example) = (None, None, None);
        (name.to_owned(), Credential { kind, title: title.to_owned(), description, pattern, example })
    };
    BTreeMap::from([
        credential("username", CredentialKind::Text, "User name"),
        credential("password", CredentialKind::Secret, "Password"),
    ])
}

fn the_username() -> String {
    "{username}".to_owned()
}

fn is_the_username(template: &String) -> bool {
    template == "{username}"
}

fn the_password() -> String {
    "{password}".to_owned()
}

fn is_the_password(template: &String) -> bool {
    template == "{password}"
}
