//! The REST API, as integration code calls it.

use super::CLIENT_SECRET;
use super::provider::{CLIENT_ID, Provider};
use super::visitor::Visitor;
use mortise_sandbox::RecoveryClass;
use mortise_testkit::{Answer, Http, wait};
use serde_json::{Value, json};

/// What every app may send customers back to.
pub const RETURN_URL: &str = "http://127.0.0.1:9/connected";

#[derive(Clone)]
pub struct Api {
    http: Http,
    base: String,
    key: String,
}

/// A connect link.
pub struct Session {
    pub id: String,
    pub url: String,
}

impl Api {
    pub fn new(base: String) -> Self {
        Self { http: Http::new(), base, key: String::new() }
    }

    pub fn use_key(&mut self, key: String) {
        self.http = Http::new().with_bearer(&key);
        self.key = key;
    }

    /// The same with another key.
    pub fn with_key(&self, key: String) -> Self {
        let mut api = self.clone();
        api.use_key(key);
        api
    }

    pub fn key(&self) -> &str {
        &self.key
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v1{path}", self.base)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.http.get(&self.url(path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.http.post(&self.url(path), body).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.http.put(&self.url(path), body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.http.delete(&self.url(path)).await
    }

    /// Registers the class's provider as a connector and an app at it, both called by [`app_id`].
    pub async fn register(&self, provider: &Provider, class: RecoveryClass) {
        self.register_changed(provider, class, |_| {}).await;
    }

    /// The same, and the provider's first `invalid_grant` is the truth.
    pub async fn register_final(&self, provider: &Provider, class: RecoveryClass) {
        let last_word =
            |manifest: &mut Value| manifest["auth"]["refresh_errors"] = json!({"permanent": ["invalid_grant"]});
        self.register_changed(provider, class, last_word).await;
    }

    /// The same with a change to the manifest.
    pub async fn register_changed(&self, provider: &Provider, class: RecoveryClass, change: impl FnOnce(&mut Value)) {
        let mut manifest = manifest(provider, class);
        change(&mut manifest);
        self.post("/connectors", &manifest).await.expect(201);
        self.post("/apps", &app(class, CLIENT_SECRET)).await.expect(201);
    }

    pub async fn put_customer(&self, id: &str) {
        let answer = self.put(&format!("/customers/{id}"), &json!({"name": format!("Customer {id}")})).await;
        assert!([200, 201].contains(&answer.status), "{answer:?}");
    }

    /// A link for a customer, who is put first. `more` is added to the request.
    pub async fn session(&self, customer: &str, more: Value) -> Session {
        self.put_customer(customer).await;
        let mut body = json!({ "customer": customer });
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        let answer = self.post("/connect-sessions", &body).await.expect(201).json();
        Session { id: text(&answer, "id"), url: text(&answer, "url") }
    }

    /// A customer consents at the class's provider; answers the connection's id.
    pub async fn connect(&self, customer: &str, class: RecoveryClass) -> String {
        let app = app_id(class);
        let session = self.session(customer, json!({ "apps": [app] })).await;
        Visitor::new().consent(&session.url, &app).await;
        self.result_of(&session).await
    }

    /// The connection that a finished session made.
    pub async fn result_of(&self, session: &Session) -> String {
        let view = self.get(&format!("/connect-sessions/{}", session.id)).await.expect(200).json();
        assert_eq!(view["status"], "completed", "{view}");
        text(&view, "connection")
    }

    pub async fn token(&self, connection: &str) -> Value {
        self.get(&format!("/connections/{connection}/token")).await.expect(200).json()
    }

    pub async fn access_token(&self, connection: &str) -> String {
        text(&self.token(connection).await, "access_token")
    }

    pub async fn connection(&self, connection: &str) -> Value {
        self.get(&format!("/connections/{connection}")).await.expect(200).json()
    }

    pub async fn refresh(&self, connection: &str) -> Answer {
        self.post(&format!("/connections/{connection}/refresh"), &json!({})).await
    }

    /// The kinds of the connection's newest hundred events, oldest first.
    pub async fn events(&self, connection: &str) -> Vec<String> {
        let answer = self.get(&format!("/connections/{connection}/events?limit=100")).await.expect(200).json();
        let items = answer["items"].as_array().unwrap();
        items.iter().rev().map(|event| text(event, "kind")).collect()
    }

    /// Waits until the connection is in this state.
    pub async fn wait_for_state(&self, connection: &str, state: &str) -> Value {
        let reached = wait::until(super::PATIENCE, async || {
            let view = self.connection(connection).await;
            Ok((view["state"] == state).then_some(view))
        });
        reached.await.unwrap()
    }

    /// Waits until the timeline holds this many events of a kind.
    pub async fn wait_for_event(&self, connection: &str, kind: &str, count: usize) {
        let seen = wait::until(super::PATIENCE, async || {
            let events = self.events(connection).await;
            Ok((events.iter().filter(|event| *event == kind).count() >= count).then_some(()))
        });
        seen.await.unwrap();
    }
}

/// What connector and app of a class are called.
pub fn app_id(class: RecoveryClass) -> String {
    format!("sandbox-{class}")
}

/// The class's provider, described.
pub fn manifest(provider: &Provider, class: RecoveryClass) -> Value {
    let issuer = provider.sandbox.issuer(class);
    json!({
        "id": app_id(class),
        "name": format!("Sandbox {}", class.as_str().to_uppercase()),
        "auth": {
            "type": "oauth2",
            "grant": "authorization_code",
            "authorization_url": format!("{issuer}/authorize"),
            "token_url": format!("{issuer}/token"),
            "revocation_url": format!("{issuer}/revoke"),
            "issuer": issuer,
            "authorization_response_iss_parameter_supported": true,
            "client_authentication": "client_secret_basic",
            "recovery_class": class.as_str().to_uppercase(),
            "token_response": {"extra": {"instance_url": "/instance_url"}},
        },
        "scopes": {"profile": "See your name and picture", "contacts.read": "Read your contacts"},
        "api": {"base_url": issuer},
    })
}

/// The app at the class's provider.
pub fn app(class: RecoveryClass, secret: &str) -> Value {
    json!({
        "id": app_id(class),
        "connector": app_id(class),
        "client_id": CLIENT_ID,
        "client_secret": secret,
        "scopes": ["profile", "contacts.read"],
        "settings": {"return_urls": [RETURN_URL]},
    })
}

/// A member that must be a text.
#[track_caller]
pub fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no text `{name}` in {value}")).to_owned()
}

/// Checks that an answer is a problem document with this status and code.
#[track_caller]
pub fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.json()["code"].as_str()), (status, Some(code)), "{answer:?}");
    assert!(answer.header("content-type").starts_with("application/problem+json"), "{answer:?}");
}
