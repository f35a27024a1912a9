//! Where a provider's requests and callbacks leave the words of the RFCs: other names, other methods, other places.
//!
//! Invariant: nothing here changes what is said, only how it is written; the values of the protocol's own parameters are
//! never the manifest's, except for `grant_type` and `response_type`, which are words of the provider's choice.

use super::is_default;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A parameter of the protocol that some providers know by another name, or do not want.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parameter {
    /// RFC 7521 section 4.1.
    Assertion,
    /// RFC 7521 section 4.2.
    ClientAssertion,
    /// RFC 7521 section 4.2.
    ClientAssertionType,
    /// RFC 6749 section 2.2.
    ClientId,
    /// RFC 6749 section 2.3.1.
    ClientSecret,
    /// RFC 6749 section 4.1.2.
    Code,
    /// RFC 7636 section 4.5.
    CodeVerifier,
    /// RFC 6749 section 4.1.3.
    GrantType,
    /// RFC 6749 section 4.3.2.
    Password,
    /// RFC 6749 section 3.1.2.
    RedirectUri,
    /// RFC 6749 section 6.
    RefreshToken,
    /// RFC 6749 section 3.1.1.
    ResponseType,
    /// RFC 6749 section 3.3.
    Scope,
    /// RFC 6749 section 4.3.2.
    Username,
}

impl Parameter {
    /// Its name by the RFCs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assertion => "assertion",
            Self::ClientAssertion => "client_assertion",
            Self::ClientAssertionType => "client_assertion_type",
            Self::ClientId => "client_id",
            Self::ClientSecret => "client_secret",
            Self::Code => "code",
            Self::CodeVerifier => "code_verifier",
            Self::GrantType => "grant_type",
            Self::Password => "password",
            Self::RedirectUri => "redirect_uri",
            Self::RefreshToken => "refresh_token",
            Self::ResponseType => "response_type",
            Self::Scope => "scope",
            Self::Username => "username",
        }
    }
}

/// The names that a provider has for parameters of the protocol.
pub type Names = BTreeMap<Parameter, String>;

/// How the authorization request is written (RFC 6749 section 4.1.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthorizationRequest {
    /// Parameters with another name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub names: Names,
    /// Parameters that are not sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub omit: Vec<Parameter>,
    /// What is sent for `code` as `response_type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_type: Option<String>,
    /// What stands behind the `#` of the whole URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fragment: Option<String>,
    /// What stands between a `#` and the parameters, where a page takes them there instead of in the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
}

/// How a request to the token endpoint is written (RFC 6749 sections 4.1.3, 4.4.2 and 6).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenRequest {
    /// The method; `GET` carries all parameters in the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<TokenMethod>,
    /// What is sent as `grant_type` instead of the RFC's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_type: Option<String>,
    /// Parameters with another name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub names: Names,
    /// Parameters that are not sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub omit: Vec<Parameter>,
}

/// The method of a request to the token endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TokenMethod {
    /// `POST` (RFC 6749 section 3.2).
    #[default]
    Post,
    /// `GET`, with the client's secret in the query.
    Get,
}

/// A second request, right after the code exchange, that changes the short-lived access token for a long-lived one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongLivedExchange {
    /// Where it goes.
    pub url: String,
    /// Its `grant_type`.
    pub grant_type: String,
    /// The parameter that carries the short-lived token.
    pub token_parameter: String,
    /// Its method.
    #[serde(default, skip_serializing_if = "is_default")]
    pub method: TokenMethod,
}

/// What the callback carries beside RFC 6749 section 4.1.2.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Callback {
    /// The parameter that carries the code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Parameters to hand out with the token, by the name that the field gets.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub keep: BTreeMap<String, String>,
    /// Parameters that have to be there with just this value, which may name variables.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub expect: BTreeMap<String, String>,
    /// How the provider signs the callback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hmac: Option<CallbackHmac>,
}

impl Callback {
    /// The parameter that carries the code.
    pub fn code_parameter(&self) -> &str {
        self.code.as_deref().unwrap_or("code")
    }
}

/// A signature over the callback: HMAC-SHA256 with the client secret as key, in hexadecimal, over all other parameters,
/// sorted by name and written as a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbackHmac {
    /// The parameter that carries it.
    pub parameter: String,
    /// Other parameters that it does not cover.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
    /// The parameter that tells when it was made, in seconds after 1970; an old one is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
}

/// A call that tells whose grant it is, made once after the code exchange with the new access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// What is fetched.
    pub url: String,
    /// Where the reply keeps the fields to hand out with the token, by the name that each gets.
    pub fields: BTreeMap<String, String>,
}

/// A header that tells, in a reply with status 429, how long to wait where `Retry-After` is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryHint {
    /// Its name.
    pub header: String,
    /// What its number counts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unit: RetryUnit,
}

/// What the number of a retry hint counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryUnit {
    /// Seconds from now on.
    #[default]
    Seconds,
    /// Milliseconds from now on.
    Milliseconds,
    /// Seconds after 1970.
    UnixSeconds,
}
