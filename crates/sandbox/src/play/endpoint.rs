//! The endpoints that a manifest describes, with what each expects.

use super::wanted::{Authorization, Place, Said, Want, Wanted, Writing};
use super::{Arrived, Registered, Unplayable, authorize, device, fit, login, mint, oauth1, pasted, signed_jwt};
use mortise_connectors::{Auth, Grant, Manifest, OAuth2, Parameter, Values, expand_url};
use std::fmt;
use url::Url;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A customer's browser comes to consent (RFC 6749 section 4.1.1).
    Authorize,
    /// A code is changed for tokens (RFC 6749 section 4.1.3).
    Exchange,
    /// The authorization request is left with the provider (RFC 9126).
    Push,
    /// A token for the client itself (section 4.4.2).
    Client,
    /// A token for what the customer gave: a password, an assertion, another token (RFC 6749 section 4.3, RFC 7522, 7523,
    /// 8693).
    Mint,
    /// A device code is asked for (RFC 8628 section 3.1).
    Device,
    /// What became of it (section 3.4)?
    Poll,
    /// Temporary credentials (RFC 5849 section 2.1).
    Temporary,
    /// The token that they are changed for (section 2.3).
    TokenCredentials,
    /// One of the requests of a login, from 0.
    Login(usize),
    /// One of the requests that renew a login, from 0.
    Renew(usize),
    /// The request that ends one.
    Logout,
    /// A token is renewed (section 6).
    Refresh,
    /// A short-lived token is changed for a long-lived one.
    LongLived,
    /// Whose grant is it?
    Identity,
    /// RFC 7662.
    Introspect,
    /// RFC 7009.
    Revoke,
    /// What was pasted is tried out.
    Verify,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authorize => "authorization",
            Self::Exchange => "token",
            Self::Push => "pushed authorization",
            Self::Client => "client credentials",
            Self::Mint => "grant",
            Self::Device => "device authorization",
            Self::Poll => "device token",
            Self::Temporary => "temporary credentials",
            Self::TokenCredentials => "token credentials",
            Self::Login(step) => return write!(f, "step {}", step + 1),
            Self::Renew(step) => return write!(f, "refresh step {}", step + 1),
            Self::Logout => "logout",
            Self::Refresh => "refresh",
            Self::LongLived => "long-lived exchange",
            Self::Identity => "identity",
            Self::Introspect => "introspection",
            Self::Revoke => "revocation",
            Self::Verify => "verification",
        })
    }
}

/// An endpoint.
pub(super) struct Endpoint {
    pub(super) role: Role,
    pub(super) url: Url,
    pub(super) wanted: Wanted,
}

impl Endpoint {
    /// Whether a request goes to its address. The scheme is not looked at: nobody here speaks TLS.
    pub(super) fn is_at(&self, arrived: &Arrived) -> bool {
        let (here, there) = (&self.url, &arrived.url);
        here.host_str() == there.host_str() && here.port() == there.port() && here.path() == there.path()
    }

    /// How well a request fits.
    pub(super) fn fit(&self, arrived: &Arrived) -> fit::Fit {
        fit::judge(arrived, &self.url, &self.wanted)
    }
}

/// Every endpoint of a manifest, but for the page where customers consent.
pub(super) fn all(manifest: &Manifest, values: &Values, registered: &Registered) -> Result<Vec<Endpoint>, Unplayable> {
    match &manifest.auth {
        Auth::Oauth2(auth) => of_oauth2(manifest, auth, values, registered),
        Auth::TwoStep(auth) => login::endpoints(manifest, auth, values, registered, None),
        Auth::Oauth1(auth) => oauth1::endpoints(manifest, auth, values),
        Auth::ApiKey(_) | Auth::Basic(_) => pasted::endpoints(manifest, values, registered),
        Auth::SignedJwt(auth) => signed_jwt::endpoints(manifest, auth, values, registered),
    }
}

fn of_oauth2(
    manifest: &Manifest,
    auth: &OAuth2,
    values: &Values,
    registered: &Registered,
) -> Result<Vec<Endpoint>, Unplayable> {
    let mut endpoints = Vec::new();
    let mut add = |role, template: &str, wanted| {
        endpoints.push(Endpoint { role, url: expand_url(template, manifest, values)?, wanted });
        Ok::<_, Unplayable>(())
    };
    match auth.grant {
        Grant::AuthorizationCode => {
            add(Role::Exchange, &auth.token_url, exchange(auth, values)?)?;
            add(Role::Refresh, auth.refresh_url.as_ref().unwrap_or(&auth.token_url), refresh(auth, values)?)?;
        }
        Grant::ClientCredentials => add(Role::Client, &auth.token_url, client(auth, values, registered)?)?,
        Grant::Password | Grant::JwtBearer | Grant::Saml2Bearer | Grant::TokenExchange => {
            add(Role::Mint, &auth.token_url, mint::wanted(auth, values, registered)?)?;
        }
        // The token comes with the callback.
        Grant::Implicit => {}
        Grant::DeviceCode => {
            let codes = auth.device_authorization_url.as_ref().unwrap_or(&auth.token_url);
            add(Role::Device, codes, device::codes(auth, values, registered)?)?;
            add(Role::Poll, &auth.token_url, device::question(auth, values)?)?;
            add(Role::Refresh, auth.refresh_url.as_ref().unwrap_or(&auth.token_url), refresh(auth, values)?)?;
        }
    }
    if let Some(url) = &auth.pushed_authorization_request_url {
        let mut writing = Writing::of_question(auth, values);
        for (name, want) in authorize::params(auth, values, registered)? {
            writing = writing.named(&name, want);
        }
        add(Role::Push, url, writing.done()?)?;
    }
    if let Some(exchange) = &auth.long_lived_exchange {
        let wanted = Writing::of_long_lived(auth, values, exchange.method)
            .param(Parameter::GrantType, Want::Exactly(exchange.grant_type.clone()))
            .named(&exchange.token_parameter, Want::Value(Said::Token));
        add(Role::LongLived, &exchange.url, wanted.done()?)?;
    }
    for (role, url) in [(Role::Revoke, &auth.revocation_url), (Role::Introspect, &auth.introspection_url)] {
        let Some(url) = url else { continue };
        let wanted = Writing::of_question(auth, values)
            .named("token", Want::Value(Said::Token))
            .named("token_type_hint", Want::OneOf(&["access_token", "refresh_token"]));
        add(role, url, wanted.done()?)?;
    }
    if let Some(identity) = &auth.identity {
        add(Role::Identity, &identity.url, with_token(auth))?;
    }
    Ok(endpoints)
}

fn exchange(auth: &OAuth2, values: &Values) -> Result<Wanted, Unplayable> {
    let word = auth.token_request.grant_type.as_deref().unwrap_or("authorization_code");
    let mut writing = Writing::of_token(auth, values)
        .param(Parameter::GrantType, Want::Exactly(word.to_owned()))
        .param(Parameter::Code, Want::Value(Said::Code))
        .param(Parameter::RedirectUri, Want::Value(Said::RedirectUri));
    if auth.pkce_disabled_reason.is_none() {
        writing = writing.param(Parameter::CodeVerifier, Want::Value(Said::Verifier));
    }
    writing.extra(&auth.token_params)?.done()
}

fn refresh(auth: &OAuth2, values: &Values) -> Result<Wanted, Unplayable> {
    let word = auth.refresh_request.grant_type.as_deref().unwrap_or("refresh_token");
    Writing::of_refresh(auth, values)
        .param(Parameter::GrantType, Want::Exactly(word.to_owned()))
        .param(Parameter::RefreshToken, Want::Value(Said::RefreshToken))
        .extra(&auth.refresh_params)?
        .done()
}

fn client(auth: &OAuth2, values: &Values, registered: &Registered) -> Result<Wanted, Unplayable> {
    let word = auth.token_request.grant_type.as_deref().unwrap_or("client_credentials");
    let mut writing = Writing::of_token(auth, values).param(Parameter::GrantType, Want::Exactly(word.to_owned()));
    writing = scoped(writing, auth, registered);
    writing.extra(&auth.token_params)?.done()
}

/// The scopes, where there are any.
pub(super) fn scoped<'a>(writing: Writing<'a>, auth: &OAuth2, registered: &Registered) -> Writing<'a> {
    match auth.default_scopes.union(&registered.scopes).is_empty() {
        true => writing,
        false => writing.param(Parameter::Scope, Want::Value(Said::Scope)),
    }
}

/// A call with the access token and nothing else.
fn with_token(auth: &OAuth2) -> Wanted {
    let mut headers = vec![("accept".to_owned(), Want::Exactly("application/json".to_owned()))];
    if auth.dpop {
        headers.push(("dpop".to_owned(), Want::Value(Said::Proof)));
    }
    let authorization = if auth.dpop { Authorization::Dpop } else { Authorization::Bearer };
    Wanted { method: "GET", place: Place::Query, params: Vec::new(), headers, authorization }
}
