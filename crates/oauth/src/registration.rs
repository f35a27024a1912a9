//! A client that registers itself (RFC 7591), and the document that stands for one that need not.
//!
//! Invariant: what is asked for is what the manifest then speaks: the same way of authentication, the same grant, the one
//! redirect URI. Deliberately absent: the management of a registration (RFC 7592): the token for it is dropped at once, so
//! that nobody can change a client with what is stored here. Also clients that register a key of their own.

use crate::outcome::accepted;
use crate::response::Document;
use crate::{Failure, FailureClass, Header, Method, Outbound, ProtocolError, Provider, Transport};
use mortise_connectors::{ClientAuthentication, Grant, OAuth2, TokenResponse};
use mortise_domain::{ClientSecret, ScopeSet, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;
use zeroize::Zeroizing;

const DEADLINE: Duration = Duration::from_secs(20);
const LONGEST_ID: usize = 512;
const LONGEST_SECRET: usize = 4096;

/// A client to be.
#[derive(Debug, Clone, Copy)]
pub struct NewClient<'a> {
    /// What the provider's consent page calls it.
    pub name: &'a str,
    /// Where the provider sends the browser back.
    pub redirect_uri: &'a str,
    /// What it will ask for, beside the manifest's own.
    pub scopes: &'a ScopeSet,
    /// The token that lets it register, where the provider does not let everybody (RFC 7591 section 3).
    pub initial_access_token: Option<&'a ClientSecret>,
}

/// A client as the provider knows it now.
#[derive(Debug)]
pub struct RegisteredClient {
    /// RFC 6749 section 2.2.
    pub client_id: String,
    /// None for a public client.
    pub client_secret: Option<ClientSecret>,
    /// When the secret ends, if it does.
    pub secret_expires_at: Option<Timestamp>,
}

/// Client metadata (RFC 7591 section 2).
///
/// # Errors
/// A way of authentication that a client cannot register for by itself.
pub fn client_metadata(auth: &OAuth2, client: &NewClient<'_>) -> Result<Value, ProtocolError> {
    let (grants, responses): (&[&str], &[&str]) = match auth.grant {
        Grant::AuthorizationCode => (&["authorization_code", "refresh_token"], &["code"]),
        Grant::DeviceCode => (&["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"], &[]),
        Grant::Implicit => (&["implicit"], &["token"]),
        Grant::ClientCredentials => (&["client_credentials"], &[]),
        Grant::Password => (&["password", "refresh_token"], &[]),
        Grant::JwtBearer => (&["urn:ietf:params:oauth:grant-type:jwt-bearer"], &[]),
        Grant::Saml2Bearer => (&["urn:ietf:params:oauth:grant-type:saml2-bearer"], &[]),
        Grant::TokenExchange => (&["urn:ietf:params:oauth:grant-type:token-exchange"], &[]),
    };
    let mut metadata = json!({
        "client_name": client.name,
        "grant_types": grants,
        "response_types": responses,
        "token_endpoint_auth_method": registered_name(auth.client_authentication)?,
    });
    if matches!(auth.grant, Grant::AuthorizationCode | Grant::Implicit) {
        metadata["redirect_uris"] = json!([client.redirect_uri]);
    }
    let scopes = client.scopes.union(&auth.default_scopes);
    if !scopes.is_empty() {
        metadata["scope"] = scopes.join(" ").into();
    }
    Ok(metadata)
}

/// The word of the IANA registry, for the ways that take no key of the client's.
fn registered_name(method: ClientAuthentication) -> Result<&'static str, ProtocolError> {
    match method {
        ClientAuthentication::ClientSecretBasic => Ok("client_secret_basic"),
        ClientAuthentication::ClientSecretPost => Ok("client_secret_post"),
        ClientAuthentication::None => Ok("none"),
        _ => Err(ProtocolError::NotRegistrable),
    }
}

/// The request that registers `client`. `None`: the provider offers no way.
///
/// # Errors
/// A manifest that does not expand, or a client that cannot register by itself.
pub fn registration(provider: &Provider<'_>, client: &NewClient<'_>) -> Result<Option<Outbound>, ProtocolError> {
    let auth = provider.auth()?;
    let Some(template) = auth.registration_url.as_deref() else { return Ok(None) };
    let mut request = Outbound::new(Method::Post, provider.url(template)?, DEADLINE);
    request.headers.push(Header::new("content-type", "application/json"));
    if let Some(token) = client.initial_access_token {
        request.headers.push(Header::new("authorization", format!("Bearer {}", token.expose())));
        request.secrets.push(Zeroizing::new(token.expose().to_owned()));
    }
    request.headers.push(Header::new("accept", "application/json"));
    request.body = Zeroizing::new(serde_json::to_vec(&client_metadata(auth, client)?)?);
    Ok(Some(request))
}

/// Sends a registration and reads the client out of the reply (RFC 7591 section 3.2.1).
///
/// # Errors
/// What went wrong. A provider that registers something else than was asked for is not believed.
pub async fn request_registration(
    transport: &dyn Transport,
    mut request: Outbound,
    auth: &OAuth2,
    redirect_uri: &str,
) -> Result<RegisteredClient, Failure> {
    let secrets = std::mem::take(&mut request.secrets);
    let reply = transport.send(request).await?;
    let document = accepted(&reply, &TokenResponse::default(), &secrets)?;
    read(&document, auth, redirect_uri)
        .map_err(|detail| Failure::new(FailureClass::Unknown, Some(reply.status), detail))
}

fn read(document: &Document, auth: &OAuth2, redirect_uri: &str) -> Result<RegisteredClient, &'static str> {
    let line = |pointer: &str, longest: usize| match document.get(pointer) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.len() <= longest && !text.chars().any(char::is_control) => {
            Ok(Some(text.as_str()))
        }
        Some(_) => Err("the provider's answer is not that of a client's registration"),
    };
    let client_id = line("/client_id", LONGEST_ID)?.ok_or("the provider names no client id")?;
    let secret = line("/client_secret", LONGEST_SECRET)?;
    let public = auth.client_authentication == ClientAuthentication::None;
    if secret.is_none() && !public {
        return Err("the provider gives no client secret, and the manifest proves its clients by one");
    }
    let method = line("/token_endpoint_auth_method", LONGEST_ID)?;
    if method.is_some_and(|method| registered_name(auth.client_authentication).ok() != Some(method)) {
        return Err("the provider registers another way of client authentication than the manifest speaks");
    }
    let returns = document.get("/redirect_uris").and_then(Value::as_array);
    if returns.is_some_and(|uris| !uris.is_empty() && !uris.iter().any(|uri| uri == redirect_uri)) {
        return Err("the provider registers another redirect URI than was asked for");
    }
    let expires = document.get("/client_secret_expires_at").and_then(Value::as_i64).filter(|seconds| *seconds > 0);
    Ok(RegisteredClient {
        client_id: client_id.to_owned(),
        // A public client sends none, so none is kept.
        client_secret: secret.filter(|_| !public).map(ClientSecret::new),
        secret_expires_at: expires.and_then(|seconds| Timestamp::from_timestamp(seconds, 0)),
    })
}

#[cfg(test)]
mod tests;
