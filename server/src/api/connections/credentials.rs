//! The credentials of an import: tokens of a fixed shape, or whatever names the connector's manifest has for what customers
//! paste. Which of the two fits, the broker knows.
//!
//! Invariant: every value goes straight into a type that cannot be printed.

use crate::api::wire::Time;
use mortise_broker::ImportedCredentials;
use mortise_domain::{AccessToken, PastedSecret, RefreshToken, ScopeSet};
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use utoipa::ToSchema;

/// Either shape, as it was sent.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    access_token: Option<AccessToken>,
    refresh_token: Option<RefreshToken>,
    expires_at: Option<Time>,
    scopes: Option<ScopeSet>,
    pasted: BTreeMap<String, PastedSecret>,
}

// For the document alone: what is read by hand, above, keeps the member's name in every error.
/// Tokens obtained elsewhere, or what a customer would paste.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = Credentials)]
#[serde(untagged)]
pub(super) enum CredentialsSchema {
    /// For a connector of type `oauth2`.
    #[schema(title = "Tokens")]
    Tokens(Tokens),
    /// For a connector whose customers give credentials (`api_key`, `basic`, `two_step`, `signed_jwt`, and grants without a
    /// consent page): these, by the manifest's names.
    #[schema(title = "Pasted")]
    Pasted(BTreeMap<String, String>),
}

/// Tokens obtained elsewhere.
#[derive(Serialize, Deserialize, ToSchema)]
pub(super) struct Tokens {
    /// The access token.
    #[schema(write_only)]
    access_token: String,
    /// The refresh token; without one the connection ends with its access token.
    #[schema(write_only)]
    refresh_token: Option<String>,
    /// When the access token ends; absent: nobody knows.
    expires_at: Option<Time>,
    /// What was granted; absent: what the app asks for.
    scopes: Option<Vec<String>>,
}

impl From<Credentials> for ImportedCredentials {
    fn from(sent: Credentials) -> Self {
        let Credentials { access_token, refresh_token, expires_at, scopes, pasted } = sent;
        Self { access_token, refresh_token, expires_at: expires_at.map(|at| at.0), scopes, pasted }
    }
}

impl<'de> Deserialize<'de> for Credentials {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Credentials;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Credentials, A::Error> {
                let mut read = Credentials::default();
                while let Some(name) = members.next_key::<String>()? {
                    let twice = match name.as_str() {
                        "access_token" => read.access_token.replace(members.next_value()?).is_some(),
                        "refresh_token" => std::mem::replace(&mut read.refresh_token, members.next_value()?).is_some(),
                        "expires_at" => std::mem::replace(&mut read.expires_at, members.next_value()?).is_some(),
                        "scopes" => std::mem::replace(&mut read.scopes, members.next_value()?).is_some(),
                        _ => read.pasted.insert(name.clone(), members.next_value()?).is_some(),
                    };
                    if twice {
                        return Err(A::Error::custom(format_args!("`{name}` is given twice")));
                    }
                }
                Ok(read)
            }
        }

        deserializer.deserialize_map(Members)
    }
}
