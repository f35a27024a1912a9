//! One request of a login, written as its manifest says.

use super::body::{json, xml};
use crate::fill::fill;
use crate::pasted::basic;
use crate::request::{DEADLINE, add_query, form};
use crate::{Credentials, Header, Method, Outbound, ProtocolError, Provider};
use mortise_connectors::{LoginBody, LoginStep, RetryHint, TemplateError, TokenMethod};
use mortise_domain::PastedSecret;
use reqwest::header::{HeaderName, HeaderValue};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// What templates may name beside variables: what was given, and what replies told.
#[derive(Default)]
pub(crate) struct Known(BTreeMap<String, PastedSecret>);

impl From<&Credentials> for Known {
    fn from(given: &Credentials) -> Self {
        Self(given.iter().map(|(name, value)| (name.clone(), PastedSecret::new(value.expose()))).collect())
    }
}

impl Known {
    /// What `name` stands for from now on.
    pub(crate) fn learn(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), PastedSecret::new(value));
    }

    /// The part that `kept` names.
    pub(crate) fn only(self, kept: &BTreeSet<&str>) -> BTreeMap<String, PastedSecret> {
        self.0.into_iter().filter(|(name, _)| kept.contains(name.as_str())).collect()
    }

    /// The template with what is known in its places, on one line.
    pub(crate) fn fill(&self, template: &str, provider: &Provider<'_>) -> Result<Zeroizing<String>, ProtocolError> {
        let filled = fill(template, |name| self.get(name, provider))?;
        if filled.chars().any(char::is_control) {
            return Err(TemplateError::Control.into());
        }
        Ok(filled)
    }

    fn get<'a>(&'a self, name: &str, provider: &Provider<'a>) -> Option<&'a str> {
        self.0.get(name).map(PastedSecret::expose).or_else(|| provider.values.get(name).map(String::as_str))
    }

    /// Everything that must not come back in an error.
    fn secrets(&self) -> impl Iterator<Item = Zeroizing<String>> {
        // Short texts are no secrets, and come up everywhere.
        self.0.values().filter(|value| value.expose().len() >= 6).map(|value| Zeroizing::new(value.expose().to_owned()))
    }
}

/// The request, with what is `known` in its places.
pub(crate) fn request(
    step: &LoginStep,
    provider: &Provider<'_>,
    known: &Known,
    retry_hint: Option<&RetryHint>,
) -> Result<Outbound, ProtocolError> {
    let url = provider.url(&step.url)?;
    let (method, written) = match step.method {
        TokenMethod::Get => (Method::Get, LoginBody::Query),
        TokenMethod::Post => (Method::Post, step.body),
    };
    let mut params = Vec::with_capacity(step.params.len());
    for (name, template) in &step.params {
        params.push((name.as_str(), known.fill(template, provider)?));
    }
    let mut request = Outbound::new(method, url, DEADLINE);
    let content_type = match written {
        LoginBody::Form => {
            request.body = form(&params);
            Some("application/x-www-form-urlencoded")
        }
        LoginBody::Json => {
            request.body = json(&params, &step.literals)?;
            Some("application/json")
        }
        LoginBody::Xml => {
            request.body = xml(step.xml.as_deref().unwrap_or_default(), |name| known.get(name, provider))?;
            Some("application/xml")
        }
        LoginBody::Query => {
            if !params.is_empty() {
                add_query(&mut request.url, &params);
            }
            None
        }
    };
    // A form or query without parameters has nothing to announce.
    let content_type = content_type.filter(|_| !request.body.is_empty());
    request.headers.extend(content_type.map(|value| Header::new("content-type", value)));
    if let Some(given) = &step.basic {
        let (user, password) = (known.fill(&given.username, provider)?, known.fill(&given.password, provider)?);
        let scheme = given.scheme.as_deref().unwrap_or("Basic");
        let value = Zeroizing::new(format!("{scheme} {}", *basic(&user, &password)));
        request.headers.push(Header { name: "authorization".to_owned(), value });
    }
    for (name, template) in &step.headers {
        request.headers.push(header(name, known.fill(template, provider)?)?);
    }
    if !request.headers.iter().any(|header| header.name == "accept") {
        let accept = if written == LoginBody::Xml { "application/xml" } else { "application/json" };
        request.headers.push(Header::new("accept", accept));
    }
    request.secrets = known.secrets().collect();
    request.retry_hint = retry_hint.cloned();
    Ok(request)
}

/// A header line, if the value fits into one.
pub(super) fn header(name: &str, value: Zeroizing<String>) -> Result<Header, ProtocolError> {
    let refused = || ProtocolError::Header { name: name.to_owned() };
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
    if HeaderValue::from_str(&value).is_err() {
        return Err(refused());
    }
    Ok(Header { name: name.as_str().to_owned(), value })
}
