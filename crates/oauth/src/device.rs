//! The device flow (RFC 8628): a user code is asked for, and then, again and again, what became of it.
//!
//! Invariant: the device code is a secret, the user code and the address are what a person may see; whether that address may
//! be shown is for the egress policy to say. Deliberately absent: waiting, and counting the seconds.

use crate::outcome::accepted;
use crate::request::Draft;
use crate::response::Document;
use crate::sending::{Answered, deliver};
use crate::style::Style;
use crate::{ClientRegistration, Failure, FailureClass, Outbound, ProtocolError, Provider, Transport, request_token};
use mortise_connectors::{ClientAuthentication, Manifest, Parameter, TokenResponse};
use mortise_domain::{DeviceCode, ScopeSet, TokenGrant};
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// Seconds between two questions where the provider does not say (RFC 8628 section 3.2).
const USUAL_INTERVAL: u32 = 5;
/// Nobody is made to wait longer than this between two questions (seconds).
const LONGEST_INTERVAL: u64 = 300;
/// What is added where the provider asks to slow down (section 3.5), in seconds.
const SLOWER: u32 = 5;
/// Nobody carries a code to another device for longer than this (seconds).
const LONGEST_LIFE: u64 = 86_400;
const LONGEST_CODE: usize = 4 * 1024;
const LONGEST_USER_CODE: usize = 64;
const LONGEST_ADDRESS: usize = 2000;

/// What the provider answers to the request for a user code (section 3.2).
#[derive(Debug)]
pub struct DeviceAuthorization {
    /// What the provider is asked with.
    pub device_code: DeviceCode,
    /// What the customer types in.
    pub user_code: String,
    /// Where.
    pub verification_uri: Url,
    /// The same with the user code in it.
    pub verification_uri_complete: Option<Url>,
    /// How long both codes live.
    pub expires_in: Duration,
    /// Seconds between two questions.
    pub interval: u32,
}

/// What became of a user code (section 3.5).
#[derive(Debug)]
pub enum DeviceAnswer {
    /// The customer said yes.
    Granted(Box<TokenGrant>),
    /// Nobody has decided yet.
    Pending,
    /// The same, and the provider wants to be asked less often: this many seconds more.
    SlowDown(u32),
    /// The customer said no.
    Denied,
    /// The codes have ended.
    Expired,
}

/// The request for a user code. The manifest's `default_scopes` are added to `scopes`.
///
/// # Errors
/// A manifest that does not expand or sets a parameter of the protocol, or an app without the secret that it needs.
pub fn device_authorization(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    scopes: &ScopeSet,
) -> Result<Outbound, ProtocolError> {
    let auth = provider.auth()?;
    let template = auth.device_authorization_url.as_deref().ok_or(ProtocolError::NoAuthorizationUrl)?;
    let mut draft = Draft::new(provider.url(template)?, Style::of_question(auth));
    let scopes = scopes.union(&auth.default_scopes);
    if !scopes.is_empty() {
        draft.say(Parameter::Scope, &scopes.join(&auth.scope_separator));
    }
    draft.extend(provider, &auth.authorization_params)?;
    // Many providers take clients without a secret here, and look for the id among the parameters.
    if matches!(
        auth.client_authentication,
        ClientAuthentication::ClientSecretBasic | ClientAuthentication::ClientSecretAsUser
    ) {
        draft.say(Parameter::ClientId, client.client_id);
    }
    draft.finish(provider, client)
}

/// Sends it and reads the codes.
///
/// # Errors
/// What went wrong, by how sure we are of what the provider did.
pub async fn request_device_authorization(
    transport: &dyn Transport,
    request: Outbound,
) -> Result<DeviceAuthorization, Failure> {
    let Answered { reply, secrets, .. } = deliver(transport, request).await?;
    let document = accepted(&reply, &TokenResponse::default(), &secrets)?;
    let malformed = |detail| Failure::new(FailureClass::Ambiguous, Some(reply.status), detail);
    read(document).map_err(malformed)
}

fn read(document: Document) -> Result<DeviceAuthorization, &'static str> {
    let text = |pointer: &str| document.get(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let printable = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let address = |pointer: &str| {
        let text = text(pointer).filter(|text| text.len() <= LONGEST_ADDRESS)?;
        let url = Url::parse(text).ok()?;
        let plain = url.username().is_empty() && url.password().is_none() && url.has_host();
        (matches!(url.scheme(), "https" | "http") && plain).then_some(url)
    };
    let device_code = text("/device_code")
        .filter(|code| code.len() <= LONGEST_CODE && printable(code))
        .ok_or("the reply holds no device code")?;
    let user_code = text("/user_code")
        .filter(|code| code.len() <= LONGEST_USER_CODE && printable(code))
        .ok_or("the reply holds no user code")?;
    // The name of a draft, which one large provider kept.
    let verification_uri = address("/verification_uri").or_else(|| address("/verification_url"));
    let seconds = |pointer: &str| match document.get(pointer)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let expires_in = seconds("/expires_in").filter(|life| *life > 0).map(|life| life.min(LONGEST_LIFE));
    let interval = seconds("/interval").unwrap_or(USUAL_INTERVAL.into()).clamp(1, LONGEST_INTERVAL);
    Ok(DeviceAuthorization {
        device_code: DeviceCode::new(device_code),
        user_code: user_code.to_owned(),
        verification_uri: verification_uri.ok_or("the reply does not say where to enter the user code")?,
        verification_uri_complete: address("/verification_uri_complete")
            .or_else(|| address("/verification_url_complete")),
        expires_in: Duration::from_secs(expires_in.ok_or("the reply does not say how long the codes live")?),
        interval: u32::try_from(interval).unwrap_or(USUAL_INTERVAL),
    })
}

/// The request that asks what became of `code` (section 3.4).
///
/// # Errors
/// A manifest that does not expand or sets a parameter of the protocol, or an app without the secret that it needs.
pub fn device_token(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    code: &DeviceCode,
) -> Result<Outbound, ProtocolError> {
    const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
    let auth = provider.auth()?;
    let mut draft = Draft::new(provider.url(&auth.token_url)?, Style::of_token(auth));
    draft.say(Parameter::GrantType, auth.token_request.grant_type.as_deref().unwrap_or(GRANT_TYPE));
    draft.set_secret("device_code", code.expose());
    draft.extend(provider, &auth.token_params)?;
    // The answer may be the only one that ever brings the tokens.
    draft.fresh_connection = true;
    draft.finish(provider, client)
}

/// Sends it and reads the answer.
///
/// # Errors
/// What went wrong otherwise. What is not sure to have reached the provider, or not understood, may be asked again, less
/// often (section 3.5).
pub async fn request_device_token(
    transport: &dyn Transport,
    request: Outbound,
    manifest: &Manifest,
) -> Result<DeviceAnswer, Failure> {
    match request_token(transport, request, manifest).await {
        Ok(grant) => Ok(DeviceAnswer::Granted(Box::new(grant))),
        Err(failure) => match failure.error.as_deref() {
            Some("authorization_pending") => Ok(DeviceAnswer::Pending),
            Some("slow_down") => Ok(DeviceAnswer::SlowDown(SLOWER)),
            Some("access_denied" | "authorization_declined") => Ok(DeviceAnswer::Denied),
            Some("expired_token") => Ok(DeviceAnswer::Expired),
            _ => Err(failure),
        },
    }
}

#[cfg(test)]
mod tests;
