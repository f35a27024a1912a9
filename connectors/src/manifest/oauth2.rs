//! OAuth 2 as a provider speaks it.
//!
//! Field names are the terms of RFC 6749, 7009, 7636, 7662, 8414 and 9207. Invariant: a member is there because code
//! obeys it; one that is unset is left out of the canonical text, so that older manifests keep their digests.

use super::credential::Credential;
use super::discovery::Discovery;
use super::grants::{Assertion, TokenExchange};
use super::response::TokenResponse;
use super::signing::ClientAssertion;
use super::wire::{AuthorizationRequest, Callback, Identity, LongLivedExchange, RetryHint, TokenRequest};
use super::{is_default, is_false};
use crate::limits::{Rate, RefreshErrors};
use mortise_domain::ScopeSet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// OAuth 2, as this provider speaks it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth2 {
    /// The grant type that obtains the first token.
    pub grant: Grant,
    /// RFC 6749 section 3.1. Needed by `authorization_code`, refused by `client_credentials`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_url: Option<String>,
    /// RFC 8628 section 3.1. Needed by `device_code`, refused by all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_authorization_url: Option<String>,
    /// RFC 6749 section 3.2. Empty where the grant has no token request (`implicit`).
    #[serde(default, skip_serializing_if = "String::is_empty")]
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
    /// How the authorization request is written, where it is not as RFC 6749 has it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub authorization_request: AuthorizationRequest,
    /// The same for requests to the token endpoint.
    #[serde(default, skip_serializing_if = "is_default")]
    pub token_request: TokenRequest,
    /// The same for refreshes. Method and names are those of `token_request` where it says nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub refresh_request: TokenRequest,
    /// What a client assertion says (RFC 7523 section 3), where it is not the usual.
    #[serde(default, skip_serializing_if = "is_default")]
    pub client_assertion: ClientAssertion,
    /// For which API the tokens are (RFC 8707). May name variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Where the authorization request is left before the browser is sent on (RFC 9126).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed_authorization_request_url: Option<String>,
    /// Tokens are bound to a key of the connection (RFC 9449).
    #[serde(default, skip_serializing_if = "is_false")]
    pub dpop: bool,
    /// The client shows a certificate beside its secret: what the app has as secret is both, the secret first.
    #[serde(default, skip_serializing_if = "is_false")]
    pub client_certificate: bool,
    /// The header that carries the client's id beside all else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id_header: Option<String>,
    /// `client_secret_header` only: the header that carries the client's secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_header: Option<String>,
    /// What the callback carries.
    #[serde(default, skip_serializing_if = "is_default")]
    pub callback: Callback,
    /// A second request, right after the code exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long_lived_exchange: Option<LongLivedExchange>,
    /// A call that tells whose grant it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// Where replies with status 429 say how long to wait, beside `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_hint: Option<RetryHint>,
    /// Where the provider publishes its own metadata (RFC 8414), from which members were taken that are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovery: Option<Discovery>,
    /// Where apps are registered as clients (RFC 7591).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_url: Option<String>,
    /// What the customer pastes, where the grant takes it to the token endpoint; see [`OAuth2::asked`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub credentials: BTreeMap<String, Credential>,
    /// `password` only: the user name, a template over credentials and variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// `password` only: the password, a template over credentials and variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// `jwt_bearer` only, and needed there: what the assertion says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assertion: Option<Assertion>,
    /// `token_exchange` only: which token is given for which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_exchange: Option<TokenExchange>,
}

impl OAuth2 {
    /// Every URL that is called or visited, with its JSON pointer in the manifest. They may name variables.
    pub fn urls(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let urls = [
            ("/auth/authorization_url", self.authorization_url.as_ref()),
            ("/auth/device_authorization_url", self.device_authorization_url.as_ref()),
            ("/auth/pushed_authorization_request_url", self.pushed_authorization_request_url.as_ref()),
            ("/auth/token_url", Some(&self.token_url).filter(|url| !url.is_empty())),
            ("/auth/refresh_url", self.refresh_url.as_ref()),
            ("/auth/revocation_url", self.revocation_url.as_ref()),
            ("/auth/introspection_url", self.introspection_url.as_ref()),
            ("/auth/registration_url", self.registration_url.as_ref()),
            ("/auth/long_lived_exchange/url", self.long_lived_exchange.as_ref().map(|exchange| &exchange.url)),
            ("/auth/identity/url", self.identity.as_ref().map(|identity| &identity.url)),
        ];
        urls.into_iter().filter_map(|(path, url)| Some((path, url?)))
    }

    /// The fields that are handed out beside a token, wherever they come from.
    pub fn told(&self) -> impl Iterator<Item = &str> {
        let fields = self.identity.iter().flat_map(|identity| identity.fields.keys());
        self.token_response.extra.keys().chain(self.callback.keep.keys()).chain(fields).map(String::as_str)
    }

    /// The fields beside a token that are told once, with the consent, and so outlive its refreshes.
    pub fn told_once(&self) -> impl Iterator<Item = &str> {
        let fields = self.identity.iter().flat_map(|identity| identity.fields.keys());
        let first_reply = self.long_lived_exchange.iter().flat_map(|_| self.token_response.extra.keys());
        self.callback.keep.keys().chain(fields).chain(first_reply).map(String::as_str)
    }
}

/// The grant type that obtains the first token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// RFC 6749 section 4.1, with PKCE.
    AuthorizationCode,
    /// RFC 6749 section 4.4.
    ClientCredentials,
    /// RFC 8628.
    DeviceCode,
    /// RFC 6749 section 4.2, which RFC 9700 section 2.1.2 advises against.
    Implicit,
    /// RFC 6749 section 4.3: the customer's own password, which no new provider asks for.
    Password,
    /// RFC 7523 section 2.1: an assertion that is signed here.
    JwtBearer,
    /// RFC 7522 section 2.1: a SAML assertion that was made elsewhere.
    Saml2Bearer,
    /// RFC 8693.
    TokenExchange,
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
    /// HTTP Basic with the secret as user name, no password and no id.
    ClientSecretAsUser,
    /// The id in the body, the secret in a header of the provider's own.
    ClientSecretHeader,
    /// A JWT signed with the client's private key, which is the app's secret (RFC 7523 section 2.2).
    PrivateKeyJwt,
    /// A JWT with the secret as its key (OpenID Connect Core section 9).
    ClientSecretJwt,
    /// A certificate that an authority vouches for (RFC 8705 section 2.1).
    TlsClientAuth,
    /// A certificate that the provider knows (RFC 8705 section 2.2).
    SelfSignedTlsClientAuth,
}

impl ClientAuthentication {
    /// Whether a JWT proves the client.
    pub fn signs(self) -> bool {
        matches!(self, Self::PrivateKeyJwt | Self::ClientSecretJwt)
    }

    /// Whether a certificate does.
    pub fn shows_certificate(self) -> bool {
        matches!(self, Self::TlsClientAuth | Self::SelfSignedTlsClientAuth)
    }
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
    /// In the URL's query, with an empty body.
    Query,
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

fn space() -> String {
    " ".to_owned()
}
