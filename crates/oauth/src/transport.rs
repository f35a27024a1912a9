//! The port through which everything leaves: one request in, one reply or a typed failure out, as plain values.
//!
//! Invariant: nothing here can be printed with a body or a header value in it, and both are wiped when dropped.
//! Deliberately absent: redirects, retries, streaming, cookies. Whoever implements [`Transport`] sends once.

use crate::sending::Unsigned;
use crate::{ClientIdentity, EgressPolicy, EgressRefusal};
use mortise_connectors::RetryHint;
use mortise_domain::Timestamp;
use std::fmt;
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// The two methods that the protocol needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
}

/// One header line of a request. The value may be a credential.
pub struct Header {
    /// A field name (RFC 9110 section 5.1), in lower case.
    pub name: String,
    /// Its value, wiped when dropped.
    pub value: Zeroizing<String>,
}

impl Header {
    /// A header line.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: Zeroizing::new(value.into()) }
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header({}: …)", self.name)
    }
}

/// A request to send once.
pub struct Outbound {
    /// The method.
    pub method: Method,
    /// Where to. The egress policy has the last word on it.
    pub url: Url,
    /// Header lines in the order of sending.
    pub headers: Vec<Header>,
    /// The body, wiped when dropped; empty for `GET`.
    pub body: Zeroizing<Vec<u8>>,
    /// From the call of [`Transport::send`] to the last byte of the reply.
    pub deadline: Duration,
    /// Use a connection that carried no request before, so that no half-closed one can swallow this request.
    pub fresh_connection: bool,
    /// Where the provider says how long to wait, beside `Retry-After`.
    pub retry_hint: Option<RetryHint>,
    /// The certificate that the client shows (RFC 8705).
    pub client_identity: Option<ClientIdentity>,
    /// What must not come back in an error code.
    pub(crate) secrets: Vec<Zeroizing<String>>,
    /// What is signed when it is sent.
    pub(crate) unsigned: Option<Box<Unsigned>>,
}

impl Outbound {
    /// A request without headers and body.
    pub fn new(method: Method, url: Url, deadline: Duration) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body: Zeroizing::default(),
            deadline,
            fresh_connection: false,
            retry_hint: None,
            client_identity: None,
            secrets: Vec::new(),
            unsigned: None,
        }
    }

    /// The same once more, without what is still to be signed.
    pub(crate) fn copy(&self) -> Self {
        let header = |header: &Header| Header { name: header.name.clone(), value: header.value.clone() };
        Self {
            method: self.method,
            url: self.url.clone(),
            headers: self.headers.iter().map(header).collect(),
            body: self.body.clone(),
            deadline: self.deadline,
            fresh_connection: self.fresh_connection,
            retry_hint: self.retry_hint.clone(),
            client_identity: self.client_identity.clone(),
            secrets: self.secrets.clone(),
            unsigned: None,
        }
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outbound({:?} {})", self.method, self.url.host_str().unwrap_or("?"))
    }
}

/// A reply that arrived whole.
pub struct Reply {
    /// The status code, 200 to 599.
    pub status: u16,
    /// `Content-Type` as sent.
    pub content_type: Option<String>,
    /// `Retry-After` (RFC 9110 section 10.2.3) in either form, or with status 429 the provider's own hint; between 1
    /// second and 24 hours.
    pub retry_after: Option<Duration>,
    /// When the provider says that it answered (RFC 9110 section 6.6.1).
    pub date: Option<Timestamp>,
    /// What a resource wants to see before it serves anything (RFC 9110 section 11.6.1), all such lines joined.
    pub www_authenticate: Option<String>,
    /// What the next proof has to repeat (RFC 9449 section 8).
    pub dpop_nonce: Option<String>,
    /// The body after decompression, wiped when dropped.
    pub body: Zeroizing<Vec<u8>>,
}

impl Reply {
    /// A reply without `Retry-After` and `Date`.
    pub fn new(status: u16, content_type: Option<&str>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            content_type: content_type.map(str::to_owned),
            retry_after: None,
            date: None,
            www_authenticate: None,
            dpop_nonce: None,
            body: Zeroizing::new(body.into()),
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({}, {} bytes)", self.status, self.body.len())
    }
}

/// Why no whole reply arrived.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The egress policy says no, so nothing was sent.
    #[error("egress refused: {0}")]
    Refused(#[from] EgressRefusal),
    /// The name has no address; nothing was sent.
    #[error("the host name could not be resolved")]
    Dns,
    /// No connection; nothing was sent.
    #[error("no connection could be made")]
    Connect,
    /// No secure channel; no byte of the request was sent.
    #[error("the TLS handshake failed")]
    Tls,
    /// The deadline passed; the request may have been processed.
    #[error("no whole reply arrived before the deadline")]
    Timeout,
    /// Reset, truncated, or not HTTP; the request may have been processed.
    #[error("the connection broke before the whole reply arrived")]
    Broken,
    /// The head or the body is larger than the cap; the request was probably processed.
    #[error("the reply is larger than the cap")]
    TooLarge,
}

impl SendError {
    /// Whether a byte of the request may have left. `false` is proof that none did.
    pub fn was_sent(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Dns | Self::Connect | Self::Tls => false,
            Self::Timeout | Self::Broken | Self::TooLarge => true,
        }
    }
}

/// Nothing but the public internet.
static STRICT: EgressPolicy = EgressPolicy { allow: Vec::new() };

/// Sends a request, at most once.
#[async_trait::async_trait]
pub trait Transport: Send + Sync {
    /// Sends `request` and reads the whole reply.
    ///
    /// # Errors
    /// See [`SendError`]. A reply of any status is not an error.
    async fn send(&self, request: Outbound) -> Result<Reply, SendError>;

    /// What may be called at all. It also judges hosts that others will call.
    fn policy(&self) -> &EgressPolicy {
        &STRICT
    }
}
