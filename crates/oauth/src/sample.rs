//! A sample of a provider's reply, read exactly as the real one would be: for whoever writes the manifest.
//!
//! Invariant: what reads it is what reads the replies of real providers, behind a transport that knows one answer. No
//! secret can be seen in what comes of it. Deliberately absent: a request, so nothing is said about what to send.

mod places;

pub use places::{Place, PlaceKind};

use crate::{
    EgressPolicy, Failure, FailureClass, Given, Method, MintError, Outbound, Provider, Reply, SendError, Transport,
    believe, implicit_grant, mint, request_identity, request_refresh, request_token, request_token_credentials,
};
use mortise_connectors::{Auth, Grant, Manifest};
use mortise_domain::{ScopeSet, Timestamp, TokenGrant};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use url::Url;

const DEADLINE: Duration = Duration::from_secs(1);

/// Which request the sample answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleOf {
    /// The one that brings the first token.
    Token,
    /// One that renews it.
    Refresh,
    /// The call that tells whose grant it is.
    Identity,
}

/// What a sample says.
#[derive(Debug)]
pub enum Told {
    /// A token, with everything beside it.
    Grant(Box<TokenGrant>),
    /// Whose grant it is.
    Account(BTreeMap<String, Value>),
}

/// A sample as it is read.
#[derive(Debug)]
pub struct Sample {
    /// What it says, or why it says nothing.
    pub told: Result<Told, Failure>,
    /// Every value in it, with what reads it; none where the reply cannot be read at all.
    pub places: Vec<Place>,
}

/// Reads `reply` as the answer to such a request of `provider`.
pub async fn read_sample(provider: &Provider<'_>, of: SampleOf, reply: Reply, now: Timestamp) -> Sample {
    let places = places::places(provider.manifest, of, &reply);
    let mut told = told(provider, of, reply, now).await;
    if let Ok(Told::Grant(grant)) = &mut told {
        believe(&EgressPolicy::default(), provider, &mut grant.extra);
    }
    Sample { told, places }
}

async fn told(provider: &Provider<'_>, of: SampleOf, reply: Reply, now: Timestamp) -> Result<Told, Failure> {
    let manifest = provider.manifest;
    let answer = Answer(Mutex::new(Some(reply)));
    let grant = match (&manifest.auth, of) {
        (Auth::Oauth2(auth), SampleOf::Identity) if auth.identity.is_some() => {
            return request_identity(&answer, request()?, manifest).await.map(Told::Account);
        }
        (Auth::Oauth2(auth), SampleOf::Token) if auth.grant == Grant::Implicit => {
            let reply = answer.taken().ok_or_else(nothing)?;
            let text = std::str::from_utf8(&reply.body).map_err(|_| fault("the fragment is not plain UTF-8"))?;
            implicit_grant(manifest, text.trim().trim_start_matches('#'))
        }
        (Auth::Oauth2(_), SampleOf::Token) => request_token(&answer, request()?, manifest).await,
        (Auth::Oauth2(_), SampleOf::Refresh) => {
            request_refresh(&answer, request()?, manifest, now).await.map_err(|refused| refused.failure)
        }
        (Auth::Oauth1(_), SampleOf::Token) => request_token_credentials(&answer, request()?, manifest).await,
        (Auth::TwoStep(_), SampleOf::Token | SampleOf::Refresh) => logged_in(&answer, provider, of, now).await,
        (
            Auth::Oauth2(_)
            | Auth::Oauth1(_)
            | Auth::TwoStep(_)
            | Auth::ApiKey(_)
            | Auth::Basic(_)
            | Auth::SignedJwt(_),
            _,
        ) => Err(fault("the connector makes no such request, so it reads no such reply")),
    };
    grant.map(|grant| Told::Grant(Box::new(grant)))
}

/// The last request of a login has the token in its reply, so that it is the only one here.
async fn logged_in(
    answer: &Answer,
    provider: &Provider<'_>,
    of: SampleOf,
    now: Timestamp,
) -> Result<TokenGrant, Failure> {
    let mut manifest = provider.manifest.clone();
    let Auth::TwoStep(auth) = &mut manifest.auth else { return Err(nothing()) };
    let requests = if of == SampleOf::Refresh { &auth.refresh } else { &auth.steps };
    let mut last = requests.last().cloned().ok_or_else(nothing)?;
    (last.url, last.xml, last.basic) = ("https://sample.example/".to_owned(), None, None);
    (last.headers, last.params, last.literals, last.body) = Default::default();
    auth.steps = vec![last];
    let given = Given { credentials: &BTreeMap::new(), scopes: &ScopeSet::default() };
    let alone = Provider { manifest: &manifest, values: provider.values };
    let client =
        crate::ClientRegistration { client_id: "", secret: None, redirect_uri: "", signer: None, dpop_key: None };
    mint(answer, &alone, &client, &given, DEADLINE, now).await.map_err(|error| match error {
        MintError::Refused(refused) => refused.failure,
        MintError::Protocol(_) => nothing(),
    })
}

fn request() -> Result<Outbound, Failure> {
    let url = Url::parse("https://sample.example/").map_err(|_| nothing())?;
    Ok(Outbound::new(Method::Post, url, DEADLINE))
}

fn fault(detail: &'static str) -> Failure {
    Failure::new(FailureClass::Unknown, None, detail)
}

fn nothing() -> Failure {
    fault("there is no sample")
}

/// A provider that answers once.
struct Answer(Mutex<Option<Reply>>);

impl Answer {
    fn taken(&self) -> Option<Reply> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[async_trait::async_trait]
impl Transport for Answer {
    async fn send(&self, _: Outbound) -> Result<Reply, SendError> {
        self.taken().ok_or(SendError::Connect)
    }
}

/// The pointers by which a reply to such a request is read, with the members of the manifest that have them.
fn pointers(manifest: &Manifest, of: SampleOf) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    match &manifest.auth {
        Auth::Oauth2(auth) if of == SampleOf::Identity => {
            let fields = auth.identity.iter().flat_map(|identity| &identity.fields);
            found.extend(fields.map(|(name, pointer)| (pointer.clone(), format!("extra.{name}"))));
        }
        Auth::Oauth2(auth) => {
            let shape = serde_json::to_value(&auth.token_response).unwrap_or_default();
            all_pointers("", &shape, &mut found);
            if let Some(alternate) = &auth.token_response.alternate {
                found.remove(alternate);
                let shape = serde_json::to_value(auth.token_response.of_alternate(alternate)).unwrap_or_default();
                let mut inner = BTreeMap::new();
                all_pointers("", &shape, &mut inner);
                found.extend(
                    inner
                        .into_iter()
                        .filter(|(pointer, _)| pointer.starts_with(alternate.as_str()) && pointer != alternate),
                );
            }
        }
        Auth::Oauth1(auth) => {
            for name in ["oauth_token", "oauth_token_secret"] {
                found.insert(format!("/{name}"), name.to_owned());
            }
            let extra = &auth.token_response.extra;
            found.extend(extra.iter().map(|(name, pointer)| (pointer.clone(), format!("extra.{name}"))));
        }
        Auth::TwoStep(auth) => {
            let shape = serde_json::to_value(auth.reply()).unwrap_or_default();
            all_pointers("", &shape, &mut found);
            let requests = if of == SampleOf::Refresh { &auth.refresh } else { &auth.steps };
            let take = requests.last().into_iter().flat_map(|step| &step.take);
            found.extend(take.map(|(name, pointer)| (pointer.clone(), format!("take.{name}"))));
        }
        Auth::ApiKey(_) | Auth::Basic(_) | Auth::SignedJwt(_) => {}
    }
    found
}

/// Members of the manifest that hold a pointer, by it, whatever members there are.
fn all_pointers(name: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::String(text) if text.starts_with('/') => {
            found.insert(text.clone(), name.to_owned());
        }
        Value::Object(members) => {
            for (inner, value) in members {
                let name = if name.is_empty() { inner.clone() } else { format!("{name}.{inner}") };
                all_pointers(&name, value, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
