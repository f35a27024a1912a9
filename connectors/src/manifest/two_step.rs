//! Credentials for a token: what a customer gives is changed, by requests of the provider's own, for a token that ends.
//!
//! Invariant: a request may use what was given, what the requests before it were told, and variables, and nothing else.
//! Deliberately absent: an app's client, which these providers do not know.

use super::response::{LifetimeUnit, TokenResponse};
use super::wire::{RetryHint, TokenMethod};
use super::{Api, Credential, RecoveryClass, is_default, is_false};
use crate::limits::{Rate, RefreshErrors};
use crate::template::parts;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Logins and the like, as this provider has them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwoStep {
    /// What the customer gives, by the name that templates use in braces.
    pub credentials: BTreeMap<String, Credential>,
    /// The requests that lead to a token, in their order; the last one's reply has it.
    pub steps: Vec<LoginStep>,
    /// Where that reply keeps what.
    #[serde(default, skip_serializing_if = "is_default")]
    pub token_response: LoginResponse,
    /// The requests that renew a token with the refresh token that came with it. Without them the steps are gone again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refresh: Vec<LoginStep>,
    /// With `refresh` only: what happens to a refresh token when it is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_class: Option<RecoveryClass>,
    /// The request that ends a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<LoginStep>,
    /// Seconds that a token lives when the reply does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_lifetime: Option<u32>,
    /// Seconds before expiry at which a renewal starts at the latest, where the token lives long enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_margin: Option<u32>,
    /// A new token ends the one before it, so that renewals come late.
    #[serde(default, skip_serializing_if = "is_false")]
    pub kills_prior_access_token: bool,
    /// What the provider's own error codes mean.
    #[serde(default, skip_serializing_if = "RefreshErrors::is_empty")]
    pub refresh_errors: RefreshErrors,
    /// How many renewals the provider allows for one connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mint_rate: Option<Rate>,
    /// How many it allows from all connections together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<Rate>,
    /// How many it takes at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Where replies with status 429 say how long to wait, beside `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_hint: Option<RetryHint>,
}

/// One request. Its texts are templates over variables, credentials, and what earlier requests took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginStep {
    /// Its method; `GET` carries all parameters in the query.
    #[serde(default, skip_serializing_if = "is_default")]
    pub method: TokenMethod,
    /// Where it goes; it may name variables.
    pub url: String,
    /// Its headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// HTTP Basic (RFC 7617).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic: Option<LoginBasic>,
    /// How a `POST` is written.
    #[serde(default, skip_serializing_if = "is_default")]
    pub body: LoginBody,
    /// Its parameters. In JSON, a name that begins with a slash is a pointer to where the value stands.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
    /// JSON only: parameters whose value is no text but stands here as JSON, such as `false`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub literals: BTreeMap<String, String>,
    /// XML only: the whole body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xml: Option<String>,
    /// What the reply tells for the requests after it and for calls, by the name that templates use: JSON pointers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub take: BTreeMap<String, String>,
}

/// User name and password of HTTP Basic, as templates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginBasic {
    /// The user name.
    pub username: String,
    /// The password. It may be empty.
    pub password: String,
    /// The provider's own word for `Basic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
}

/// How a `POST` is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginBody {
    /// `application/x-www-form-urlencoded`.
    #[default]
    Form,
    /// `application/json`.
    Json,
    /// In the URL's query, with an empty body.
    Query,
    /// `application/xml`, as the step's `xml` has it.
    Xml,
}

/// Where the reply that has the token keeps what: JSON pointers (RFC 6901) from its top.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoginResponse {
    /// The token.
    #[serde(skip_serializing_if = "is_the_token")]
    pub access_token: String,
    /// The refresh token, which the member `refresh` uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The lifetime.
    #[serde(skip_serializing_if = "is_the_lifetime")]
    pub expires_in: String,
    /// In what lifetimes count.
    #[serde(skip_serializing_if = "is_default")]
    pub expires_in_unit: LifetimeUnit,
    /// When the token ends, where the reply says that instead of a lifetime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// How long the refresh token lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_expires_in: Option<String>,
    /// The error code: where it says anything, the reply is an error whatever its status.
    #[serde(skip_serializing_if = "is_the_error")]
    pub error: String,
    /// A finer error code beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_detail: Option<String>,
    /// A member that is `true` in every success and `false` in an error with status 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ok: Option<String>,
    /// Fields to hand out with the token, by the name they get.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
    /// What stands before the reply and is no part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip_prefix: Option<String>,
}

const THE_TOKEN: &str = "/access_token";
const THE_LIFETIME: &str = "/expires_in";
const THE_ERROR: &str = "/error";

impl Default for LoginResponse {
    fn default() -> Self {
        Self {
            access_token: THE_TOKEN.to_owned(),
            refresh_token: None,
            expires_in: THE_LIFETIME.to_owned(),
            expires_in_unit: LifetimeUnit::Seconds,
            expires_at: None,
            refresh_expires_in: None,
            error: THE_ERROR.to_owned(),
            error_detail: None,
            ok: None,
            extra: BTreeMap::new(),
            strip_prefix: None,
        }
    }
}

impl TwoStep {
    /// Where the reply that has the token keeps what, in the words of OAuth 2: it is read by the same code.
    pub fn reply(&self) -> TokenResponse {
        let (own, usual) = (self.token_response.clone(), TokenResponse::default());
        TokenResponse {
            access_token: own.access_token,
            refresh_token: own.refresh_token.unwrap_or(usual.refresh_token),
            expires_in: own.expires_in,
            expires_in_unit: own.expires_in_unit,
            expires_at: own.expires_at,
            refresh_expires_in: own.refresh_expires_in.unwrap_or(usual.refresh_expires_in),
            error: own.error,
            error_detail: own.error_detail,
            ok: own.ok,
            ok_value: None,
            extra: own.extra,
            strip_prefix: own.strip_prefix,
            token_type: usual.token_type,
            token_type_optional: true,
            scope: usual.scope,
            alternate: None,
            further: BTreeMap::new(),
        }
    }

    /// Every request with its JSON pointer in the manifest. More steps than there may be have the last one's.
    pub fn requests(&self) -> impl Iterator<Item = (&'static str, &LoginStep)> {
        let at = |paths: &'static [&'static str; 5], index: usize| paths[index.min(4)];
        let steps = self.steps.iter().enumerate().map(move |(index, step)| (at(&STEPS, index), step));
        let refresh = self.refresh.iter().enumerate().map(move |(index, step)| (at(&REFRESH, index), step));
        steps.chain(refresh).chain(self.revocation.iter().map(|step| ("/auth/revocation/url", step)))
    }

    /// The names that are needed once there is a token, by `refresh` and by `api`: what they stand for is kept beside it.
    pub fn keeps<'a>(&'a self, api: Option<&'a Api>) -> BTreeSet<&'a str> {
        let carried = api.into_iter().flat_map(|api| api.headers.values().chain(api.query.values()));
        let renewing = self.refresh.iter().flat_map(LoginStep::templates);
        let texts = carried.map(String::as_str).chain(renewing);
        let names = texts.filter_map(|text| parts(text).ok()).flat_map(|parts| parts.names);
        // The tokens have places of their own.
        names.filter(|name| !["access_token", "refresh_token"].contains(name)).collect()
    }

    /// Every URL that is called, with its JSON pointer in the manifest. They may name variables.
    pub fn urls(&self) -> impl Iterator<Item = (&'static str, &String)> {
        self.requests().map(|(path, step)| (path, &step.url))
    }
}

const STEPS: [&str; 5] =
    ["/auth/steps/0/url", "/auth/steps/1/url", "/auth/steps/2/url", "/auth/steps/3/url", "/auth/steps/4/url"];
const REFRESH: [&str; 5] =
    ["/auth/refresh/0/url", "/auth/refresh/1/url", "/auth/refresh/2/url", "/auth/refresh/3/url", "/auth/refresh/4/url"];

impl LoginStep {
    /// Every template but the URL.
    pub fn templates(&self) -> impl Iterator<Item = &str> {
        let basic = self.basic.iter().flat_map(|basic| [&basic.username, &basic.password]);
        self.headers.values().chain(basic).chain(self.params.values()).chain(&self.xml).map(String::as_str)
    }
}

fn is_the_token(pointer: &String) -> bool {
    pointer == THE_TOKEN
}

fn is_the_lifetime(pointer: &String) -> bool {
    pointer == THE_LIFETIME
}

fn is_the_error(pointer: &String) -> bool {
    pointer == THE_ERROR
}
