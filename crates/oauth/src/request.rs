//! From parameters to a request: bodies, headers, and what must not come back.
//!
//! Invariant: buffers that hold secrets are made large enough at once, so that growing leaves no copy behind, and are
//! wiped when dropped.

use crate::client_auth::prove;
use crate::dpop::DpopProof;
use crate::sending::{Assertion, Unsigned};
use crate::style::Style;
use crate::{ClientIdentity, ClientRegistration, Header, Outbound, ProtocolError, Provider};
use mortise_connectors::{Parameter, TokenBody};
use reqwest::header::{HeaderName, HeaderValue};
use serde::Serializer as _;
use std::collections::{BTreeMap, BTreeSet};
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
    "device_code",
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
    style: Style<'a>,
    params: Vec<(&'a str, Zeroizing<String>)>,
    secrets: Vec<Zeroizing<String>>,
    pub(crate) authorization: Option<Zeroizing<String>>,
    /// Headers that name or prove the client, beside `authorization`.
    pub(crate) client_headers: Vec<(&'a str, Zeroizing<String>)>,
    pub(crate) deadline: Duration,
    pub(crate) fresh_connection: bool,
    /// The parameter by which the request says whose it is, whatever proves the client.
    pub(crate) names_client: Option<&'a str>,
    /// JWTs among the parameters, by their names.
    assertions: Vec<(String, Assertion)>,
    /// The certificate that the client shows.
    pub(crate) client_identity: Option<ClientIdentity>,
}

impl<'a> Draft<'a> {
    /// A request to `url` with nothing in it.
    pub(crate) fn new(url: Url, style: Style<'a>) -> Self {
        Self {
            url,
            style,
            params: Vec::new(),
            secrets: Vec::new(),
            authorization: None,
            client_headers: Vec::new(),
            deadline: DEADLINE,
            fresh_connection: false,
            names_client: None,
            assertions: Vec::new(),
            client_identity: None,
        }
    }

    /// Sets a parameter of the protocol, under the name that it has here, unless the provider does not want it.
    pub(crate) fn say(&mut self, parameter: Parameter, value: &str) {
        let Some(name) = self.style.name_of(parameter) else { return };
        if parameter != Parameter::ClientId || self.names_client != Some(name) {
            self.set(name, value);
        }
    }

    /// The same with a value that must not come back.
    pub(crate) fn say_secret(&mut self, parameter: Parameter, value: &str) {
        self.keep_secret(value);
        self.say(parameter, value);
    }

    /// Sets a parameter of the protocol to a JWT, which is signed as the request is sent.
    pub(crate) fn assert(&mut self, parameter: Parameter, assertion: Assertion) {
        if let Some(name) = self.style.name_of(parameter) {
            self.assertions.push((name.to_owned(), assertion));
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
        provider: &Provider<'a>,
        client: &ClientRegistration<'a>,
    ) -> Result<Outbound, ProtocolError> {
        let auth = provider.auth()?;
        let mut dpop = None;
        if self.style.for_tokens {
            if let Some(resource) = &auth.resource {
                self.set("resource", &provider.text(resource)?);
            }
            dpop = auth.dpop.then(|| DpopProof::with(client.dpop_key, client.signer)).transpose()?;
        }
        prove(&mut self, provider, client)?;
        self.refuse_repetition()?;
        let (content_type, body) = match self.style.body {
            TokenBody::Form => (Some("application/x-www-form-urlencoded"), form(&self.params)),
            TokenBody::Json => (Some("application/json"), json(&self.params)?),
            TokenBody::Query => {
                add_query(&mut self.url, &self.params);
                (None, Zeroizing::default())
            }
        };
        let mut request = Outbound::new(self.style.method, self.url, self.deadline);
        request.headers.extend(content_type.map(|value| Header::new("content-type", value)));
        for (name, value) in self.client_headers {
            request.headers.push(Header { name: header_name(name)?.as_str().to_owned(), value });
        }
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
        request.retry_hint = auth.retry_hint.clone();
        request.client_identity = self.client_identity;
        if dpop.is_some() || !self.assertions.is_empty() {
            let (signer, assertions, body) = (client.signer.cloned(), self.assertions, self.style.body);
            request.unsigned = Some(Box::new(Unsigned { signer, assertions, dpop, body }));
        }
        Ok(request)
    }

    /// Two readers of a parameter that stands twice disagree about it (RFC 6749 section 3.2).
    fn refuse_repetition(&self) -> Result<(), ProtocolError> {
        let mut seen = BTreeSet::new();
        if self.style.body == TokenBody::Query {
            seen.extend(self.url.query_pairs().map(|(name, _)| name.into_owned()));
        }
        let names =
            self.params.iter().map(|(name, _)| *name).chain(self.assertions.iter().map(|(name, _)| name.as_str()));
        match names.into_iter().find(|name| !seen.insert((*name).to_owned())) {
            Some(name) => Err(ProtocolError::ReservedParameter { name: (*name).to_owned() }),
            None => Ok(()),
        }
    }
}

/// The parameters behind what the URL has already. Such a URL holds secrets: nobody prints one, and it is not wiped.
pub(crate) fn add_query(url: &mut Url, params: &[(&str, Zeroizing<String>)]) {
    let ours = form(params);
    // As in the authorization URL: `%20` is a space to every reader.
    let ours = Zeroizing::new(String::from_utf8_lossy(&ours).replace('+', "%20"));
    let query = match url.query().filter(|given| !given.is_empty()) {
        Some(given) => Zeroizing::new(format!("{given}&{}", *ours)),
        None => ours,
    };
    url.set_query(Some(&query));
}

fn extra_headers(request: &mut Outbound, provider: &Provider<'_>) -> Result<(), ProtocolError> {
    for (name, template) in &provider.auth()?.token_headers {
        let refused = || ProtocolError::Header { name: name.clone() };
        let value = provider.text(template)?;
        let name = header_name(name)?;
        if RESERVED_HEADERS.contains(&name.as_str()) || HeaderValue::from_str(&value).is_err() {
            return Err(refused());
        }
        request.headers.push(Header::new(name.as_str(), value));
    }
    Ok(())
}

fn header_name(name: &str) -> Result<HeaderName, ProtocolError> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| ProtocolError::Header { name: name.to_owned() })
}

pub(crate) fn form(params: &[(&str, Zeroizing<String>)]) -> Zeroizing<Vec<u8>> {
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
