//! The pages over a real broker and database, with a provider that follows a script.

use actix_web::http::header;
use actix_web::test::{self, TestRequest};
use actix_web::{App, web};
use metrics_exporter_prometheus::PrometheusBuilder;
use mortise_broker::{
    AppInput, AppSettings, Broker, BrokerConfig, Caller, CustomerInput, EnvironmentInput, ManifestSource, NewApiKey,
    NewSession,
};
use mortise_domain::{ApiScope, ClientSecret, Clock, OsEntropy, ScopeSet, SystemClock};
use mortise_oauth::testing::ScriptedTransport;
use mortise_oauth::{EgressPolicy, Transport};
use mortise_server::{State, pages};
use mortise_store::Store;
use mortise_testkit::{Backend, TestDatabase};
use mortise_vault::{create_key_file, load_key_file};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const BASE: &str = "https://broker.example";

pub(crate) const ACME: &str = "\
id: acme
name: Acme
description: Invoices and orders.
auth:
  type: oauth2
  grant: authorization_code
  authorization_url: https://{shop}.acme.example/authorize
  token_url: https://{shop}.acme.example/token
variables:
  shop: {type: host_label, title: Your Acme shop, description: The first part of its address.}
scopes:
  read: See your invoices
";

pub(crate) const PLAIN: &str = "\
id: plain
name: Plain
auth:
  type: oauth2
  grant: authorization_code
  authorization_url: https://plain.example/authorize
  token_url: https://plain.example/token
  issuer: https://plain.example
";

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

pub(crate) struct Rig {
    pub(crate) state: web::Data<State>,
    pub(crate) provider: Arc<ScriptedTransport>,
    pub(crate) caller: Arc<Caller>,
    pub(crate) key: String,
    /// Holds the key file for as long as the rig stands.
    _folder: tempfile::TempDir,
    pub(crate) database: TestDatabase,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        let provider = Arc::new(ScriptedTransport::new());
        Self::with(BASE, EgressPolicy::default(), provider.clone(), provider).await
    }

    pub(crate) async fn with(
        base: &str,
        egress: EgressPolicy,
        transport: Arc<dyn Transport>,
        provider: Arc<ScriptedTransport>,
    ) -> Self {
        let database = TestDatabase::create(Backend::Sqlite).await;
        let folder = tempfile::tempdir().unwrap();
        create_key_file(&folder.path().join("keys.json"), &OsEntropy).unwrap();
        let config = BrokerConfig {
            public_url: base.parse().unwrap(),
            egress,
            spill_dir: folder.path().join("spill"),
            refresh_concurrency: 4,
            refresh_deadline: Duration::from_secs(5),
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let store = Store::connect(database.url(), 4).await.unwrap();
        let keyring = load_key_file(&folder.path().join("keys.json")).unwrap();
        let broker = Arc::new(Broker::new(store, keyring, transport, clock.clone(), Arc::new(OsEntropy), config));
        broker.check().await.unwrap();
        let dev = "dev".parse().unwrap();
        let asker = EnvironmentInput { display_name: Some("Ledger Cloud".into()), ..EnvironmentInput::default() };
        broker.update_environment(&dev, asker).await.unwrap();
        let key = issue(&broker, ApiScope::ALL).await;
        let caller = broker.authenticate(&key).await.unwrap();
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let state = web::Data::new(State::new(broker, clock, metrics));
        Self { state, provider, caller, key, _folder: folder, database }
    }

    pub(crate) fn broker(&self) -> &Broker {
        &self.state.broker
    }

    /// A connector, an app of the same id and the customer `c1`, who is called Ann.
    pub(crate) async fn register(&self, manifest: &str) {
        let source = ManifestSource::Text(manifest.to_owned());
        let connector = self.broker().register_connector(&self.caller, source).await.unwrap();
        let input = AppInput {
            connector: connector.id.clone(),
            connector_version: None,
            client_id: "client".into(),
            client_secret: Some(ClientSecret::new("secret")),
            scopes: ScopeSet::parse("read write", " "),
            settings: AppSettings { return_urls: vec!["https://app.example/done".into()], ..AppSettings::default() },
        };
        self.broker().create_app(&self.caller, connector.id.as_str().parse().unwrap(), input).await.unwrap();
        self.customer("c1", "Ann").await;
    }

    pub(crate) async fn customer(&self, id: &str, name: &str) {
        let input = CustomerInput { name: Some(name.into()), ..CustomerInput::default() };
        self.broker().put_customer(&self.caller, &id.parse().unwrap(), input).await.unwrap();
    }

    /// A fresh link for `c1` at every app, with its path.
    pub(crate) async fn link(&self, return_url: Option<&str>) -> String {
        self.link_of("c1", return_url).await
    }

    pub(crate) async fn link_of(&self, customer: &str, return_url: Option<&str>) -> String {
        let new = NewSession {
            customer: customer.parse().unwrap(),
            apps: None,
            connection: None,
            return_url: return_url.map(str::to_owned),
            expires_in: None,
        };
        let link = self.broker().create_session(&self.caller, new).await.unwrap();
        format!("/connect/{}", link.token.expose())
    }

    pub(crate) async fn key_with(&self, scopes: &[ApiScope]) -> String {
        issue(self.broker(), scopes).await
    }

    pub(crate) async fn send(&self, request: TestRequest) -> Answer {
        let app = App::new()
            .app_data(self.state.clone())
            .configure(pages::configure)
            .default_service(web::to(pages::not_found));
        let answer = test::call_service(&test::init_service(app).await, request.to_request()).await;
        let headers = answer.headers().iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
        let status = answer.status().as_u16();
        let body = String::from_utf8(test::read_body(answer).await.to_vec()).unwrap();
        Answer { status, headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(TestRequest::get().uri(path)).await
    }

    pub(crate) async fn get_with(&self, path: &str, cookies: &[(String, String)]) -> Answer {
        self.send(with_cookies(TestRequest::get().uri(path), cookies)).await
    }

    /// Opens a page with a form and sends it back, as a browser does.
    pub(crate) async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let csrf = page.hidden("csrf");
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend(fields);
        let request = TestRequest::post().uri(path).insert_header(("sec-fetch-site", "same-origin"));
        self.send(with_cookies(request.insert_header((header::ORIGIN, "null")), &page.cookies()).set_form(all)).await
    }

    /// Starts a flow at `plain` and says how the provider would come back: the path without a query, and its state.
    pub(crate) async fn flow(&self, link: &str) -> Flow {
        let started = self.submit(link, &[("app", "plain")]).await;
        assert_eq!(started.status, 303, "{}", started.body);
        let location = url::Url::parse(started.header("location").unwrap()).unwrap();
        let query: BTreeMap<_, _> = location.query_pairs().into_owned().collect();
        let path = url::Url::parse(&query["redirect_uri"]).unwrap().path().to_owned();
        Flow { path, state: query["state"].clone(), cookies: started.cookies(), started }
    }
}

/// A flow that waits for its callback.
pub(crate) struct Flow {
    pub(crate) path: String,
    pub(crate) state: String,
    pub(crate) cookies: Vec<(String, String)>,
    pub(crate) started: Answer,
}

impl Flow {
    pub(crate) fn back(&self, parameters: &str) -> String {
        format!("{}?state={}&{parameters}", self.path, self.state)
    }
}

async fn issue(broker: &Broker, scopes: &[ApiScope]) -> String {
    let key = NewApiKey { name: "test".into(), scopes: scopes.to_vec(), expires_at: None };
    let (_, key) = broker.create_api_key_locally(&"dev".parse().unwrap(), key).await.unwrap();
    key.expose().to_owned()
}

pub(crate) fn with_cookies(request: TestRequest, cookies: &[(String, String)]) -> TestRequest {
    let line: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if line.is_empty() { request } else { request.insert_header((header::COOKIE, line.join("; "))) }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every `Set-Cookie` line.
    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        self.headers.iter().filter(|(key, _)| key == "set-cookie").map(|(_, value)| value.as_str()).collect()
    }

    /// The cookies that a browser would send from now on.
    pub(crate) fn cookies(&self) -> Vec<(String, String)> {
        let pairs = self.set_cookies().into_iter().map(|line| line.split(';').next().unwrap().split_once('=').unwrap());
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    pub(crate) fn hidden(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let rest = self.body.split(&start).nth(1).unwrap_or_else(|| panic!("no field {name} in {}", self.body));
        rest.split('"').next().unwrap().to_owned()
    }

    /// What a reader sees: the title and the words of the body, one line a block.
    pub(crate) fn text(&self) -> String {
        let title =
            self.body.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap_or_default();
        let body = self.body.split("<body").nth(1).unwrap_or_default();
        let mut text = String::new();
        for piece in body.split('<').skip(1) {
            let (tag, words) = piece.split_once('>').unwrap_or((piece, ""));
            let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap_or_default();
            let inline =
                ["a", "b", "strong", "code", "small", "span", "time", "var", "svg", "path", "br"].contains(&name);
            text.push_str(if inline { "" } else { "\n" });
            text.push_str(if words.starts_with(char::is_whitespace) { " " } else { "" });
            text.push_str(&words.split_whitespace().collect::<Vec<_>>().join(" "));
            text.push_str(if words.trim() != "" && words.ends_with(char::is_whitespace) { " " } else { "" });
        }
        let text = text.replace("&#39;", "'");
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        format!("[{}] {title}\n{}\n", self.status, lines.collect::<Vec<_>>().join("\n"))
    }
}

/// A word that is another one in each run, by what it is.
fn steady(word: &str) -> String {
    let bare = word.trim_end_matches(['.', ',']);
    let is = |shape: &str| {
        shape.len() == bare.len()
            && shape.bytes().zip(bare.bytes()).all(|(s, b)| if s == b'0' { b.is_ascii_digit() } else { s == b })
    };
    let name = match bare {
        _ if is("00:00") || is("00:00:00") => "[time]",
        _ if is("0000-00-00") => "[date]",
        _ if is("0000-00-00T00:00:00.000Z") => "[instant]",
        _ if bare.starts_with("con_") => "con_[id]",
        _ if bare.len() > 7 && bare.bytes().all(|b| b.is_ascii_digit()) => "[number]",
        _ if bare.len() == 12 && bare.bytes().all(|b| b.is_ascii_hexdigit()) => "[digest]",
        _ if bare.contains("/oauth/callback/") => {
            return bare.rsplit_once('/').map_or_else(String::new, |(path, _)| format!("{path}/[app]"));
        }
        _ => return word.to_owned(),
    };
    format!("{name}{}", &word[bare.len()..])
}

impl Answer {
    /// The text with what differs from run to run by its name.
    pub(crate) fn steady_text(&self) -> String {
        let line = |line: &str| line.split(' ').map(steady).collect::<Vec<_>>().join(" ");
        self.text().lines().map(line).collect::<Vec<_>>().join("\n")
    }
}

impl Rig {
    pub(crate) async fn sql(&self, sql: &str) {
        use sea_orm::ConnectionTrait as _;
        self.database.connect().await.execute_unprepared(sql).await.unwrap();
    }

    /// What flows and sessions leave in the database, to see whether anything was written.
    pub(crate) async fn rows(&self) -> Vec<String> {
        use sea_orm::{DbBackend, FromQueryResult as _, JsonValue, Statement};
        let side = self.database.connect().await;
        let mut rows = Vec::new();
        for table in ["connect_sessions", "authorization_attempts", "connections", "events", "api_keys", "data_keys"] {
            let query = Statement::from_string(DbBackend::Sqlite, format!("SELECT * FROM {table} ORDER BY 1"));
            let found = JsonValue::find_by_statement(query).all(&side).await.unwrap();
            rows.extend(found.into_iter().map(|row| format!("{table} {row}")));
        }
        rows
    }
}
