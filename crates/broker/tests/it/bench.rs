//! A broker with everything real but the provider.

use mortise_broker::{
    AppInput, AppSettings, Broker, BrokerConfig, CallbackOutcome, CallbackQuery, Caller, ConnectionView, CustomerInput,
    Entry, Error, ManifestSource, NewApiKey, NewSession, PageRequest, SpillLog, Started, TokenAnswer, TokenRequest,
    flow_cookie_name,
};
use mortise_domain::{
    ApiScope, ClientSecret, Clock, ConnectionId, EventKind, FlowCookie, OsEntropy, ScopeSet, SystemClock,
};
use mortise_oauth::testing::ScriptedTransport;
use mortise_oauth::{EgressPolicy, Transport};
use mortise_store::Store;
use mortise_testkit::{Backend, TestDatabase};
use mortise_vault::{create_key_file, load_key_file};
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Bench {
    pub(crate) broker: Arc<Broker>,
    pub(crate) provider: Arc<ScriptedTransport>,
    pub(crate) caller: Arc<Caller>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) database: TestDatabase,
    side: DatabaseConnection,
}

/// A flow that waits for its callback.
pub(crate) struct Flow {
    pub(crate) context: String,
    pub(crate) state: String,
    pub(crate) cookie: (String, String),
}

pub(crate) fn tokens(number: u32) -> Value {
    json!({
        "access_token": format!("at-{number}"), "refresh_token": format!("rt-{number}"), "token_type": "Bearer",
        "expires_in": 3600, "scope": "read",
    })
}

impl Bench {
    /// An app of class `class` and a customer, in `dev`.
    pub(crate) async fn new(class: &str) -> Self {
        Self::with(&format!("  recovery_class: {class}\n  issuer: https://acme.example\n")).await
    }

    pub(crate) async fn with(auth: &str) -> Self {
        let database = TestDatabase::create(Backend::Sqlite).await;
        let folder = tempfile::tempdir().unwrap();
        create_key_file(&folder.path().join("keys.json"), &OsEntropy).unwrap();
        let provider = Arc::new(ScriptedTransport::new());
        let broker = broker(&database, folder.path(), provider.clone()).await;
        broker.check().await.unwrap();
        let scopes = ApiScope::ALL.to_vec();
        let key = NewApiKey { name: "test".into(), scopes, expires_at: None };
        let (_, key) = broker.create_api_key_locally(&"dev".parse().unwrap(), key).await.unwrap();
        let caller = broker.authenticate(key.expose()).await.unwrap();
        let side = database.connect().await;
        let bench = Self { broker, provider, caller, folder, database, side };
        bench.register(auth).await;
        bench
    }

    async fn register(&self, auth: &str) {
        let manifest = format!(
            "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: authorization_code\n  \
             authorization_url: https://acme.example/authorize\n  token_url: https://acme.example/token\n  \
             revocation_url: https://acme.example/revoke\n{auth}"
        );
        self.broker.register_connector(&self.caller, ManifestSource::Text(manifest)).await.unwrap();
        self.broker.create_app(&self.caller, "acme".parse().unwrap(), self.app("secret")).await.unwrap();
        let customer = "c1".parse().unwrap();
        self.broker.put_customer(&self.caller, &customer, CustomerInput::default()).await.unwrap();
    }

    pub(crate) fn app(&self, secret: &str) -> AppInput {
        AppInput {
            connector: "acme".parse().unwrap(),
            connector_version: None,
            client_id: "client".into(),
            client_secret: Some(ClientSecret::new(secret)),
            scopes: ScopeSet::parse("read", " "),
            settings: AppSettings { return_urls: vec!["https://app.example/done".into()], ..AppSettings::default() },
        }
    }

    /// The grants in the spill folder that wait for the database, whoever holds them.
    pub(crate) fn spilled(&self) -> Vec<Entry> {
        let waiting = SpillLog::waiting(&self.folder.path().join("spill")).unwrap();
        waiting.iter().map(|bytes| Entry::from_bytes(bytes).unwrap()).collect()
    }

    /// The process ends, and another one is in its place; nothing has been checked yet.
    pub(crate) async fn restart(&mut self) {
        self.broker.drain().await;
        let next = self.sibling().await;
        let before = std::mem::replace(&mut self.broker, next);
        assert_eq!(Arc::strong_count(&before), 1, "somebody still holds the process that ended");
    }

    /// A process beside this one: the same database, another broker.
    pub(crate) async fn sibling(&self) -> Arc<Broker> {
        broker(&self.database, self.folder.path(), self.provider.clone()).await
    }

    pub(crate) async fn link(&self, connection: Option<ConnectionId>) -> String {
        let session = NewSession {
            customer: "c1".parse().unwrap(),
            apps: None,
            connection,
            return_url: Some("https://app.example/done".into()),
            expires_in: None,
        };
        let link = self.broker.create_session(&self.caller, session).await.unwrap();
        link.token.expose().to_owned()
    }

    pub(crate) async fn start(&self, link: &str) -> Flow {
        let started = self.broker.start_connect(link, &"acme".parse().unwrap(), &BTreeMap::new()).await.unwrap();
        let Started::Redirect { location, attempt, cookie } = started else { panic!("no redirect") };
        let query: BTreeMap<_, _> = location.query_pairs().into_owned().collect();
        assert_eq!(query["code_challenge_method"], "S256");
        Flow {
            context: query["redirect_uri"].rsplit('/').next().unwrap().to_owned(),
            state: query["state"].clone(),
            cookie: (flow_cookie_name(attempt, true), cookie.expose().to_owned()),
        }
    }

    /// Connects the customer with the first tokens.
    pub(crate) async fn connect(&self) -> ConnectionId {
        self.reconnect(None, 1).await
    }

    pub(crate) async fn reconnect(&self, connection: Option<ConnectionId>, number: u32) -> ConnectionId {
        let flow = self.start(&self.link(connection).await).await;
        self.provider.json(200, &tokens(number));
        match self.finish(&flow, &[("code", "code"), ("state", &flow.state)]).await.unwrap() {
            CallbackOutcome::Connected { connection, .. } => connection,
            CallbackOutcome::AwaitingCompletion { .. } => panic!("the finisher check is off in dev"),
        }
    }

    pub(crate) async fn finish(&self, flow: &Flow, parameters: &[(&str, &str)]) -> Result<CallbackOutcome, Error> {
        let query = CallbackQuery {
            context: flow.context.clone(),
            fragment: false,
            parameters: parameters.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            cookies: vec![(flow.cookie.0.clone(), FlowCookie::new(&*flow.cookie.1))],
        };
        self.broker.finish_callback(query).await.map_err(|(error, _)| error)
    }

    pub(crate) async fn token(&self, id: ConnectionId, min_ttl: Option<u32>) -> Result<TokenAnswer, Error> {
        self.broker.token(&self.caller, id, TokenRequest { min_ttl, ..TokenRequest::default() }).await
    }

    pub(crate) async fn view(&self, id: ConnectionId) -> ConnectionView {
        self.broker.connection(&self.caller, id).await.unwrap()
    }

    /// The timeline, oldest first.
    pub(crate) async fn events(&self, id: ConnectionId) -> Vec<EventKind> {
        let page = PageRequest { limit: Some(100), cursor: None };
        let events = self.broker.timeline(&self.caller, id, &page).await.unwrap();
        events.items.iter().rev().map(|event| event.kind).collect()
    }

    pub(crate) async fn sql(&self, sql: &str) {
        self.side.execute_unprepared(sql).await.unwrap();
    }

    /// Makes every connection due, its last attempt over and its back-off forgotten.
    pub(crate) async fn make_due(&self) {
        self.sql("UPDATE connections SET next_refresh_at = 1, lease_until = NULL WHERE next_refresh_at IS NOT NULL")
            .await;
        self.sql("UPDATE connections SET attempt_deadline = 1 WHERE attempt_deadline IS NOT NULL").await;
    }

    /// Makes every connection due, with a token that ends in so many seconds and so many refusals before, the first of them
    /// so many seconds ago.
    pub(crate) async fn stand(&self, expires_in: i64, refusals: i64, since: i64) {
        let now = SystemClock::new().now().timestamp_millis();
        let (ends, first) = (now + expires_in * 1000, now - since * 1000);
        let suspected = if refusals == 0 { "NULL".to_owned() } else { first.to_string() };
        self.sql(&format!(
            "UPDATE connections SET expires_at = {ends}, suspicions = {refusals}, suspected_at = {suspected}"
        ))
        .await;
        self.make_due().await;
    }

    /// Sends what is due and waits for the answers.
    pub(crate) async fn work(&self) -> usize {
        self.work_by(self.sibling().await).await
    }

    /// The same by a process of the caller's choice, which ends with it.
    pub(crate) async fn work_by(&self, worker: Arc<Broker>) -> usize {
        let begun = worker.refresh_due().await.unwrap().begun;
        worker.drain().await;
        begun
    }
}

pub(crate) async fn broker(
    database: &TestDatabase,
    folder: &std::path::Path,
    provider: Arc<dyn Transport>,
) -> Arc<Broker> {
    let store = Store::connect(database.url(), 8).await.unwrap();
    let config = BrokerConfig {
        public_url: "https://broker.example".parse().unwrap(),
        egress: EgressPolicy::default(),
        spill_dir: folder.join("spill"),
        refresh_concurrency: 16,
        refresh_deadline: Duration::from_secs(5),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let key_file = folder.join("keys.json");
    let keyring = load_key_file(&key_file).unwrap();
    let broker = Broker::new(store, keyring, provider, clock, Arc::new(OsEntropy), config);
    Arc::new(broker.with_key_file(key_file))
}
