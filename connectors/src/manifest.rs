//! The typed shape of a manifest: everything that can be said about a provider, and nothing that does nothing.
//!
//! Field names are the terms of RFC 6749, 7009, 7636, 7662, 8414 and 9207. Unknown members are refused wherever they stand.

use crate::limits::{Rate, RefreshErrors};
use mortise_domain::{ConnectorId, ScopeSet};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A provider, described.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The connector's id.
    pub id: ConnectorId,
    /// The provider's name as customers know it.
    pub name: String,
    /// One line about the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where the provider documents its OAuth, for the person who registers the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs_url: Option<String>,
    /// How a grant is obtained and kept.
    pub auth: Auth,
    /// What the customer or the admin has to fill in, by the name that URLs use in braces.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Variable>,
    /// Scopes by name, with what each means to a customer on the consent page.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scopes: BTreeMap<String, String>,
    /// The API that the access token is good for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<Api>,
}

/// OAuth 2, as this provider speaks it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// The protocol; `oauth2` is the only one so far.
    #[serde(rename = "type")]
    pub kind: AuthKind,
    /// The grant type that obtains the first token.
    pub grant: Grant,
    /// RFC 6749 section 3.1. Needed by `authorization_code`, refused by `client_credentials`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_url: Option<String>,
    /// RFC 6749 section 3.2.
    pub token_url: String,
    /// Where refreshes go, if not to `token_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_url: Option<String>,
    /// RFC 7009.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_url: Option<String>,
    /// The provider's issuer identifier: an `iss` in the callback must equal it to the byte (RFC 9207).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The provider always sends `iss`, so a callback without one is refused (RFC 9207 section 3).
    #[serde(default, skip_serializing_if = "is_false")]
    pub authorization_response_iss_parameter_supported: bool,
    /// How the client proves itself at the token endpoint (RFC 6749 section 2.3).
    #[serde(default)]
    pub client_authentication: ClientAuthentication,
    /// How the token request is written.
    #[serde(default)]
    pub token_body: TokenBody,
    /// What stands between two scopes in a request.
    #[serde(default = "space")]
    pub scope_separator: String,
    /// Scopes that every authorization asks for, beside those of the app.
    #[serde(default, skip_serializing_if = "ScopeSet::is_empty")]
    pub default_scopes: ScopeSet,
    /// Extra parameters of the authorization request. Values may name variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub authorization_params: BTreeMap<String, String>,
    /// Extra parameters of the code exchange and of the client credentials grant.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub token_params: BTreeMap<String, String>,
    /// Extra parameters of a refresh.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refresh_params: BTreeMap<String, String>,
    /// Extra headers of every request to the token, refresh and revocation endpoints.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub token_headers: BTreeMap<String, String>,
    /// Why PKCE has to be left out (RFC 7636). Absent: S256 is always sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pkce_disabled_reason: Option<String>,
    /// Where the token reply keeps what.
    #[serde(default, skip_serializing_if = "is_default")]
    pub token_response: TokenResponse,
    /// Seconds that an access token lives when the reply does not say (RFC 6749 section 5.1, `expires_in`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_lifetime: Option<u32>,
    /// Seconds before expiry at which a refresh starts at the latest, where the token lives long enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_margin: Option<u32>,
    /// What happens to a refresh token when it is used.
    #[serde(default)]
    pub recovery_class: RecoveryClass,
    /// Class G only: seconds for which the old refresh token stays good; [`crate::DEFAULT_GRACE`] where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<u32>,
    /// A new access token ends the one before it, so that refreshes come late.
    #[serde(default, skip_serializing_if = "is_false")]
    pub kills_prior_access_token: bool,
    /// Seconds before expiry from which the provider accepts a refresh; 0 means only once the token has expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_window: Option<u32>,
    /// Seconds without a refresh after which the refresh token ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_limit: Option<u32>,
    /// Seconds after consent at which the grant ends, whatever happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absolute_limit: Option<u32>,
    /// How many grants an account may have with one client; a newer one ends the oldest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_live: Option<u32>,
    /// How many refreshes the provider allows for one connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mint_rate: Option<Rate>,
    /// A refresh token that is used twice may cost the whole app, so an attempt of unknown outcome is not repeated.
    #[serde(default, skip_serializing_if = "is_false")]
    pub reuse_penalty: bool,
    /// How many requests the token endpoint allows, from all connections together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<Rate>,
    /// How many requests the token endpoint takes at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// RFC 7662.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_url: Option<String>,
    /// What this provider's own error codes mean in the reply to a refresh.
    #[serde(default, skip_serializing_if = "RefreshErrors::is_empty")]
    pub refresh_errors: RefreshErrors,
}

impl Auth {
    /// Every URL that is called or visited, with its JSON pointer in the manifest. They may name variables.
    pub fn urls(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let urls = [
            ("/auth/authorization_url", self.authorization_url.as_ref()),
            ("/auth/token_url", Some(&self.token_url)),
            ("/auth/refresh_url", self.refresh_url.as_ref()),
            ("/auth/revocation_url", self.revocation_url.as_ref()),
            ("/auth/introspection_url", self.introspection_url.as_ref()),
        ];
        urls.into_iter().filter_map(|(path, url)| Some((path, url?)))
    }
}

/// The protocol of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// RFC 6749.
    Oauth2,
}

/// The grant type that obtains the first token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// RFC 6749 section 4.1, with PKCE.
    AuthorizationCode,
    /// RFC 6749 section 4.4.
    ClientCredentials,
}

/// How the client proves itself (names of the IANA registry of token endpoint authentication methods).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// HTTP Basic with form-encoded id and secret (RFC 6749 section 2.3.1).
    ClientSecretBasic,
    /// Id and secret in the body.
    #[default]
    ClientSecretPost,
    /// A public client: the id only, PKCE proves the rest.
    None,
}

/// How the token request is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenBody {
    /// `application/x-www-form-urlencoded`, as the RFC says.
    #[default]
    Form,
    /// `application/json`, as some providers want.
    Json,
}

/// What happens to a refresh token when it is used, and so how to recover from an attempt whose outcome is unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecoveryClass {
    /// It never changes: retry freely.
    N,
    /// A new one is issued and the old one stays good: retry freely, keep the newest.
    M,
    /// The old one stays good for a fixed time (`grace`).
    G,
    /// The old one stays good until its successor is used.
    U,
    /// Single use: the old one just fails.
    S,
    /// Single use, and reuse kills the whole family of tokens. Assumed where nothing is known.
    #[default]
    F,
}

/// Where the token reply keeps what: JSON pointers (RFC 6901) from the top of the reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// Its type; where the reply has none, `bearer` is assumed only if `token_type_optional` says so.
    pub token_type: String,
    /// Accept a reply without `token_type`.
    pub token_type_optional: bool,
    /// The refresh token.
    pub refresh_token: String,
    /// The lifetime in seconds.
    pub expires_in: String,
    /// The granted scopes.
    pub scope: String,
    /// The error code: where it holds a non-empty text, the reply is an error whatever its status.
    pub error: String,
    /// A member that is `true` in every success and `false` in an error with status 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ok: Option<String>,
    /// Fields to lift out of the reply and hand out with the token, by the name they get.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
    /// The seconds that the refresh token lives.
    #[serde(skip_serializing_if = "is_usual_refresh_lifetime")]
    pub refresh_expires_in: String,
    /// A finer error code beside `error`: where `auth.refresh_errors` knows it, it decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_detail: Option<String>,
}

/// Where most providers that tell a refresh token's lifetime tell it.
const USUAL_REFRESH_LIFETIME: &str = "/refresh_token_expires_in";

impl Default for TokenResponse {
    fn default() -> Self {
        Self {
            access_token: "/access_token".to_owned(),
            token_type: "/token_type".to_owned(),
            token_type_optional: false,
            refresh_token: "/refresh_token".to_owned(),
            expires_in: "/expires_in".to_owned(),
            scope: "/scope".to_owned(),
            error: "/error".to_owned(),
            ok: None,
            extra: BTreeMap::new(),
            refresh_expires_in: USUAL_REFRESH_LIFETIME.to_owned(),
            error_detail: None,
        }
    }
}

/// What a person fills in, and what may be filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// What values are allowed.
    #[serde(rename = "type")]
    pub kind: VariableKind,
    /// The label of the field.
    pub title: String,
    /// One line of help under the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `enum` only: the allowed values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Used where nobody filled the field in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// The kinds of values. Each keeps the authority of a URL out of the hands of whoever fills it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VariableKind {
    /// One label of a host name: letters, digits and inner hyphens, at most 63.
    HostLabel,
    /// One of `values`.
    Enum,
    /// One segment of a path: unreserved characters (RFC 3986 section 2.3), at most 128, not `.` or `..`.
    PathSegment,
}

/// The API that the access token is good for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Its base, which may name variables.
    pub base_url: String,
}

fn space() -> String {
    " ".to_owned()
}

fn is_false(value: &bool) -> bool {
    !*value
}

fn is_default(value: &TokenResponse) -> bool {
    *value == TokenResponse::default()
}

/// Left out of the canonical text, so that manifests keep the digest that they had before the member existed.
fn is_usual_refresh_lifetime(pointer: &String) -> bool {
    pointer == USUAL_REFRESH_LIFETIME
}
