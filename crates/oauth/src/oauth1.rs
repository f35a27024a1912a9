//! OAuth 1.0 (RFC 5849): temporary credentials, the way to the customer's consent, and the token with its secret.
//!
//! Invariant: every request is signed with a timestamp and a nonce of its own, which the caller brings; the client's secret
//! and a token's secret never leave but inside a signature (with PLAINTEXT, as one). Deliberately absent: calls of the API,
//! which their callers sign.

mod signature;

pub use signature::Once;

use crate::outcome::accepted;
use crate::request::DEADLINE;
use crate::response::Document;
use crate::{
    ClientRegistration, Failure, FailureClass, Header, Method, Outbound, ProtocolError, Provider, Reply, Transport,
};
use mortise_connectors::{Manifest, OAuth1, SignatureMethod, TokenResponse};
use mortise_domain::{AccessToken, AuthorizationCode, PastedSecret, TokenGrant, TokenType};
use serde_json::Value;
use signature::Signer;
use std::collections::BTreeMap;
use url::Url;
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

/// Tokens and secrets are no longer than this (bytes).
const LONGEST: usize = 4 * 1024;
/// How a token of OAuth 1.0 is called beside bearer tokens.
pub const OAUTH1_TOKEN_TYPE: &str = "oauth1";
/// Under which name the token's secret is kept beside the token.
pub const OAUTH1_TOKEN_SECRET: &str = "oauth_token_secret";

/// A token and its secret: temporary credentials until the customer has consented (sections 2.1 and 2.3).
#[derive(Debug)]
pub struct Oauth1Credentials {
    /// `oauth_token`.
    pub token: AccessToken,
    /// `oauth_token_secret`.
    pub secret: PastedSecret,
}

/// The request for temporary credentials (section 2.1).
///
/// # Errors
/// A manifest that is not of OAuth 1.0 or does not expand, or an app without a secret.
pub fn temporary_credentials(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    once: &Once,
) -> Result<Outbound, ProtocolError> {
    let auth = auth(provider)?;
    let url = provider.url(&auth.request_token_url)?;
    let form = expanded(provider, &auth.request_token_params)?;
    signed(auth, client, url, None, &form, &[("oauth_callback", client.redirect_uri)], once)
}

/// Sends it. A provider that does not say that it took the callback's address is not believed: its flow could be ended in
/// another's name.
///
/// # Errors
/// What went wrong, by how sure we are of what the provider did.
pub async fn request_temporary_credentials(
    transport: &dyn Transport,
    request: Outbound,
) -> Result<Oauth1Credentials, Failure> {
    let (reply, document) = answered(transport, request).await?;
    if document.get("/oauth_callback_confirmed").and_then(Value::as_str) != Some("true") {
        let detail = "the provider does not confirm the callback: it speaks OAuth 1.0 before its revision A";
        return Err(Failure::new(FailureClass::Unknown, Some(reply.status), detail));
    }
    credentials(&reply, &document)
}

/// Where the customer's browser is sent (section 2.2).
///
/// # Errors
/// A manifest that is not of OAuth 1.0 or does not expand.
pub fn oauth1_authorization_url(provider: &Provider<'_>, token: &str) -> Result<Url, ProtocolError> {
    let auth = auth(provider)?;
    let mut url = provider.url(&auth.authorization_url)?;
    let mut query = Serializer::new(String::new());
    query.append_pair("oauth_token", token);
    for (name, value) in expanded(provider, &auth.authorization_params)? {
        query.append_pair(name, &value);
    }
    let ours = query.finish().replace('+', "%20");
    let query = match url.query().filter(|given| !given.is_empty()) {
        Some(given) => format!("{given}&{ours}"),
        None => ours,
    };
    url.set_query(Some(&query));
    Ok(url)
}

/// The request that changes temporary credentials for the token (section 2.3).
///
/// # Errors
/// A manifest that is not of OAuth 1.0 or does not expand, or an app without a secret.
pub fn token_credentials(
    provider: &Provider<'_>,
    client: &ClientRegistration<'_>,
    temporary: &Oauth1Credentials,
    verifier: &AuthorizationCode,
    once: &Once,
) -> Result<Outbound, ProtocolError> {
    let auth = auth(provider)?;
    let url = provider.url(&auth.token_url)?;
    let own = [("oauth_verifier", verifier.expose())];
    let mut request = signed(auth, client, url, Some(temporary), &[], &own, once)?;
    // A verifier is good for one request.
    request.fresh_connection = true;
    request.secrets.push(Zeroizing::new(verifier.expose().to_owned()));
    Ok(request)
}

/// Sends it and takes the token, its secret and the manifest's fields out of the reply. It never ends by itself.
///
/// # Errors
/// What went wrong, by how sure we are of what the provider did.
pub async fn request_token_credentials(
    transport: &dyn Transport,
    request: Outbound,
    manifest: &Manifest,
) -> Result<TokenGrant, Failure> {
    let (reply, document) = answered(transport, request).await?;
    let Oauth1Credentials { token, secret } = credentials(&reply, &document)?;
    let extra = manifest.auth.oauth1().map(|auth| document.lifted(manifest, &auth.token_response.extra));
    let mut extra = extra.unwrap_or_default();
    // An empty secret is no text that a field could repeat.
    let told: Vec<_> = [token.expose(), secret.expose()].into_iter().filter(|told| !told.is_empty()).collect();
    extra.retain(|_, value| !told.iter().any(|told| value.to_string().contains(told)));
    Ok(TokenGrant {
        access_token: token,
        token_type: TokenType::new(OAUTH1_TOKEN_TYPE),
        refresh_token: None,
        lifetime: None,
        refresh_lifetime: None,
        granted_scopes: None,
        dpop_key: None,
        extra,
        kept: BTreeMap::from([(OAUTH1_TOKEN_SECRET.to_owned(), secret)]),
        further: BTreeMap::new(),
    })
}

fn auth<'a>(provider: &Provider<'a>) -> Result<&'a OAuth1, ProtocolError> {
    provider.manifest.auth.oauth1().ok_or(ProtocolError::NotOAuth1)
}

fn expanded<'a>(
    provider: &Provider<'_>,
    params: &'a BTreeMap<String, String>,
) -> Result<Vec<(&'a str, String)>, ProtocolError> {
    params
        .iter()
        .map(|(name, template)| {
            if name.to_ascii_lowercase().starts_with("oauth_") {
                return Err(ProtocolError::ReservedParameter { name: name.clone() });
            }
            Ok((name.as_str(), provider.text(template)?))
        })
        .collect()
}

/// A `POST` with its signature in the header `Authorization` (section 3.5.1) and `form` as its body.
fn signed(
    auth: &OAuth1,
    client: &ClientRegistration<'_>,
    url: Url,
    held: Option<&Oauth1Credentials>,
    form: &[(&str, String)],
    own: &[(&str, &str)],
    once: &Once,
) -> Result<Outbound, ProtocolError> {
    let consumer_secret = client.secret.ok_or(ProtocolError::NoClientSecret)?.expose();
    if auth.signature_method == SignatureMethod::Plaintext && url.scheme() != "https" {
        return Err(ProtocolError::PlaintextInTheClear);
    }
    let signer = Signer {
        method: auth.signature_method,
        realm: auth.realm.as_deref(),
        consumer_key: client.client_id,
        consumer_secret,
        token: held.map(|held| (held.token.expose(), held.secret.expose())),
    };
    let body: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let authorization = signer.authorization("POST", &url, &body, own, once);
    let mut request = Outbound::new(Method::Post, url, DEADLINE);
    if !body.is_empty() {
        request.headers.push(Header::new("content-type", "application/x-www-form-urlencoded"));
        let written = Serializer::new(String::new()).extend_pairs(body).finish();
        request.body = Zeroizing::new(written.into_bytes());
    }
    request.headers.push(Header { name: "authorization".to_owned(), value: authorization });
    request.headers.push(Header::new("accept", "application/x-www-form-urlencoded, application/json;q=0.5"));
    request.secrets.push(Zeroizing::new(consumer_secret.to_owned()));
    request.secrets.extend(held.map(|held| Zeroizing::new(held.secret.expose().to_owned())));
    Ok(request)
}

/// The document of a success. A refusal without a code of OAuth 2 is what OAuth 1.0 has: a 401 is about the client or the
/// token, any other about the request.
async fn answered(transport: &dyn Transport, mut request: Outbound) -> Result<(Reply, Document), Failure> {
    let secrets = std::mem::take(&mut request.secrets);
    let reply = transport.send(request).await?;
    let shape = TokenResponse { error: "/oauth_problem".to_owned(), ..TokenResponse::default() };
    let document = accepted(&reply, &shape, &secrets).map_err(blamed)?;
    Ok((reply, document))
}

/// The codes that OAuth 1.0 has for what is wrong with the client (the problem reporting extension).
fn blamed(failure: Failure) -> Failure {
    match failure.error.as_deref() {
        Some(
            "consumer_key_unknown"
            | "consumer_key_rejected"
            | "consumer_key_refused"
            | "signature_invalid"
            | "signature_method_rejected",
        ) => Failure { class: FailureClass::AppMisconfigured, ..failure },
        _ => failure,
    }
}

fn credentials(reply: &Reply, document: &Document) -> Result<Oauth1Credentials, Failure> {
    let text = |pointer: &str| {
        let text = document.get(pointer).and_then(Value::as_str)?;
        let sound = (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        sound.then(|| text.to_owned())
    };
    let missing = |detail| Failure::new(FailureClass::Ambiguous, Some(reply.status), detail);
    let token = text("/oauth_token").ok_or_else(|| missing("the reply holds no token"))?;
    // An empty secret is one (section 2.1 asks for the member alone).
    let secret = match document.get("/oauth_token_secret").and_then(Value::as_str) {
        Some("") => String::new(),
        _ => text("/oauth_token_secret").ok_or_else(|| missing("the reply holds no secret of its token"))?,
    };
    Ok(Oauth1Credentials { token: AccessToken::new(token), secret: PastedSecret::new(secret) })
}

#[cfg(test)]
mod tests;
