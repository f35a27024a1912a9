//! The one HTTP client.
//!
//! Invariant: a request is sent at most once, to an address that the policy vetted, and its whole reply is read before a
//! deadline and into a bounded buffer. HTTP/1.1 only: one request, one connection, no stream that a server may refuse and
//! a client may send again. Deliberately absent: redirects, retries, proxies from the environment, cookies, and any way to
//! weaken TLS.

mod fault;
mod resolver;
mod retry_after;

use crate::{EgressPolicy, EgressRefusal, Method, Outbound, Reply, SendError, Transport};
use fault::send_error;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Request, Response, redirect, retry};
use resolver::Guard;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
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
    /// The HTTP library refused its settings.
    #[error("the HTTP client could not be set up")]
    Client(#[from] reqwest::Error),
}

/// Sends requests to the hosts that a policy allows.
#[derive(Debug)]
pub struct Egress {
    policy: EgressPolicy,
    pooled: Client,
    fresh: Client,
}

impl Egress {
    /// A client under `policy`, which trusts the certificate authorities of the Mozilla programme.
    ///
    /// # Errors
    /// TLS or the HTTP library refuses its settings, which no input can cause.
    pub fn new(policy: EgressPolicy) -> Result<Self, EgressError> {
        let tls = tls()?;
        let pooled = client(&policy, tls.clone(), usize::MAX)?;
        // Without an idle pool a connection carries one request, so that none is written into one just being closed.
        let fresh = client(&policy, tls, 0)?;
        Ok(Self { policy, pooled, fresh })
    }

    async fn exchange(&self, request: Outbound) -> Result<Reply, SendError> {
        let client = if request.fresh_connection { &self.fresh } else { &self.pooled };
        let request = message(request)?;
        let response = client.execute(request).await.map_err(send_error)?;
        read(response).await
    }
}

#[async_trait::async_trait]
impl Transport for Egress {
    async fn send(&self, request: Outbound) -> Result<Reply, SendError> {
        self.policy.check_url(&request.url)?;
        let deadline = request.deadline;
        tokio::time::timeout(deadline, self.exchange(request)).await.unwrap_or(Err(SendError::Timeout))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one HTTP client")]
fn client(policy: &EgressPolicy, tls: rustls::ClientConfig, idle: usize) -> Result<Client, reqwest::Error> {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(Guard::new(policy.clone()))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .referer(false)
        .http1_only()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(idle)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .user_agent(concat!("mortise/", env!("CARGO_PKG_VERSION")))
        .build()
}

fn tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(tls)
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

async fn read(mut response: Response) -> Result<Reply, SendError> {
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
    let text = |name| header(headers, name);
    Ok(Reply {
        status: response.status().as_u16(),
        content_type: text(CONTENT_TYPE).map(str::to_owned),
        retry_after: text(RETRY_AFTER).and_then(|value| retry_after::parse(value, text(DATE))),
        body,
    })
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
