//! A running sandbox with the steps that clients and people take at it.

use crate::http::{Reply, send};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use mortise_domain::{ManualClock, SeededEntropy};
use mortise_sandbox::{GrantFilter, RecoveryClass, RequestRecord, RunningSandbox, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::TaskTracker;
use url::form_urlencoded::Serializer;

pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const REDIRECT: &str = "http://localhost:9/callback?fixed=1";

pub struct Kit {
    pub sandbox: RunningSandbox,
    /// The sandbox's, unless it goes by the real one.
    pub clock: Arc<ManualClock>,
    pub tasks: TaskTracker,
}

/// A sandbox whose clock stands still.
pub async fn start() -> Kit {
    start_with(SandboxConfig::default()).await
}

pub async fn start_with(config: SandboxConfig) -> Kit {
    let clock = Arc::new(ManualClock::at_unix(1_700_000_000));
    run(SandboxConfig { clock: clock.clone(), ..config }, clock)
}

/// A sandbox by the real clock.
pub async fn start_with_real_time() -> Kit {
    run(SandboxConfig::default(), Arc::new(ManualClock::at_unix(0)))
}

fn run(config: SandboxConfig, clock: Arc<ManualClock>) -> Kit {
    let entropy = Arc::new(SeededEntropy::new(1));
    let (sandbox, server) = Sandbox::bind(SandboxConfig { entropy, ..config }).unwrap();
    let tasks = TaskTracker::new();
    tasks.spawn(server);
    Kit { sandbox, clock, tasks }
}

impl Kit {
    pub async fn get(&self, path: &str) -> Reply {
        send(self.sandbox.addr(), "GET", path, &[], b"").await.unwrap()
    }

    /// Posts a form; `None` if the connection closed without a reply.
    pub async fn try_post(&self, path: &str, form: &[(&str, &str)], headers: &[(&str, &str)]) -> Option<Reply> {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let mut all = vec![("Content-Type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(headers);
        send(self.sandbox.addr(), "POST", path, &all, body.as_bytes()).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        self.try_post(path, form, &[]).await.unwrap()
    }

    /// Posts as the default client, by HTTP Basic.
    pub async fn as_client(&self, path: &str, form: &[(&str, &str)]) -> Option<Reply> {
        let basic = format!("Basic {}", STANDARD.encode("sandbox-client:sandbox-secret"));
        self.try_post(path, form, &[("Authorization", &basic)]).await
    }

    pub async fn control(&self, path: &str, body: Value) -> Reply {
        let headers = [("Content-Type", "application/json")];
        let body = body.to_string();
        send(self.sandbox.addr(), "POST", &format!("/control/{path}"), &headers, body.as_bytes()).await.unwrap()
    }

    pub async fn script(&self, class: RecoveryClass, action: Value) {
        let body = json!({"class": class, "grant_type": "refresh_token", "action": action});
        let reply = self.control("script", body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    pub async fn userinfo(&self, class: RecoveryClass, token: &str) -> Reply {
        let bearer = format!("Bearer {token}");
        let path = format!("/{class}/userinfo");
        send(self.sandbox.addr(), "GET", &path, &[("Authorization", &bearer)], b"").await.unwrap()
    }

    /// The link that a client sends a browser to, with some parameters replaced or, with an empty value, left out.
    pub fn authorize_path(&self, class: RecoveryClass, changes: &[(&str, &str)]) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let usual = [
            ("response_type", "code"),
            ("client_id", "sandbox-client"),
            ("redirect_uri", REDIRECT),
            ("scope", "read write"),
            ("state", "st&te ü="),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        let value =
            |name, usual| changes.iter().find(|(changed, _)| *changed == name).map_or(usual, |(_, value)| *value);
        let pairs = usual.map(|(name, usual)| (name, value(name, usual)));
        let query = Serializer::new(String::new()).extend_pairs(pairs.iter().filter(|(_, v)| !v.is_empty())).finish();
        format!("/{class}/authorize?{query}")
    }

    /// Opens the consent page and answers it.
    pub async fn consent(&self, class: RecoveryClass, decision: &str) -> HashMap<String, String> {
        let page = self.get(&self.authorize_path(class, &[])).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let reply = self.answer(class, &page.text(), decision).await;
        assert_eq!(reply.status, 303, "{}", reply.text());
        reply.location().query_pairs().into_owned().collect()
    }

    pub async fn answer(&self, class: RecoveryClass, page: &str, decision: &str) -> Reply {
        let id = between(page, "name=\"request\" value=\"", "\"");
        let form = [("request", id), ("account", "alex"), ("decision", decision)];
        self.post(&format!("/{class}/authorize"), &form).await
    }

    pub async fn exchange(&self, class: RecoveryClass, code: &str) -> Reply {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        self.as_client(&format!("/{class}/token"), &form).await.unwrap()
    }

    /// Consents and exchanges: access token and refresh token.
    pub async fn connect(&self, class: RecoveryClass) -> (String, String) {
        let answer = self.consent(class, "allow").await;
        tokens(&self.exchange(class, &answer["code"]).await)
    }

    pub async fn try_refresh(&self, class: RecoveryClass, token: &str) -> Option<Reply> {
        self.as_client(&format!("/{class}/token"), &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub async fn refresh(&self, class: RecoveryClass, token: &str) -> Reply {
        self.try_refresh(class, token).await.unwrap()
    }

    pub fn alive(&self, token: &str) -> bool {
        self.sandbox.check(token).alive
    }

    /// Waits until refresh tokens of so many requests are in flight.
    pub async fn in_flight(&self, requests: usize) {
        while self.sandbox.totals().in_flight != requests {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Sends a refresh and leaves once `seen` says so of its record.
    pub async fn abandon(&self, class: RecoveryClass, token: &str, seen: impl Fn(&RequestRecord) -> bool) {
        let before = self.sandbox.totals().newest_request;
        let watch = async {
            loop {
                let newest = self.sandbox.oracle(&GrantFilter::default(), 1).requests.pop();
                if newest.is_some_and(|record| record.id > before && seen(&record)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::select! {
            reply = self.try_refresh(class, token) => panic!("an answer came: {reply:?}"),
            () = watch => {}
        }
    }

    pub async fn stop(self) {
        self.sandbox.stop().await;
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// The tokens of a reply; the refresh token is empty if it has none.
pub fn tokens(reply: &Reply) -> (String, String) {
    let body = reply.json();
    assert_eq!(reply.status, 200, "{body}");
    tokens_of(&body)
}

/// The tokens in the body of a reply.
pub fn tokens_of(body: &Value) -> (String, String) {
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (text("access_token"), text("refresh_token"))
}

pub fn error(reply: &Reply) -> (u16, String) {
    (reply.status, reply.json()["error"].as_str().unwrap_or_default().to_owned())
}

pub fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let from = text.find(start).unwrap_or_else(|| panic!("no {start} in {text}")) + start.len();
    let length = text[from..].find(end).unwrap();
    &text[from..from + length]
}
