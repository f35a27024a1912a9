//! A small HTTP client for tests: JSON in and out, no redirects, no cookies, every status an answer.

use crate::or_panic;
use anyhow::{Context as _, Result};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use std::sync::Once;
use std::time::Duration;

/// A client with its own connections.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
    bearer: Option<String>,
}

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        or_panic(serde_json::from_str(&self.body).with_context(|| format!("not JSON: {self:?}")))
    }

    /// One header field; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The same answer, when it has this status.
    ///
    /// # Panics
    /// When it has another; the message holds the body.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
}

impl Http {
    /// A client without credentials.
    ///
    /// # Panics
    /// When the HTTP library refuses its own settings.
    #[expect(clippy::disallowed_methods, reason = "a test talks to servers on loopback, not to providers")]
    pub fn new() -> Self {
        install_tls_provider();
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(60))
            .build();
        Self { client: or_panic(client.context("no HTTP client")), bearer: None }
    }

    /// The same client, presenting a bearer token with every request.
    pub fn with_bearer(&self, token: impl Into<String>) -> Self {
        Self { client: self.client.clone(), bearer: Some(token.into()) }
    }

    /// A request to complete by hand and to give to [`send`](Self::send).
    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        let request = self.client.request(method, url);
        match &self.bearer {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request.
    ///
    /// # Panics
    /// When no whole answer comes back.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        or_panic(self.try_send(request).await)
    }

    /// Sends a request to a server that may be gone.
    pub async fn try_send(&self, request: RequestBuilder) -> Result<Answer> {
        let reply = request.send().await?;
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        Ok(Answer { status, headers, body: reply.text().await? })
    }

    /// GET. Panics like [`send`](Self::send).
    pub async fn get(&self, url: &str) -> Answer {
        self.send(self.request(Method::GET, url)).await
    }

    /// DELETE. Panics like [`send`](Self::send).
    pub async fn delete(&self, url: &str) -> Answer {
        self.send(self.request(Method::DELETE, url)).await
    }

    /// POST of JSON. Panics like [`send`](Self::send).
    pub async fn post(&self, url: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, url).json(body)).await
    }

    /// PUT of JSON. Panics like [`send`](Self::send).
    pub async fn put(&self, url: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, url).json(body)).await
    }

    /// PATCH with JSON. Panics like [`send`](Self::send).
    pub async fn patch(&self, url: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PATCH, url).json(body)).await
    }

    /// POST of form fields. Panics like [`send`](Self::send).
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(self.request(Method::POST, url).form(fields)).await
    }

    /// The status of a GET, or `None` while nobody answers.
    pub async fn status(&self, url: &str) -> Option<u16> {
        self.try_send(self.request(Method::GET, url)).await.ok().map(|answer| answer.status)
    }
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

/// The product installs it in `main`, which tests do not pass through.
pub(crate) fn install_tls_provider() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // The code under test may have installed it already, which is as good.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    });
}
