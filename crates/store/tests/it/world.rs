//! A database with a connector, an app and a customer in `dev`, and makers of everything else.

use crate::book::Book;
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::{Backend, TestDatabase};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement, Value};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

pub struct World {
    pub database: TestDatabase,
    pub store: Store,
    pub env: EnvironmentKey,
    pub app: App,
    pub customer: Customer,
    book: Book,
}

impl Deref for World {
    type Target = Book;

    fn deref(&self) -> &Book {
        &self.book
    }
}

/// A fresh id of any kind, after every one before it.
macro_rules! id {
    ($kind:ty) => {
        <$kind>::generate(&crate::world::Ticks, &mortise_domain::OsEntropy)
    };
}
pub(crate) use id;

/// A clock that goes on by a millisecond whenever it is looked at: ids made in one millisecond have no order.
pub struct Ticks;

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        static NEXT: AtomicI64 = AtomicI64::new(1_700_000_000_000);
        at(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// Whole milliseconds, as they come back from a database.
pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_timestamp_millis(millis).unwrap()
}

pub fn sealed(text: &str) -> Sealed {
    Sealed::from_bytes(text.as_bytes().to_vec())
}

pub fn digest(byte: u8) -> [u8; 32] {
    [byte; 32]
}

/// A line after all that are there and before all that come. A claim dates its line by the database's clock, so this one has
/// a millisecond of its own by the same clock.
pub fn event(kind: EventKind) -> NewEvent {
    std::thread::sleep(Duration::from_millis(3));
    let id = EventId::generate_at(SystemClock::new().now() - Duration::from_millis(1), &OsEntropy);
    NewEvent { id, kind, at: at(1_700_000_000_123), detail: serde_json::Value::Null }
}

pub fn terms(owner: LeaseOwner) -> ClaimTerms {
    ClaimTerms { owner, lease: Duration::from_secs(60), attempt: Duration::from_secs(40) }
}

pub fn connector(env: EnvironmentKey, name: &str) -> Connector {
    Connector {
        key: id!(ConnectorKey),
        environment: env,
        id: name.parse().unwrap(),
        version: 1,
        digest: digest(1),
        manifest: format!("{{\"id\":\"{name}\"}}"),
        source: format!("id: {name} # ünïcödé"),
        created_at: at(1_700_000_000_001),
        retired_at: None,
    }
}

pub fn app(connector: &Connector, name: &str) -> App {
    App {
        key: id!(AppKey),
        environment: connector.environment,
        id: name.parse().unwrap(),
        connector: connector.key,
        connector_id: connector.id.clone(),
        connector_version: connector.version,
        client_id: "client".to_owned(),
        secret: Some(sealed("secret")),
        previous_secret: None,
        previous_secret_expires_at: None,
        scopes: ScopeSet::parse("read write", " "),
        settings: AppSettings { return_urls: vec!["https://a.example/back".to_owned()], ..AppSettings::default() },
        state: AppState::Active,
        held_since: None,
        held_reason: None,
        next_probe_at: None,
        revision: 1,
        created_at: at(1_700_000_000_002),
        updated_at: at(1_700_000_000_002),
        deleted_at: None,
    }
}

impl World {
    pub async fn new(backend: Backend) -> Self {
        let database = TestDatabase::create(backend).await;
        let store = Store::connect(database.url(), 8).await.unwrap();
        let env = store.environment_by_name(&"dev".parse().unwrap()).await.unwrap().unwrap().key;
        let connector = connector(env, "acme");
        store.connector_insert(&connector).await.unwrap();
        let app = app(&connector, "acme-app");
        store.app_insert(&app).await.unwrap();
        let none = serde_json::json!({});
        let kim: CustomerId = "kim".parse().unwrap();
        let customer = store.customer_put(env, id!(CustomerKey), &kim, None, &none, at(5)).await.unwrap().0;
        let ledger = Arc::new(store.clone());
        let book = Book { ledger, env, app_key: app.key, provider_key: app.connector, customer_key: customer.key };
        Self { database, store, env, app, customer, book }
    }

    /// Another environment, in which nothing of this one may be seen.
    pub async fn elsewhere(&self) -> EnvironmentKey {
        self.store.environment_by_name(&"prod".parse().unwrap()).await.unwrap().unwrap().key
    }

    /// A second process on the same database.
    pub async fn other_process(&self) -> Store {
        Store::connect(self.database.url(), 8).await.unwrap()
    }

    /// A statement from outside the program; `?` stands for a value.
    pub async fn sql(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> u64 {
        let db = self.store.connection();
        let backend = db.get_database_backend();
        let mut sql = sql.to_owned();
        if backend == DbBackend::Postgres {
            for n in 1..=sql.matches('?').count() {
                sql = sql.replacen('?', &format!("${n}"), 1);
            }
        }
        db.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await.unwrap().rows_affected()
    }
}

/// What a refresh of a claimed row brought.
pub fn result(claimed: &Claimed) -> RefreshResult {
    let row = &claimed.connection;
    RefreshResult {
        environment: row.environment,
        id: row.id,
        attempt: claimed.attempt,
        family: row.family,
        parent_generation: row.generation,
        access: sealed(&format!("access {}", row.generation + 1)),
        refresh: Some(sealed(&format!("refresh {}", row.generation + 1))),
        refreshed_at: at(1_700_000_100_000),
        expires_at: Some(at(1_700_007_200_000)),
        next_refresh_at: Some(at(4_000_000_000_000)),
        granted_scopes: None,
        grant_expires_at: None,
        refresh_idle_at: None,
        previous_refresh: None,
    }
}

pub fn failure(claimed: &Claimed) -> RefreshFailed {
    RefreshFailed {
        environment: claimed.connection.environment,
        id: claimed.connection.id,
        fence: claimed.fence,
        next_refresh_at: at(2_000),
        failures: 1,
        last_error: "timeout".to_owned(),
        doubt: Doubt::None,
        suspicions: 0,
        suspected_at: None,
    }
}

/// The end of a connection as it was read, without anything to tell its provider.
pub fn ending(row: &Connection) -> Ending {
    Ending {
        environment: row.environment,
        connection: row.id,
        family: row.family,
        generation: row.generation,
        revocations: Vec::new(),
        event: event(EventKind::Revoked),
    }
}

/// The revocation of a connection's tokens, due since 1970.
pub fn revocation(row: &Connection) -> NewRevocation {
    NewRevocation {
        id: id!(RevocationId),
        environment: row.environment,
        connection: row.id,
        app: row.app,
        connector_version: row.connector_version,
        variables: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
        refresh: Some(sealed("doomed refresh")),
        access: None,
        due_at: at(1_000),
    }
}
