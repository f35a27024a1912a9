//! The whole service in this process, and a caller that holds every answer against the OpenAPI document.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use mortise_broker::{Broker, BrokerConfig, NewApiKey};
use mortise_domain::{ApiScope, Clock, OsEntropy, SystemClock};
use mortise_oauth::EgressPolicy;
use mortise_oauth::testing::ScriptedTransport;
use mortise_server::State;
use mortise_store::Store;
use mortise_testkit::{Answer, Backend, Http, TestDatabase};
use mortise_vault::{create_key_file, load_key_file};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

pub(crate) const PUBLIC: &str = "https://broker.example";

/// What the service says of itself.
pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(mortise_server::document()).unwrap());

pub(crate) const ACME: &str = "\
id: acme
name: Acme
auth:
  type: oauth2
  grant: authorization_code
  authorization_url: https://acme.example/authorize
  token_url: https://acme.example/token
  revocation_url: https://acme.example/revoke
";

/// A provider that grants tokens to the client itself.
pub(crate) const ROBOT: &str = "\
id: robot
name: Robot
auth:
  type: oauth2
  grant: client_credentials
  token_url: https://robot.example/token
";

pub(crate) struct Bench {
    pub(crate) base: String,
    pub(crate) broker: Arc<Broker>,
    pub(crate) provider: Arc<ScriptedTransport>,
    pub(crate) key: String,
    http: Http,
    database: TestDatabase,
    _folder: tempfile::TempDir,
    server: actix_web::dev::ServerHandle,
}

impl Drop for Bench {
    fn drop(&mut self) {
        // The command is sent at once; nobody has to wait for the end.
        drop(self.server.stop(false));
    }
}

/// One recorder a process, as in the program.
fn recorder() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| PrometheusBuilder::new().install_recorder().unwrap()).clone()
}

impl Bench {
    /// A service with a key for everything in `dev`, and nothing registered.
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create(Backend::Sqlite).await;
        let folder = tempfile::tempdir().unwrap();
        create_key_file(&folder.path().join("keys.json"), &OsEntropy).unwrap();
        let provider = Arc::new(ScriptedTransport::new());
        let config = BrokerConfig {
            public_url: PUBLIC.parse().unwrap(),
            egress: EgressPolicy::default(),
            spill_dir: folder.path().join("spill"),
            refresh_concurrency: 4,
            refresh_deadline: Duration::from_secs(5),
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let store = Store::connect(database.url(), 8).await.unwrap();
        let keyring = load_key_file(&folder.path().join("keys.json")).unwrap();
        let entropy = Arc::new(OsEntropy);
        let broker = Arc::new(Broker::new(store, keyring, provider.clone(), clock.clone(), entropy, config));
        broker.check().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State::new(broker.clone(), clock, recorder()));
        let running = mortise_server::run(state, listener, 2).unwrap();
        let server = running.handle();
        actix_web::rt::spawn(running);
        let http = Http::new();
        let mut bench = Self { base, broker, provider, key: String::new(), http, database, _folder: folder, server };
        bench.key = bench.key_in("dev", ApiScope::ALL).await;
        bench
    }

    /// The same with connector and app `acme` and the customer `c1`.
    pub(crate) async fn registered() -> Self {
        let bench = Self::new().await;
        bench.register(ACME, "acme").await;
        bench
    }

    pub(crate) async fn register(&self, manifest: &str, id: &str) {
        self.manifest(Method::POST, "/v1/connectors", manifest).await.expect(201);
        let app = json!({
            "id": id, "connector": id, "client_id": "client", "client_secret": "canary-client-secret",
            "scopes": ["read", "write"], "settings": {"return_urls": ["https://app.example/done"]},
        });
        self.post("/v1/apps", &app).await.expect(201);
        self.put("/v1/customers/c1", &json!({"name": "Ann"})).await;
    }

    /// An imported connection of `c1` at `acme`, good for an hour.
    pub(crate) async fn connected(&self) -> String {
        let body = json!({
            "customer": "c1", "app": "acme",
            "credentials": {"access_token": "canary-at-1", "refresh_token": "canary-rt-1", "expires_at": "2099-01-01T00:00:00Z"},
        });
        let view = self.post("/v1/connections", &body).await.expect(201).json();
        view["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn key_in(&self, environment: &str, scopes: &[ApiScope]) -> String {
        let new = NewApiKey { name: "test".into(), scopes: scopes.to_vec(), expires_at: None };
        let (_, key) = self.broker.create_api_key_locally(&environment.parse().unwrap(), new).await.unwrap();
        key.expose().to_owned()
    }

    /// A request without credentials, to complete by hand.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, &format!("{}{path}", self.base))
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(&self.key)
    }

    /// Sends a request and holds the answer against the document.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let shown = request.try_clone().and_then(|copy| copy.build().ok()).unwrap();
        let answer = self.http.send(request).await;
        conforms(shown.method().as_str(), shown.url().path(), &answer);
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(body)).await
    }

    /// Sends YAML.
    pub(crate) async fn manifest(&self, method: Method, path: &str, yaml: &str) -> Answer {
        let request = self.request(method, path).header("content-type", "application/yaml").body(yaml.to_owned());
        self.send(request).await
    }

    pub(crate) async fn sql(&self, sql: &str) {
        use sea_orm::ConnectionTrait as _;
        self.database.connect().await.execute_unprepared(sql).await.unwrap();
    }
}

/// One operation of the document.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) value: Value,
}

impl Operation {
    pub(crate) fn id(&self) -> &str {
        self.value["operationId"].as_str().unwrap()
    }

    /// `None`: public.
    pub(crate) fn scope(&self) -> Option<ApiScope> {
        self.value["security"][0]["api_key"][0].as_str().map(|scope| scope.parse().unwrap())
    }
}

/// Every operation that there is.
pub(crate) fn operations() -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, value) in item.as_object().unwrap() {
            let method = method.to_uppercase().parse().unwrap();
            all.push(Operation { method, path: path.clone(), value: value.clone() });
        }
    }
    assert!(all.len() > 35, "only {} operations", all.len());
    all
}

/// The operation that a request belongs to; what is written out goes before parameters.
fn operation_of(method: &str, path: &str) -> Option<Operation> {
    let fits = |template: &str| {
        let (a, b): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        a.len() == b.len() && a.iter().zip(&b).all(|(t, p)| t.starts_with('{') || t == p)
    };
    let mut found: Vec<_> = operations().into_iter().filter(|o| o.method == method && fits(&o.path)).collect();
    found.sort_by_key(|operation| operation.path.contains('{'));
    found.into_iter().next()
}

/// Status, type and code of an answer are those that the document announces.
#[track_caller]
fn conforms(method: &str, path: &str, answer: &Answer) {
    assert!(answer.header("x-request-id").starts_with("req_"), "{answer:?}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{answer:?}");
    let Some(operation) = operation_of(method, path) else { return };
    let announced = &operation.value["responses"][answer.status.to_string()];
    let everywhere = [405, 414, 431].contains(&answer.status);
    assert!(!announced.is_null() || everywhere, "{method} {path} does not announce {answer:?}");
    if path.starts_with("/v1/") {
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
    }
    if answer.status >= 400 {
        let codes = operation.value["x-problem-codes"].as_array().unwrap();
        let code = problem(answer)["code"].clone();
        assert!(codes.contains(&code) || everywhere, "{method} {path} does not announce {code}");
    }
}

/// The problem of an answer, which has to be a whole one.
#[track_caller]
pub(crate) fn problem(answer: &Answer) -> Value {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
    let body = answer.json();
    assert_eq!(body["status"], answer.status, "{answer:?}");
    let code = body["code"].as_str().unwrap();
    assert_eq!(body["type"], format!("{PUBLIC}/docs/errors#{code}"));
    for member in ["title", "detail"] {
        assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {answer:?}");
    }
    let replayed = answer.header("idempotent-replayed") == "true";
    assert!(replayed || body["request_id"] == answer.header("x-request-id"), "{answer:?}");
    body
}

/// Checks status and code, and answers the whole problem.
#[track_caller]
pub(crate) fn assert_problem(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!((answer.status, answer.json()["code"].as_str()), (status, Some(code)), "{answer:?}");
    problem(answer)
}
