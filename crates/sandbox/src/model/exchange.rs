//! One request to the model, step by step.

use super::Model;
use crate::class::RecoveryClass;
use crate::flight::{Flight, Outbound};
use crate::inbound::Inbound;
use crate::log::Endpoint;
use crate::reply::Ending;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use std::time::Duration;

/// A request to one of the protocol endpoints.
pub struct ModelRequest {
    class: RecoveryClass,
    endpoint: Endpoint,
    headers: HeaderMap,
    body: Bytes,
}

/// Why something is no request to the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelRequestError {
    /// Nothing answers there.
    #[error("the URL does not end with `/class/endpoint`, such as `/f/token`")]
    Nowhere,
    /// It could not be sent over HTTP either.
    #[error("the header `{0}` has a name or a value that HTTP does not allow")]
    Header(String),
}

/// A request that has arrived and had no effect yet. Dropping it: it never has one.
#[must_use = "a request that is not processed has no effect"]
pub struct Arrived(Flight);

/// What the provider answers. Dropping it: the reply is lost.
#[must_use = "a reply that is not delivered is lost"]
pub struct Answer(Outbound);

/// A reply as it reached the client.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as far as it came.
    pub body: Vec<u8>,
    /// Whether the announced body came whole; if not, the connection broke.
    pub whole: bool,
}

impl ModelRequest {
    /// A request without headers or body.
    pub fn new(class: RecoveryClass, endpoint: Endpoint) -> Self {
        Self { class, endpoint, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// A request to where `url` leads: the last two segments of its path are the class and the endpoint. What the rest
    /// of the URL says does not matter.
    pub fn to(url: &str) -> Result<Self, ModelRequestError> {
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let mut segments = path.rsplit('/');
        let endpoint = match segments.next() {
            Some("token") => Endpoint::Token,
            Some("revoke") => Endpoint::Revoke,
            Some("introspect") => Endpoint::Introspect,
            Some("userinfo") => Endpoint::Userinfo,
            _ => return Err(ModelRequestError::Nowhere),
        };
        let letter = segments.next();
        let class = RecoveryClass::ALL.into_iter().find(|class| letter == Some(class.as_str()));
        Ok(Self::new(class.ok_or(ModelRequestError::Nowhere)?, endpoint))
    }

    /// A request that carries a form.
    pub fn form<'a>(
        class: RecoveryClass,
        endpoint: Endpoint,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut request = Self::new(class, endpoint);
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        request.body(form)
    }

    /// Sets a header.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, ModelRequestError> {
        let refused = || ModelRequestError::Header(name.to_owned());
        let parsed = name.parse::<HeaderName>().map_err(|_| refused())?;
        self.headers.insert(parsed, value.parse().map_err(|_| refused())?);
        Ok(self)
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Bytes::from(body.into());
        self
    }
}

impl Model {
    /// The whole request has arrived: it is written down, meets its script, and is in flight from now on.
    pub fn begin(&self, request: ModelRequest) -> Arrived {
        let ModelRequest { class, endpoint, headers, body } = request;
        Arrived(Flight::begin(&self.shared, Inbound::read(class, endpoint, headers, Ok(body))))
    }

    /// The request takes effect, unless a fault keeps it from that.
    pub fn process(&self, arrived: Arrived) -> Answer {
        Answer(arrived.0.process())
    }

    /// The reply reaches the client. `None`: a fault closed the connection without one byte of reply.
    pub fn deliver(&self, answer: Answer) -> Option<Delivered> {
        let mut shaped = answer.0.shape();
        if shaped.ending == Ending::Vanish {
            return None;
        }
        shaped.arrival.delivered(shaped.reply.body.len());
        let whole = shaped.ending == Ending::Whole;
        if whole {
            shaped.arrival.replied();
        }
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Some(Delivered {
            status: shaped.reply.status.as_u16(),
            headers: shaped.reply.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
            body: shaped.reply.body.to_vec(),
            whole,
        })
    }
}

impl Arrived {
    /// Its number in the log.
    pub fn id(&self) -> u64 {
        self.0.id()
    }

    /// How long the provider takes before the request takes effect.
    pub fn wait(&self) -> Duration {
        self.0.wait()
    }

    /// The client stopped waiting and closed its connection; the request goes on all the same.
    pub fn client_left(&self) {
        self.0.client_left();
    }
}

impl Answer {
    /// Its number in the log.
    pub fn id(&self) -> u64 {
        self.0.id()
    }

    /// How long the provider takes before the whole reply has left. `None`: it never does.
    pub fn wait(&self) -> Option<Duration> {
        self.0.wait().map(|wait| wait.saturating_add(self.0.length()))
    }

    /// The client stopped waiting and closed its connection.
    pub fn client_left(&self) {
        self.0.client_left();
    }
}

impl Delivered {
    /// The value of a header, its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl std::fmt::Debug for Delivered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The body may hold tokens.
        let bytes = self.body.len();
        f.debug_struct("Delivered").field("status", &self.status).field("bytes", &bytes).finish_non_exhaustive()
    }
}
