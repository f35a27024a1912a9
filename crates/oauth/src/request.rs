//! From parameters to a request: bodies, headers, and what must not come back.
//!
//! Invariant: buffers that hold secrets are made large enough at once, so that growing leaves no copy behind, and are
//! wiped when dropped.

use crate::client_auth::prove;
use crate::{ClientRegistration, Header, Method, Outbound, ProtocolError, Provider};
use mortise_connectors::TokenBody;
use reqwest::header::{HeaderName, HeaderValue};
use serde::Serializer as _;
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;
use url::form_urlencoded::Serializer as FormSerializer;
use zeroize::Zeroizing;

/// For a whole request, unless the request says otherwise.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// What a manifest's extra parameters may not set, beside what the request itself sets.
const RESERVED: &[&str] = &[
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "resource",
];

/// What a manifest's extra headers may not set: how the message is framed, what it is, and who sends it.
const RESERVED_HEADERS: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// A request in the making.
pub(crate) struct Draft<'a> {
    url: Url,
    body: TokenBody,
    params: Vec<(&'a str, Zeroizing<String>)>,
    secrets: Vec<Zeroizing<String>>,
    pub(crate) authorization: Option<Zeroizing<String>>,
    pub(crate) deadline: Duration,
    pub(crate) fresh_connection: bool,
}

impl<'a> Draft<'a> {
    /// A `POST` to `url` with nothing in it.
    pub(crate) fn new(url: Url, body: TokenBody) -> Self {
        Self {
            url,
            body,
            params: Vec::new(),
            secrets: Vec::new(),
            authorization: None,
            deadline: DEADLINE,
            fresh_connection: false,
        }
    }

    /// Sets a parameter.
    pub(crate) fn set(&mut self, name: &'a str, value: &str) {
        self.params.push((name, Zeroizing::new(value.to_owned())));
    }

    /// Sets a parameter whose value must not come back.
    pub(crate) fn set_secret(&mut self, name: &'a str, value: &str) {
        self.keep_secret(value);
        self.set(name, value);
    }

    /// Notes a value that must not come back.
    pub(crate) fn keep_secret(&mut self, value: &str) {
        self.secrets.push(Zeroizing::new(value.to_owned()));
    }

    /// Adds the manifest's extra parameters.
    pub(crate) fn extend(
        &mut self,
        provider: &Provider<'_>,
        extra: &'a BTreeMap<String, String>,
    ) -> Result<(), ProtocolError> {
        for (name, template) in extra {
            if RESERVED.contains(&name.as_str()) || self.params.iter().any(|(set, _)| set == name) {
                return Err(ProtocolError::ReservedParameter { name: name.clone() });
            }
            self.set(name, &provider.text(template)?);
        }
        Ok(())
    }

    /// The request, with the client's proof and the manifest's headers.
    pub(crate) fn finish(
        mut self,
        provider: &Provider<'_>,
        client: &ClientRegistration<'a>,
    ) -> Result<Outbound, ProtocolError> {
        prove(&mut self, provider.auth().client_authentication, client)?;
        let (content_type, body) = match self.body {
            TokenBody::Form => ("application/x-www-form-urlencoded", form(&self.params)),
            TokenBody::Json => ("application/json", json(&self.params)?),
        };
        let mut request = Outbound::new(Method::Post, self.url, self.deadline);
        request.headers.push(Header::new("content-type", content_type));
        if let Some(value) = self.authorization {
            request.headers.push(Header { name: "authorization".to_owned(), value });
        }
        extra_headers(&mut request, provider)?;
        if !request.headers.iter().any(|header| header.name == "accept") {
            request.headers.push(Header::new("accept", "application/json"));
        }
        request.body = body;
        request.fresh_connection = self.fresh_connection;
        request.secrets = self.secrets;
        Ok(request)
    }
}

fn extra_headers(request: &mut Outbound, provider: &Provider<'_>) -> Result<(), ProtocolError> {
    for (name, template) in &provider.auth().token_headers {
        let refused = || ProtocolError::Header { name: name.clone() };
        let value = provider.text(template)?;
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
        if RESERVED_HEADERS.contains(&name.as_str()) || HeaderValue::from_str(&value).is_err() {
            return Err(refused());
        }
        request.headers.push(Header::new(name.as_str(), value));
    }
    Ok(())
}

fn form(params: &[(&str, Zeroizing<String>)]) -> Zeroizing<Vec<u8>> {
    let most = params.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
    let mut body = FormSerializer::new(String::with_capacity(most));
    body.extend_pairs(params.iter().map(|(name, value)| (name, value.as_str())));
    Zeroizing::new(body.finish().into_bytes())
}

fn json(params: &[(&str, Zeroizing<String>)]) -> Result<Zeroizing<Vec<u8>>, ProtocolError> {
    let most = params.iter().map(|(name, value)| 6 * (name.len() + value.len()) + 6).sum::<usize>() + 2;
    let mut body = Zeroizing::new(Vec::with_capacity(most));
    let pairs = params.iter().map(|(name, value)| (name, value.as_str()));
    serde_json::Serializer::new(&mut *body).collect_map(pairs)?;
    Ok(body)
}

#[cfg(test)]
mod tests;
