//! A customer connects, and the provider's answer to the code never arrives: whether the code comes again, its oracle says.

use super::{Judge, judge};
use mortise_broker::{
    AppInput, AppSettings, Broker, BrokerConfig, CallbackQuery, CustomerInput, Import, ImportedCredentials, KnownBad,
    ManifestSource, NewApiKey, NewSession, Started, flow_cookie_name,
};
use mortise_domain::{
    AccessToken, ApiScope, ClientSecret, ConnectionId, FlowCookie, OsEntropy, RefreshToken, ScopeSet, SystemClock,
};
use mortise_oauth::{Egress, EgressPolicy};
use mortise_sandbox::{
    Action, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Ended, Endpoint, HistoryFilter, Moment, RecoveryClass, Sandbox,
    SandboxConfig, Script,
};
use mortise_store::Store;
use mortise_testkit::visitor::Visitor;
use mortise_testkit::{Backend, TestDatabase};
use mortise_vault::{create_key_file, load_key_file};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What the provider saw of one connect.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    exchanges: usize,
    ended: Vec<Ended>,
}

pub fn is_caught(build: KnownBad) {
    assert!(matches!(judge(build), Judge::Provider));
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let right = runtime().block_on(connect());
    assert_eq!(right, Seen { exchanges: 1, ended: Vec::new() });
    let _built = build.build();
    let wrong = runtime().block_on(connect());
    assert_eq!(wrong, Seen { exchanges: 2, ended: vec![Ended::CodeReused] });
    println!("{build:?} is caught by the provider: {wrong:?}");
}

async fn connect() -> Seen {
    let (sandbox, server) = Sandbox::bind(SandboxConfig::default()).unwrap();
    let serving = tokio_util::task::TaskTracker::new();
    serving.spawn(server);
    let lost = Action { drop: Some(Moment::After), ..Action::default() };
    let (class, endpoint, grant_type) = (RecoveryClass::F, Endpoint::Token, Some("authorization_code".to_owned()));
    sandbox.script(Script { class, endpoint, grant_type, times: 1, action: lost }).unwrap();
    let house = House::new(&sandbox.issuer(RecoveryClass::F)).await;
    assert!(house.consent().await.is_err(), "the answer was lost, and whoever asks again is refused");
    let history = sandbox.history(&HistoryFilter::default());
    sandbox.stop().await;
    let exchanges = history.requests.iter().filter(|r| r.grant_type.as_deref() == Some("authorization_code")).count();
    Seen { exchanges, ended: history.events.iter().filter_map(|event| event.ended).collect() }
}

/// A broker with everything real.
pub struct House {
    broker: Broker,
    pub database: TestDatabase,
    _folder: tempfile::TempDir,
}

impl House {
    pub async fn new(issuer: &str) -> Self {
        let (database, folder) = (TestDatabase::create(Backend::Sqlite).await, tempfile::tempdir().unwrap());
        let keys = folder.path().join("keys.json");
        create_key_file(&keys, &OsEntropy).unwrap();
        let egress = EgressPolicy { allow: vec!["127.0.0.0/8".parse().unwrap()] };
        let config = BrokerConfig {
            public_url: "https://broker.example".parse().unwrap(),
            egress: egress.clone(),
            spill_dir: folder.path().join("spill"),
            refresh_concurrency: 4,
            refresh_deadline: Duration::from_secs(30),
        };
        let store = Store::connect(database.url(), 4).await.unwrap();
        let (keyring, transport) = (load_key_file(&keys).unwrap(), Arc::new(Egress::new(egress).unwrap()));
        let clock = Arc::new(SystemClock::new());
        let broker = Broker::new(store, keyring, transport, clock, Arc::new(OsEntropy), config);
        broker.check().await.unwrap();
        let house = Self { broker, database, _folder: folder };
        house.furnish(issuer).await;
        house
    }

    async fn caller(&self) -> Arc<mortise_broker::Caller> {
        let key = NewApiKey { name: "test".into(), scopes: ApiScope::ALL.to_vec(), expires_at: None };
        let (_, key) = self.broker.create_api_key_locally(&"dev".parse().unwrap(), key).await.unwrap();
        self.broker.authenticate(key.expose()).await.unwrap()
    }

    async fn furnish(&self, issuer: &str) {
        let caller = self.caller().await;
        let manifest = format!(
            "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: authorization_code\n  issuer: {issuer}\n  \
             authorization_url: {issuer}/authorize\n  token_url: {issuer}/token\n  recovery_class: F\n"
        );
        self.broker.register_connector(&caller, ManifestSource::Text(manifest)).await.unwrap();
        let app = AppInput {
            connector: "acme".parse().unwrap(),
            connector_version: None,
            client_id: DEFAULT_CLIENT_ID.into(),
            client_secret: Some(ClientSecret::new(DEFAULT_CLIENT_SECRET)),
            scopes: ScopeSet::default(),
            settings: AppSettings::default(),
        };
        self.broker.create_app(&caller, "acme".parse().unwrap(), app).await.unwrap();
        self.broker.put_customer(&caller, &"c1".parse().unwrap(), CustomerInput::default()).await.unwrap();
    }

    /// A connection that nobody had to consent to.
    pub async fn import(&self) -> ConnectionId {
        let credentials = ImportedCredentials {
            access_token: Some(AccessToken::new("at-1")),
            refresh_token: Some(RefreshToken::new("rt-1")),
            expires_at: None,
            scopes: None,
            pasted: BTreeMap::new(),
        };
        let (customer, app) = ("c1".parse().unwrap(), "acme".parse().unwrap());
        let import = Import { customer, app, variables: BTreeMap::new(), credentials: Some(credentials) };
        self.broker.import_connection(&*self.caller().await, import).await.unwrap().id
    }

    /// From the link to the callback.
    async fn consent(&self) -> Result<(), mortise_broker::Error> {
        let customer = "c1".parse().unwrap();
        let session = NewSession { customer, apps: None, connection: None, return_url: None, expires_in: None };
        let link = self.broker.create_session(&*self.caller().await, session).await.unwrap();
        let app = "acme".parse().unwrap();
        let started = self.broker.start_connect(link.token.expose(), &app, &BTreeMap::new()).await.unwrap();
        let Started::Redirect { location, attempt, cookie } = started else { panic!("no redirect") };
        let callback = Visitor::new().decide(location.as_str(), "allow").await;
        let callback: url::Url = callback.parse().unwrap();
        let query = CallbackQuery {
            context: callback.path_segments().and_then(Iterator::last).unwrap_or_default().to_owned(),
            parameters: callback.query_pairs().into_owned().collect(),
            cookies: vec![(flow_cookie_name(attempt, true), FlowCookie::new(cookie.expose()))],
            fragment: false,
        };
        self.broker.finish_callback(query).await.map(drop).map_err(|(error, _)| error)
    }
}
