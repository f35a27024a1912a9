//! The one HTTP client.
//!
//! Invariant: a request is sent at most once, to an address that the policy vetted, and its whole reply is read before a
//! deadline and into a bounded buffer. HTTP/1.1 only: one request, one connection, no stream that a server may refuse and
//! a client may send again. Deliberately absent: redirects, retries, proxies from the environment, cookies, and any way to
//! weaken TLS.

mod clients;
mod fault;
mod resolver;
mod retry_after;

use crate::{EgressPolicy, EgressRefusal, IdentityFault, Method, Outbound, Reply, SendError, Transport};
use clients::Clients;
use fault::send_error;
use mortise_connectors::RetryHint;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::{Request, Response};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use zeroize::Zeroizing;

/// RFC 6585 section 4.
const TOO_MANY_REQUESTS: u16 = 429;
/// Of a body, after decompression.
const BODY_CAP: usize = 1024 * 1024;
/// Of all header lines together.
const HEAD_CAP: usize = 64 * 1024;
/// Bodies grow by this much when their length was not announced; each growth leaves a copy for the allocator.
const USUAL_BODY: usize = 16 * 1024;

/// Why the client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The TLS library refused its own defaults.
    #[error("TLS could not be set up")]
    Tls(#[from] rustls::Error),
    /// Nothing to trust.
    #[error("there is no certificate in it, or one that does not read: use PEM")]
    NoAuthority,
    /// What was stored as a certificate with its key is none.
    #[error(transparent)]
    Identity(#[from] IdentityFault),
    /// The HTTP library refused its settings.
    #[error("the HTTP client could not be set up")]
    Client(#[from] reqwest::Error),
}

/// Sends requests to the hosts that a policy allows.
#[derive(Debug)]
pub struct Egress {
    policy: EgressPolicy,
    clients: Clients,
}

impl Egress {
    /// A client under `policy`, which trusts the certificate authorities of the Mozilla programme.
    ///
    /// # Errors
    /// TLS or the HTTP library refuses its settings, which no input can cause.
    pub fn new(policy: EgressPolicy) -> Result<Self, EgressError> {
        Self::with_roots(policy, mozilla())
    }

    /// The same, which trusts the certificates in `pem` too: authorities of the operator's own network.
    ///
    /// # Errors
    /// Something that is no certificate, or no certificate at all.
    pub fn trusting(policy: EgressPolicy, pem: &[u8]) -> Result<Self, EgressError> {
        let mut roots = mozilla();
        let known = roots.len();
        for authority in CertificateDer::pem_slice_iter(pem) {
            roots.add(authority.map_err(|_| EgressError::NoAuthority)?)?;
        }
        if roots.len() == known { Err(EgressError::NoAuthority) } else { Self::with_roots(policy, roots) }
    }

    fn with_roots(policy: EgressPolicy, roots: RootCertStore) -> Result<Self, EgressError> {
        let clients = Clients::new(policy.clone(), roots)?;
        Ok(Self { policy, clients })
    }

    async fn exchange(&self, request: Outbound) -> Result<Reply, SendError> {
        let client = self.clients.of(request.client_identity.as_ref(), request.fresh_connection);
        let client = client.map_err(|error| {
            tracing::warn!(%error, "a client's certificate could not be used");
            SendError::Tls
        })?;
        let hint = request.retry_hint.clone();
        let request = message(request)?;
        let response = client.execute(request).await.map_err(send_error)?;
        read(response, hint.as_ref()).await
    }
}

#[async_trait::async_trait]
impl Transport for Egress {
    async fn send(&self, request: Outbound) -> Result<Reply, SendError> {
        self.policy.check_url(&request.url)?;
        let deadline = request.deadline;
        tokio::time::timeout(deadline, self.exchange(request)).await.unwrap_or(Err(SendError::Timeout))
    }

    fn policy(&self) -> &EgressPolicy {
        &self.policy
    }
}

fn mozilla() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

fn message(mut outbound: Outbound) -> Result<Request, EgressRefusal> {
    let method = match outbound.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
    };
    let mut request = Request::new(method, outbound.url.clone());
    for header in &outbound.headers {
        let refused = || EgressRefusal::Header { name: header.name.clone() };
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| refused())?;
        let mut value = HeaderValue::from_str(&header.value).map_err(|_| refused())?;
        value.set_sensitive(true);
        request.headers_mut().append(name, value);
    }
    // From here on the body lies in buffers of the HTTP and TLS libraries, which are not wiped.
    if outbound.method == Method::Post {
        *request.body_mut() = Some(std::mem::take(&mut *outbound.body).into());
    }
    Ok(request)
}

/// Every line of a header that is a list, joined (RFC 9110 section 5.3).
fn all(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let lines: Vec<_> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

/// RFC 9449 section 8.1, in a sensible length.
fn is_nonce(text: &str) -> bool {
    (1..=1024).contains(&text.len()) && text.bytes().all(|b| (b'!'..=b'~').contains(&b) && b != b'"' && b != b'\\')
}

async fn read(mut response: Response, hint: Option<&RetryHint>) -> Result<Reply, SendError> {
    let announced = response.content_length().unwrap_or(USUAL_BODY as u64);
    let head = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
    let Some(announced) = usize::try_from(announced).ok().filter(|length| *length <= BODY_CAP && head <= HEAD_CAP)
    else {
        return Err(SendError::TooLarge);
    };
    let mut body = Zeroizing::new(Vec::with_capacity(announced));
    while let Some(chunk) = response.chunk().await.map_err(send_error)? {
        if body.len() + chunk.len() > BODY_CAP {
            return Err(SendError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    let headers = response.headers();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (status, date) = (response.status().as_u16(), text(DATE.as_str()).and_then(retry_after::instant));
    let hinted = || {
        let hint = hint.filter(|_| status == TOO_MANY_REQUESTS)?;
        retry_after::hinted(text(&hint.header)?, hint.unit, date)
    };
    Ok(Reply {
        status,
        content_type: text(CONTENT_TYPE.as_str()).map(str::to_owned),
        retry_after: text(RETRY_AFTER.as_str()).and_then(|value| retry_after::parse(value, date)).or_else(hinted),
        date: date.map(Into::into),
        www_authenticate: all(headers, &WWW_AUTHENTICATE),
        dpop_nonce: text("dpop-nonce").filter(|nonce| is_nonce(nonce)).map(str::to_owned),
        body,
    })
}
