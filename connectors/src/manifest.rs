//! The typed shape of a manifest: everything that can be said about a provider, and nothing that does nothing.
//!
//! Unknown members are refused wherever they stand. Each mode of `auth` is a type of its own, so that a member that
//! another mode would need is refused too.

mod api;
mod credential;
mod discovery;
mod grants;
mod oauth1;
mod oauth2;
mod provenance;
mod response;
mod signed_jwt;
mod signing;
mod two_step;
mod variable;
mod wire;

pub use api::{Api, ApiField, ApiFieldKind};
pub use credential::{ApiKey, Basic, Credential, CredentialKind, Verification, VerificationMethod};
pub use discovery::Discovery;
pub use grants::{Assertion, TokenExchange};
pub use oauth1::{OAuth1, OAuth1TokenResponse, SignatureMethod};
pub use oauth2::{ClientAuthentication, Grant, OAuth2, RecoveryClass, TokenBody};
pub use provenance::{Confidence, Provenance};
pub use response::{Further, LifetimeUnit, TokenResponse};
pub use signed_jwt::{Jwt, KeyEncoding, SignedJwt};
pub use signing::{ClientAssertion, SigningAlgorithm};
pub use two_step::{LoginBasic, LoginBody, LoginResponse, LoginStep, TwoStep};
pub use variable::{Variable, VariableKind};
pub use wire::{
    AuthorizationRequest, Callback, CallbackHmac, Identity, LongLivedExchange, Names, Parameter, RetryHint, RetryUnit,
    TokenMethod, TokenRequest,
};

use mortise_domain::ConnectorId;
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
    /// The kinds of provider that it is, in lower-case words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Where the facts come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    /// How a grant is obtained and kept, or what is pasted instead.
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

impl Manifest {
    /// OAuth 2, if that is what the provider speaks.
    pub fn oauth2(&self) -> Option<&OAuth2> {
        self.auth.oauth2()
    }

    /// Whether a variable is for whoever owns the app's secret, and for nobody else: a whole host to which that secret goes.
    /// Where customers paste what is their own, they may say where it goes.
    pub fn only_the_app_fills(&self, name: &str) -> bool {
        let whole_host = self.variables.get(name).is_some_and(|variable| variable.kind == VariableKind::Host);
        let with_secret = match &self.auth {
            Auth::Oauth2(_) | Auth::Oauth1(_) => true,
            Auth::ApiKey(_) | Auth::Basic(_) | Auth::TwoStep(_) | Auth::SignedJwt(_) => false,
        };
        whole_host && with_secret
    }

    /// Whether customers may say on the consent page what a variable is. Not where the app's own credentials are all that a
    /// token takes: whoever named another customer there would get that customer's data. A choice among the manifest's own
    /// values names nobody.
    pub fn customers_fill(&self, name: &str) -> bool {
        let app_alone = self.auth.renewal() == Some(crate::RenewedBy::Client);
        let theirs = |variable: &Variable| !app_alone || variable.kind == VariableKind::Enum;
        self.variables.get(name).is_some_and(theirs) && !self.only_the_app_fills(name)
    }
}

/// How a customer's access is obtained, by the member `type`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Auth {
    /// RFC 6749.
    Oauth2(Box<OAuth2>),
    /// RFC 5849.
    Oauth1(Box<OAuth1>),
    /// A key that the customer pastes.
    ApiKey(ApiKey),
    /// RFC 7617: a user name and a password that the customer pastes.
    Basic(Basic),
    /// Credentials for a token: logins and the like.
    TwoStep(Box<TwoStep>),
    /// A token that is signed here with the customer's key.
    SignedJwt(SignedJwt),
}

impl Auth {
    /// OAuth 2, if it is that.
    pub fn oauth2(&self) -> Option<&OAuth2> {
        match self {
            Self::Oauth2(auth) => Some(auth),
            Self::Oauth1(_) | Self::ApiKey(_) | Self::Basic(_) | Self::TwoStep(_) | Self::SignedJwt(_) => None,
        }
    }

    /// OAuth 1.0, if it is that.
    pub fn oauth1(&self) -> Option<&OAuth1> {
        match self {
            Self::Oauth1(auth) => Some(auth),
            Self::Oauth2(_) | Self::ApiKey(_) | Self::Basic(_) | Self::TwoStep(_) | Self::SignedJwt(_) => None,
        }
    }

    /// Every URL that is called or visited, with its JSON pointer in the manifest. They may name variables.
    pub fn urls(&self) -> Vec<(&'static str, &String)> {
        match self {
            Self::Oauth2(auth) => auth.urls().collect(),
            Self::Oauth1(auth) => auth.urls().into(),
            Self::TwoStep(auth) => auth.urls().collect(),
            Self::ApiKey(ApiKey { verification, .. })
            | Self::Basic(Basic { verification, .. })
            | Self::SignedJwt(SignedJwt { verification, .. }) => {
                verification.iter().map(|call| ("/auth/verification/url", &call.url)).collect()
            }
        }
    }
}

fn is_false(value: &bool) -> bool {
    !*value
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
