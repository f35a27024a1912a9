//! Connectors of different kinds through the real broker: everything is real but the provider, which is played.

use crate::stage;
use mortise_broker::{
    AppInput, AppSettings, Broker, BrokerConfig, CallbackOutcome, CallbackQuery, Caller, ConnectFault, Credentials,
    CustomerInput, Error, ManifestSource, NewApiKey, NewSession, RefreshWish, Started, TokenAnswer, TokenRequest,
    flow_cookie_name,
};
use mortise_connectors::{Manifest, Values, catalog, parse, sample_values};
use mortise_contract::{Mapped, Stage};
use mortise_domain::{
    ApiScope, ClientSecret, Clock, ConnectionId, FlowCookie, OsEntropy, PastedSecret, ScopeSet, SystemClock,
};
use mortise_oauth::EgressPolicy;
use mortise_sandbox::play::{Played, Registered};
use mortise_store::Store;
use mortise_testkit::{Backend, TestDatabase};
use mortise_vault::{create_key_file, load_key_file};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

const SECRET: &str = "s3cret+/=&%";

struct Scene {
    broker: Arc<Broker>,
    caller: Caller,
    stage: Stage,
    id: String,
    manifest: Manifest,
    values: Values,
    _kept: (TestDatabase, tempfile::TempDir),
}

impl Scene {
    /// A connector of the catalogue with an app and a customer, and its provider on the stage.
    async fn of(id: &str) -> Self {
        let stage = stage();
        let (database, folder) = (TestDatabase::create(Backend::Sqlite).await, tempfile::tempdir().unwrap());
        let key_file = folder.path().join("keys.json");
        create_key_file(&key_file, &OsEntropy).unwrap();
        let config = BrokerConfig {
            public_url: "https://broker.example".parse().unwrap(),
            egress: EgressPolicy::default(),
            spill_dir: folder.path().join("spill"),
            refresh_concurrency: 4,
            refresh_deadline: Duration::from_secs(5),
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let transport = Arc::new(Mapped::to(stage.server().address()).unwrap());
        let store = Store::connect(database.url(), 4).await.unwrap();
        let keyring = load_key_file(&key_file).unwrap();
        let broker = Arc::new(Broker::new(store, keyring, transport, clock, Arc::new(OsEntropy), config));
        broker.check().await.unwrap();
        let key = NewApiKey { name: "test".into(), scopes: ApiScope::ALL.to_vec(), expires_at: None };
        let (_, key) = broker.create_api_key_locally(&"dev".parse().unwrap(), key).await.unwrap();
        let caller = (*broker.authenticate(key.expose()).await.unwrap()).clone();
        let manifest = parse(&catalog::get(id).unwrap()).unwrap();
        let values = sample_values(&manifest, &Values::new()).unwrap();
        let scene = Self { broker, caller, stage, id: id.to_owned(), manifest, values, _kept: (database, folder) };
        scene.register().await;
        scene
    }

    async fn register(&self) {
        let source = ManifestSource::Catalog(self.id.clone());
        self.broker.register_connector(&self.caller, source).await.unwrap();
        let oauth2 = self.manifest.oauth2().is_some();
        let scopes = if oauth2 { ScopeSet::parse("one.read two:write", " ") } else { ScopeSet::default() };
        let app = AppInput {
            connector: self.id.parse().unwrap(),
            connector_version: None,
            client_id: if oauth2 { "the-client".into() } else { String::new() },
            client_secret: oauth2.then(|| ClientSecret::new(SECRET)),
            scopes: scopes.clone(),
            settings: AppSettings { return_urls: vec!["https://app.example/done".into()], ..AppSettings::default() },
        };
        let app = self.broker.create_app(&self.caller, self.id.parse().unwrap(), app).await.unwrap();
        self.broker.put_customer(&self.caller, &"c1".parse().unwrap(), CustomerInput::default()).await.unwrap();
        let registered = Registered {
            client_id: "the-client".to_owned(),
            client_secret: SECRET.to_owned(),
            redirect_uri: app.redirect_uri.parse().unwrap(),
            scopes,
            client_key: None,
            assertion_key: None,
            credentials: self.credentials(),
        };
        let played = Played::new(self.manifest.clone(), self.values.clone(), registered).unwrap();
        self.stage.server().play(played);
    }

    fn credentials(&self) -> BTreeMap<String, String> {
        let fields = self.manifest.auth.pasted().into_iter().flat_map(|pasted| pasted.credentials.iter());
        fields.map(|(name, _)| (name.clone(), "key0123".to_owned())).collect()
    }

    /// What the customer's click leads to.
    async fn started(&self) -> Started {
        let session = NewSession {
            customer: "c1".parse().unwrap(),
            apps: None,
            connection: None,
            return_url: Some("https://app.example/done".into()),
            expires_in: None,
        };
        let link = self.broker.create_session(&self.caller, session).await.unwrap();
        let pasted: Credentials =
            self.credentials().into_iter().map(|(name, value)| (name, PastedSecret::new(value))).collect();
        let app = self.id.parse().unwrap();
        let started = self.broker.start_connect_with(link.token.expose(), &app, &self.values, pasted).await;
        self.nothing_departs();
        started.unwrap_or_else(|error| panic!("{}: {error:?}", self.id))
    }

    /// The customer consents; what the browser then brings, changed.
    async fn consented(&self, change: impl FnOnce(&mut Vec<(String, String)>)) -> Result<ConnectionId, Error> {
        let Started::Redirect { location, attempt, cookie } = self.started().await else { panic!("no redirect") };
        let callback: Option<Url> =
            self.stage.server().with(|played, now| played.visit(&location, now)).unwrap().unwrap();
        self.nothing_departs();
        let callback = callback.unwrap();
        let mut parameters: Vec<_> = callback.query_pairs().into_owned().collect();
        change(&mut parameters);
        let query = CallbackQuery {
            context: callback.path_segments().unwrap().next_back().unwrap().to_owned(),
            fragment: false,
            parameters,
            cookies: vec![(flow_cookie_name(attempt, true), FlowCookie::new(cookie.expose()))],
        };
        match self.broker.finish_callback(query).await.map_err(|(error, _)| error)? {
            CallbackOutcome::Connected { connection, .. } => Ok(connection),
            CallbackOutcome::AwaitingCompletion { .. } => panic!("the finisher check is off in dev"),
        }
    }

    async fn token(&self, id: ConnectionId) -> TokenAnswer {
        self.broker.token(&self.caller, id, TokenRequest::default()).await.unwrap()
    }

    fn is_alive(&self, token: &str) -> bool {
        self.stage.server().with(|played, now| played.is_alive(token, now)).unwrap()
    }

    fn nothing_departs(&self) {
        let breaches = self.stage.server().with(|played, _| played.take_breaches()).unwrap();
        assert!(breaches.is_empty(), "{}: {breaches:?}", self.id);
    }

    /// Fetch, renewal, end.
    async fn lives(&self, connection: ConnectionId) {
        let first = self.token(connection).await;
        assert!(self.is_alive(first.access_token.expose()), "{}", self.id);
        let issued = self.stage.server().with(|played, _| played.issued().cloned()).flatten().unwrap();
        for (name, value) in &issued.extra {
            assert_eq!(first.extra.get(name), Some(value), "{}: {name}", self.id);
        }
        let auth = self.manifest.oauth2().unwrap();
        let told = auth.callback.keep.keys().chain(auth.identity.iter().flat_map(|identity| identity.fields.keys()));
        for name in told {
            assert!(first.extra.contains_key(name), "{}: {name} is not handed out", self.id);
        }
        for _ in 0..2 {
            let refreshed = self.broker.refresh_connection(&self.caller, connection, RefreshWish::Plain, None).await;
            self.nothing_departs();
            refreshed.unwrap_or_else(|error| panic!("{}: {error:?}", self.id));
        }
        let last = self.token(connection).await;
        assert_ne!(first.access_token.expose(), last.access_token.expose(), "{}", self.id);
        assert!(self.is_alive(last.access_token.expose()), "{}", self.id);
        self.broker.delete_connection(&self.caller, connection).await.unwrap();
        self.broker.revoke_due().await.unwrap();
        self.nothing_departs();
        let told = auth.revocation_url.is_some();
        assert_eq!(self.is_alive(last.access_token.expose()), !told, "{}: the provider was told, or not", self.id);
    }

    async fn end(self) {
        self.broker.drain().await;
        self.stage.close().await;
    }
}

#[tokio::test]
async fn grants_of_customers_live() {
    for id in ["github", "shopify", "slack", "wechat", "instagram", "notion", "quickbooks", "tiktok", "zendesk", "x"] {
        let scene = Scene::of(id).await;
        let connection = scene.consented(|_| {}).await.unwrap_or_else(|error| panic!("{id}: {error:?}"));
        scene.nothing_departs();
        scene.lives(connection).await;
        scene.end().await;
    }
}

#[tokio::test]
async fn several_tokens_of_one_consent_live() {
    let scene = Scene::of("slack-with-user").await;
    let connection = scene.consented(|_| {}).await.unwrap();
    let tokens = |answer: &TokenAnswer| {
        let further = answer.further_tokens.as_ref().unwrap();
        (answer.access_token.expose().to_owned(), further["user"].access_token.expose().to_owned())
    };
    let first = tokens(&scene.token(connection).await);
    let mut last = first.clone();
    // The user's token lives half as long, so its turn comes first each time; a refresh token is good once.
    for _ in 0..3 {
        assert!(scene.is_alive(&last.0) && scene.is_alive(&last.1));
        scene.broker.refresh_connection(&scene.caller, connection, RefreshWish::Plain, None).await.unwrap();
        scene.nothing_departs();
        last = tokens(&scene.token(connection).await);
    }
    assert_eq!(first.0, last.0);
    assert_ne!(first.1, last.1);
    scene.end().await;
}

#[tokio::test]
async fn a_grant_of_the_client_itself_lives() {
    let scene = Scene::of("spotify-client-credentials").await;
    let Started::Done { connection, .. } = scene.started().await else { panic!("not done at once") };
    scene.nothing_departs();
    scene.lives(connection).await;
    scene.end().await;
}

#[tokio::test]
async fn what_is_pasted_is_tried_out_and_handed_out() {
    for id in ["stripe-api-key", "freshdesk-basic", "greenhouse-basic"] {
        let scene = Scene::of(id).await;
        let Started::Done { connection, .. } = scene.started().await else { panic!("{id}: not done at once") };
        scene.nothing_departs();
        let answer = scene.token(connection).await;
        assert!(!answer.access_token.expose().is_empty() && answer.expires_at.is_none(), "{id}");
        scene.end().await;
    }
}

#[tokio::test]
async fn a_callback_that_somebody_changed_is_refused() {
    type Change = fn(&mut Vec<(String, String)>);
    let table: [(&str, Change); 3] = [
        ("another code", |pairs| pairs[0].1.push('x')),
        ("another shop", |pairs| {
            pairs.iter_mut().filter(|(name, _)| name == "shop").for_each(|(_, v)| v.insert(0, 'x'))
        }),
        ("no signature", |pairs| pairs.retain(|(name, _)| name != "hmac")),
    ];
    for (what, change) in table {
        let scene = Scene::of("shopify").await;
        let refused = scene.consented(change).await;
        assert!(
            matches!(refused, Err(Error::Connect(ConnectFault::MixedUp | ConnectFault::Malformed(_)))),
            "{what}: {refused:?}"
        );
        scene.end().await;
    }
}
