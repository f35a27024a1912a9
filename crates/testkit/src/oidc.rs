//! `oidc-provider` from npm as a process: a certified OpenID provider that punishes the reuse of a refresh token.

use crate::{Http, Launch, Process, or_panic, workspace_root};
use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The one client that the provider knows, and how long its tokens live.
#[derive(Debug, Clone)]
pub struct OidcConfig {
    /// RFC 6749 section 2.2.
    pub client_id: String,
    /// RFC 6749 section 2.3.1.
    pub client_secret: String,
    /// Every allowed one, compared letter by letter.
    pub redirect_uris: Vec<String>,
    /// `client_secret_basic` or `client_secret_post`.
    pub client_auth: &'static str,
    /// Seconds.
    pub access_token_lifetime: u32,
    /// Seconds.
    pub refresh_token_lifetime: u32,
    /// Milliseconds that a token request waits before the provider looks at it: one that takes no time overlaps no other.
    pub latency: u32,
    /// Clients may register by themselves, and there is a protected resource like an MCP server under `/mcp`.
    pub registration: bool,
    /// Further metadata of the client, such as its keys; `null` for none.
    pub client_metadata: Value,
    /// Proofs of possession need a nonce (RFC 9449).
    pub dpop: bool,
    /// Clients may be named by documents under the first of these origins, which are fetched from the second.
    pub client_documents: Option<[String; 2]>,
    /// A folder with the certificates with which the endpoints are served over TLS too (RFC 8705).
    pub tls_folder: Option<PathBuf>,
}

impl OidcConfig {
    /// A client with one redirect URI, access tokens of a minute and refresh tokens of a day.
    pub fn new(redirect_uri: impl Into<String>) -> Self {
        Self {
            client_id: "mortise".to_owned(),
            client_secret: "oidc-provider-client-secret".to_owned(),
            redirect_uris: vec![redirect_uri.into()],
            client_auth: "client_secret_basic",
            access_token_lifetime: 60,
            refresh_token_lifetime: 86_400,
            latency: 0,
            registration: false,
            client_metadata: Value::Null,
            dpop: false,
            client_documents: None,
            tls_folder: None,
        }
    }
}

/// The provider as a connector's manifest describes it, by its issuer identifier.
pub fn oidc_manifest(id: &str, issuer: &str) -> Value {
    json!({
        "id": id,
        "name": "Certified provider",
        "auth": {
            "type": "oauth2",
            "grant": "authorization_code",
            "authorization_url": format!("{issuer}/auth"),
            "token_url": format!("{issuer}/token"),
            "revocation_url": format!("{issuer}/token/revocation"),
            "issuer": issuer,
            "authorization_response_iss_parameter_supported": true,
            "client_authentication": "client_secret_basic",
            "authorization_params": {"prompt": "consent"},
            "recovery_class": "F",
        },
    })
}

/// What happened at the provider since its start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcEvents {
    /// Access tokens issued.
    pub access_tokens: u64,
    /// Refresh tokens issued.
    pub refresh_tokens: u64,
    /// Refresh tokens used up by rotation.
    pub refresh_tokens_consumed: u64,
    /// Refresh tokens ended by revocation or by reuse.
    pub refresh_tokens_destroyed: u64,
    /// Token requests that succeeded.
    pub grants_succeeded: u64,
    /// Whole grants revoked, on request or by the reuse detector.
    pub grants_revoked: u64,
    /// Used-up refresh tokens presented again.
    pub reuses: u64,
    /// Every error answer, in order.
    pub errors: Vec<OidcError>,
}

/// An error answer of the provider.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcError {
    /// Where it arose, such as `grant.error`.
    pub event: String,
    /// The OAuth error code.
    pub error: String,
    /// The provider's own words, which it does not tell its clients.
    pub detail: String,
}

/// The running provider.
#[derive(Debug)]
pub struct OidcProvider {
    process: Process,
    issuer: String,
    secure: Option<String>,
    http: Http,
}

impl OidcProvider {
    /// Starts it on a free port.
    ///
    /// # Panics
    /// When Node or the provider's packages are missing, or it does not start.
    pub async fn start(config: OidcConfig) -> Self {
        let folder = workspace_root().join("tests/oidc-provider");
        assert!(folder.join("node_modules/oidc-provider").exists(), "oidc-provider: run scripts/install-test-deps");
        let launch = Launch::new("node")
            .args(["server.mjs"])
            .env("CLIENT_ID", config.client_id)
            .env("CLIENT_SECRET", config.client_secret)
            .env("CLIENT_AUTH", config.client_auth)
            .env("REDIRECT_URIS", config.redirect_uris.join(" "))
            .env("ACCESS_TOKEN_SECONDS", config.access_token_lifetime.to_string())
            .env("REFRESH_TOKEN_SECONDS", config.refresh_token_lifetime.to_string())
            .env("LATENCY_MS", config.latency.to_string())
            .env("REGISTRATION", if config.registration { "1" } else { "" })
            .env("DPOP", if config.dpop { "1" } else { "" })
            .env("CLIENT_DOCUMENTS", config.client_documents.map(|origins| origins.join(" ")).unwrap_or_default())
            .env("TLS_FOLDER", config.tls_folder.as_deref().and_then(Path::to_str).unwrap_or_default())
            .env(
                "CLIENT_METADATA",
                if config.client_metadata.is_null() { String::new() } else { config.client_metadata.to_string() },
            );
        let mut process = launch.folder(folder).start();
        let told = async |process: &mut Process, word: &str| {
            process.line(Duration::from_secs(30), |line| line.strip_prefix(word).map(str::to_owned)).await
        };
        let secure = match config.tls_folder {
            Some(_) => Some(told(&mut process, "secure ").await),
            None => None,
        };
        let issuer = told(&mut process, "ready ").await;
        Self { process, issuer, secure, http: Http::new() }
    }

    /// The issuer identifier, without a slash at its end. The endpoints are `/auth`, `/token`, `/token/revocation`,
    /// `/token/introspection` and `/me` (user information) under it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The same endpoints over TLS, where clients show certificates.
    ///
    /// # Panics
    /// When there are none.
    pub fn secure(&self) -> &str {
        or_panic(self.secure.as_deref().context("the provider was started without certificates"))
    }

    /// What happened so far.
    ///
    /// # Panics
    /// When the provider does not answer.
    pub async fn events(&self) -> OidcEvents {
        let answer = self.http.get(&format!("{}/test/events", self.issuer)).await;
        or_panic(serde_json::from_value(answer.json()).context("the provider's events have another shape"))
    }

    /// Its own log of every token request, and what it knows of its grants, for [`History::of_provider`]. Beside that a
    /// grant has the `account` that gave it.
    ///
    /// [`History::of_provider`]: crate::history::History::of_provider
    ///
    /// # Panics
    /// When the provider does not answer.
    pub async fn history(&self) -> serde_json::Value {
        self.http.get(&format!("{}/test/history", self.issuer)).await.expect(200).json()
    }

    /// The process, to read its output or to stop it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}
