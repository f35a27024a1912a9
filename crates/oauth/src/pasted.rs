//! Pasted credentials on the wire: what a call to the provider's API carries, and the call that tries them out.
//!
//! Invariant: the manifest decides which header and which parameter holds what, a value only fills its place; buffers that
//! hold one are made large enough at once and wiped. Deliberately absent: the calls themselves, which are the caller's.

use crate::request::DEADLINE;
use crate::signed_jwt::signed_jwt;
use crate::two_step::carried_token;
use crate::{Failure, FailureClass, Header, Method, Outbound, ProtocolError, Provider, Transport};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mortise_connectors::{Pasted, Scheme, TemplateError, Verification, VerificationMethod};
use mortise_domain::{AccessToken, PastedSecret};
use reqwest::header::{HeaderName, HeaderValue};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// What a customer pasted, by the names of the manifest.
pub type Credentials = BTreeMap<String, PastedSecret>;

/// What a call to the provider's API carries.
#[derive(Debug)]
pub struct Carried {
    /// The key itself; with HTTP Basic, what stands behind the word `Basic` (RFC 7617).
    pub token: AccessToken,
    /// Headers, by their names in lower case.
    pub headers: BTreeMap<String, PastedSecret>,
    /// Parameters of the query.
    pub query: BTreeMap<String, PastedSecret>,
}

/// What a call carries, with `credentials` filled in; `None`: the provider's customers paste nothing.
///
/// # Errors
/// A credential that is missing, or one that does not fit into a header.
pub fn carried(provider: &Provider<'_>, credentials: &Credentials) -> Result<Option<Carried>, ProtocolError> {
    let Some(pasted) = provider.manifest.auth.pasted() else { return Ok(None) };
    let filled = |template: &str| fill(template, provider, credentials);
    let mut headers = BTreeMap::new();
    let token = match pasted.scheme {
        Scheme::ApiKey { key } => {
            credentials.get(key).map(|key| AccessToken::new(key.expose())).ok_or_else(|| absent(key))?
        }
        Scheme::Basic { username, password } => {
            let basic = basic(&filled(username)?, &filled(password)?);
            headers.insert("authorization".to_owned(), PastedSecret::new(format!("Basic {}", *basic)));
            AccessToken::new(basic.as_str())
        }
    };
    let mut query = BTreeMap::new();
    if let Some(api) = &provider.manifest.api {
        for (name, template) in &api.headers {
            let value = filled(template)?;
            let refused = || ProtocolError::Header { name: name.clone() };
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
            if HeaderValue::from_str(&value).is_err() || headers.contains_key(header.as_str()) {
                return Err(refused());
            }
            headers.insert(header.as_str().to_owned(), PastedSecret::new(value.as_str()));
        }
        for (name, template) in &api.query {
            query.insert(name.clone(), PastedSecret::new(filled(template)?.as_str()));
        }
    }
    Ok(Some(Carried { token, headers, query }))
}

/// The call that tells whether `credentials` are good. `None`: the manifest names none.
///
/// # Errors
/// A URL that does not expand, or what [`carried`] refuses.
pub fn verification(provider: &Provider<'_>, credentials: &Credentials) -> Result<Option<Outbound>, ProtocolError> {
    let Some(Pasted { verification: Some(call), .. }) = provider.manifest.auth.pasted() else { return Ok(None) };
    let Some(carried) = carried(provider, credentials)? else { return Ok(None) };
    trial(provider, call, &carried).map(Some)
}

/// The call that tells whether a token is good that was signed with what the customer gave; `kept` stands beside it. `None`:
/// the manifest names none.
///
/// # Errors
/// See [`verification`].
pub fn verification_of_token(
    provider: &Provider<'_>,
    token: &AccessToken,
    kept: &Credentials,
) -> Result<Option<Outbound>, ProtocolError> {
    let Some(call) = signed_jwt(provider).and_then(|auth| auth.verification.as_ref()) else { return Ok(None) };
    let Some(carried) = carried_token(provider, token, kept)? else { return Ok(None) };
    trial(provider, call, &carried).map(Some)
}

/// A call of the API as whoever fetches `token` makes it, to look at. `None`: the manifest knows no API.
///
/// # Errors
/// See [`verification`].
pub(crate) fn call_of_api(
    provider: &Provider<'_>,
    token: &AccessToken,
    kept: &Credentials,
) -> Result<Option<Outbound>, ProtocolError> {
    let Some(api) = &provider.manifest.api else { return Ok(None) };
    let Some(carried) = carried_token(provider, token, kept)? else { return Ok(None) };
    let call = Verification { method: VerificationMethod::Get, url: api.base_url.clone(), status: Vec::new() };
    trial(provider, &call, &carried).map(Some)
}

/// A call of the API with what calls carry.
fn trial(provider: &Provider<'_>, call: &Verification, carried: &Carried) -> Result<Outbound, ProtocolError> {
    let mut url = provider.url(&call.url)?;
    if !carried.query.is_empty() {
        url.query_pairs_mut().extend_pairs(carried.query.iter().map(|(name, value)| (name, value.expose())));
    }
    let method = match call.method {
        VerificationMethod::Get => Method::Get,
        VerificationMethod::Post => Method::Post,
    };
    let mut request = Outbound::new(method, url, DEADLINE);
    request.headers.extend(carried.headers.iter().map(|(name, value)| Header::new(name.as_str(), value.expose())));
    if !carried.headers.contains_key("accept") {
        request.headers.push(Header::new("accept", "application/json"));
    }
    Ok(request)
}

/// Sends a verification. The status alone decides; nothing of the body is looked at.
///
/// # Errors
/// [`FailureClass::GrantRejected`] where the provider does not accept what was pasted; anything else says nothing about it.
pub async fn request_verification(
    transport: &dyn Transport,
    request: Outbound,
    call: &Verification,
) -> Result<(), Failure> {
    let reply = transport.send(request).await?;
    let (class, detail) = match reply.status {
        status if call.accepts(status) => return Ok(()),
        429 => (FailureClass::Throttled, "the provider asks for fewer requests"),
        503 if reply.retry_after.is_some() => (FailureClass::Throttled, "the provider asks to come back later"),
        408 | 425 | 500.. => (FailureClass::Ambiguous, "the provider failed to answer the request"),
        300..400 => (FailureClass::Ambiguous, "the provider sent a redirect, which is not followed"),
        _ => (FailureClass::GrantRejected, "the provider does not accept what was pasted"),
    };
    Err(Failure { retry_after: reply.retry_after, ..Failure::new(class, Some(reply.status), detail) })
}

/// A template with credentials and variables in their places, in one buffer that never grows.
fn fill(
    template: &str,
    provider: &Provider<'_>,
    credentials: &Credentials,
) -> Result<Zeroizing<String>, ProtocolError> {
    let filled = crate::fill::fill(template, |name| named(name, provider, credentials))?;
    if filled.chars().any(char::is_control) {
        return Err(TemplateError::Control.into());
    }
    Ok(filled)
}

fn named<'a>(name: &str, provider: &Provider<'a>, credentials: &'a Credentials) -> Option<&'a str> {
    credentials.get(name).map(PastedSecret::expose).or_else(|| provider.values.get(name).map(String::as_str))
}

fn absent(name: &str) -> ProtocolError {
    TemplateError::NoValue(name.to_owned()).into()
}

/// `user-pass` of RFC 7617 section 2, where nothing but the colon is special.
pub(crate) fn basic(username: &str, password: &str) -> Zeroizing<String> {
    let mut joined = Zeroizing::new(String::with_capacity(username.len() + password.len() + 1));
    joined.push_str(username);
    joined.push(':');
    joined.push_str(password);
    Zeroizing::new(STANDARD.encode(joined.as_bytes()))
}

#[cfg(test)]
mod tests;
