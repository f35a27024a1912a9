//! Grants that take something from the customer to the token endpoint (RFC 6749 section 4.3, RFC 7522, 7523, 8693).
//!
//! Invariant: what the customer gave goes into the places that the manifest has for it and must not come back in a reply.
//! Deliberately absent: whether it is kept, and when it is asked with again.

use crate::fill::fill;
use crate::request::Draft;
use crate::sending::Assertion;
use crate::style::Style;
use crate::{
    ClientRegistration, Credentials, FailureClass, Given, KeyFault, Outbound, ProtocolError, Provider, RefreshFailure,
    SigningKey, signed_jwt,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mortise_connectors::{Auth, Grant, OAuth2, Parameter, TemplateError};
use mortise_domain::{ClientSecret, PastedSecret};
use serde_json::Map;
use zeroize::Zeroizing;

/// RFC 7523 section 2.1.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// RFC 7522 section 2.1.
const SAML2_BEARER: &str = "urn:ietf:params:oauth:grant-type:saml2-bearer";
/// RFC 8693 section 2.1.
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// The customer's user name and password (RFC 6749 section 4.3.2).
pub(crate) fn password(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    given: &Given<'_>,
) -> Result<Outbound, ProtocolError> {
    let auth = provider.auth()?;
    let mut draft = draft(provider, "password")?;
    let (username, password) = auth.resource_owner();
    draft.say(Parameter::Username, &filled(username, provider, given.credentials)?);
    draft.say_secret(Parameter::Password, &filled(password, provider, given.credentials)?);
    say_scopes(&mut draft, auth, given);
    draft.extend(provider, &auth.token_params)?;
    draft.finish(provider, client)
}

/// An assertion that is signed with the customer's key or the app's (RFC 7523 section 2.1).
pub(crate) fn jwt_bearer(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    given: &Given<'_>,
) -> Result<Outbound, ProtocolError> {
    let auth = provider.auth()?;
    let mut draft = draft(provider, JWT_BEARER)?;
    draft.assert(Parameter::Assertion, assertion(provider, auth, client, given)?);
    if auth.assertion.as_ref().is_none_or(|told| told.scope_claim.is_none()) {
        say_scopes(&mut draft, auth, given);
    }
    draft.extend(provider, &auth.token_params)?;
    draft.finish(provider, client)
}

/// What the assertion says (RFC 7523 section 3), but for what the moment of sending adds.
fn assertion(
    provider: &Provider<'_>,
    auth: &OAuth2,
    client: &ClientRegistration<'_>,
    given: &Given<'_>,
) -> Result<Assertion, ProtocolError> {
    let told = auth.assertion.as_ref().ok_or(ProtocolError::NoAssertion)?;
    let text = |template: &str| {
        let filled = fill(template, |name| match name {
            "client_id" => Some(client.client_id),
            name => named(name, provider, given.credentials),
        });
        filled.map(|text| text.to_string())
    };
    let audience = match &told.audience {
        Some(template) => text(template)?,
        None => provider.url(&auth.token_url)?.into(),
    };
    let mut claims = Map::new();
    claims.insert("iss".to_owned(), text(&told.issuer)?.into());
    if let Some(subject) = &told.subject {
        claims.insert("sub".to_owned(), text(subject)?.into());
    }
    claims.insert("aud".to_owned(), audience.into());
    for (name, template) in &told.claims {
        claims.insert(name.clone(), text(template)?.into());
    }
    let scopes = given.scopes.union(&auth.default_scopes);
    if let Some(name) = told.scope_claim.as_ref().filter(|_| !scopes.is_empty()) {
        claims.insert(name.clone(), scopes.join(&auth.scope_separator).into());
    }
    let key = client.signer.map(|_| match &told.key {
        Some(name) => {
            let pasted = given.credentials.get(name).ok_or_else(|| TemplateError::NoValue(name.clone()))?;
            pasted_key(auth, pasted).map_err(|fault| ProtocolError::PastedKey { credential: name.clone(), fault })
        }
        None => app_key(auth, client.secret),
    });
    let key_id = told.key_id.as_deref().map(text).transpose()?;
    Ok(Assertion { key: key.transpose()?, key_id, claims, lifetime: told.lifetime() })
}

/// The key that assertions are signed with, where it is the app's client secret.
pub(crate) fn app_key(auth: &OAuth2, secret: Option<&ClientSecret>) -> Result<SigningKey, ProtocolError> {
    let secret = secret.ok_or(ProtocolError::NoClientSecret)?;
    Ok(key(auth, secret.expose())?)
}

fn pasted_key(auth: &OAuth2, pasted: &PastedSecret) -> Result<SigningKey, KeyFault> {
    key(auth, pasted.expose())
}

fn key(auth: &OAuth2, text: &str) -> Result<SigningKey, KeyFault> {
    match auth.assertion.as_ref().and_then(|told| told.algorithm) {
        Some(algorithm) => SigningKey::of(text, algorithm),
        None => SigningKey::read(text, None),
    }
}

/// Whether the credential that signs is a key; if not, which it is and what is wrong with it.
///
/// # Errors
/// The credential's name, and the way out for whoever pasted it.
pub fn check_pasted_key(auth: &Auth, credentials: &Credentials) -> Result<(), (String, KeyFault)> {
    let auth = match auth {
        Auth::Oauth2(auth) => auth,
        Auth::SignedJwt(auth) => return signed_jwt::check_key(auth, credentials),
        Auth::Oauth1(_) | Auth::ApiKey(_) | Auth::Basic(_) | Auth::TwoStep(_) => return Ok(()),
    };
    let signing = auth.assertion.as_ref().and_then(|told| told.key.as_ref());
    let Some((name, pasted)) = signing.and_then(|name| Some((name, credentials.get(name)?))) else { return Ok(()) };
    pasted_key(auth, pasted).map(drop).map_err(|fault| (name.clone(), fault))
}

/// A SAML assertion that was made elsewhere (RFC 7522 section 2.1).
pub(crate) fn saml2_bearer(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    given: &Given<'_>,
) -> Result<Outbound, ProtocolError> {
    let auth = provider.auth()?;
    let mut draft = draft(provider, SAML2_BEARER)?;
    let name = auth.asked().keys().next().map_or("assertion", String::as_str);
    let pasted = given.credentials.get(name).ok_or_else(|| TemplateError::NoValue(name.to_owned()))?;
    draft.say_secret(Parameter::Assertion, &saml_assertion(pasted));
    say_scopes(&mut draft, auth, given);
    draft.extend(provider, &auth.token_params)?;
    draft.finish(provider, client)
}

/// A token for another (RFC 8693 section 2.1).
pub(crate) fn token_exchange(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    given: &Given<'_>,
) -> Result<Outbound, ProtocolError> {
    let auth = provider.auth()?;
    let exchange = auth.exchange();
    let text = |template: &String| filled(template, provider, given.credentials);
    let mut draft = draft(provider, TOKEN_EXCHANGE)?;
    draft.set_secret("subject_token", &text(&exchange.subject_token)?);
    draft.set("subject_token_type", &exchange.subject_token_type);
    if let (Some(token), Some(kind)) = (&exchange.actor_token, &exchange.actor_token_type) {
        draft.set_secret("actor_token", &text(token)?);
        draft.set("actor_token_type", kind);
    }
    if let Some(kind) = &exchange.requested_token_type {
        draft.set("requested_token_type", kind);
    }
    if let Some(audience) = &exchange.audience {
        draft.set("audience", &text(audience)?);
    }
    say_scopes(&mut draft, auth, given);
    draft.extend(provider, &auth.token_params)?;
    draft.finish(provider, client)
}

/// A refusal by the words of the grant: a token exchange calls a token that is not good an `invalid_request` (RFC 8693
/// section 2.2.2), unless the manifest knows better what its provider means by that.
pub(crate) fn as_meant(auth: &OAuth2, mut refused: RefreshFailure) -> RefreshFailure {
    let failure = &mut refused.failure;
    let of_token = auth.grant == Grant::TokenExchange && failure.error.as_deref() == Some("invalid_request");
    if of_token && failure.class == FailureClass::Unknown {
        failure.class = FailureClass::GrantRejected;
        failure.detail = "the provider does not accept the token that was presented";
    }
    refused
}

fn draft<'a>(provider: &Provider<'a>, grant_type: &str) -> Result<Draft<'a>, ProtocolError> {
    let auth = provider.auth()?;
    let mut draft = Draft::new(provider.url(&auth.token_url)?, Style::of_token(auth));
    draft.say(Parameter::GrantType, auth.token_request.grant_type.as_deref().unwrap_or(grant_type));
    Ok(draft)
}

fn say_scopes(draft: &mut Draft<'_>, auth: &OAuth2, given: &Given<'_>) {
    let scopes = given.scopes.union(&auth.default_scopes);
    if !scopes.is_empty() {
        draft.say(Parameter::Scope, &scopes.join(&auth.scope_separator));
    }
}

fn filled(
    template: &str,
    provider: &Provider<'_>,
    credentials: &Credentials,
) -> Result<Zeroizing<String>, ProtocolError> {
    fill(template, |name| named(name, provider, credentials))
}

fn named<'a>(name: &str, provider: &Provider<'a>, credentials: &'a Credentials) -> Option<&'a str> {
    let pasted = credentials.get(name).map(PastedSecret::expose);
    pasted.or_else(|| provider.values.get(name).map(String::as_str))
}

/// The assertion as the parameter carries it, whether it was pasted as XML, in base64 or in base64url.
fn saml_assertion(pasted: &PastedSecret) -> Zeroizing<String> {
    let text = pasted.expose().trim();
    if text.starts_with('<') {
        return Zeroizing::new(URL_SAFE_NO_PAD.encode(text));
    }
    let mut encoded = Zeroizing::new(String::with_capacity(text.len()));
    encoded.extend(text.chars().filter(|c| !c.is_whitespace() && *c != '=').map(|c| match c {
        '+' => '-',
        '/' => '_',
        other => other,
    }));
    encoded
}

#[cfg(test)]
mod tests;
