//! A database with a connector, an app and a customer in `dev`, and makers of everything else.

use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::{Backend, TestDatabase};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement, Value};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

pub struct World {
    pub database: TestDatabase,
    pub store: Store,
    pub env: EnvironmentKey,
    pub app: App,
    pub customer: Customer,
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

pub fn event(kind: EventKind) -> NewEvent {
    NewEvent { id: id!(EventId), kind, at: at(1_700_000_000_123), detail: serde_json::Value::Null }
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
        settings: AppSettings { return_urls: vec!["https://a.example/back".to_owned()], variables: BTreeMap::new() },
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
        Self { database, store, env, app, customer }
    }

    /// Another environment, in which nothing of this one may be seen.
    pub async fn elsewhere(&self) -> EnvironmentKey {
        self.store.environment_by_name(&"prod".parse().unwrap()).await.unwrap().unwrap().key
    }

    /// A second process on the same database.
    pub async fn other_process(&self) -> Store {
        Store::connect(self.database.url(), 8).await.unwrap()
    }

    pub fn grant(&self, next_refresh_at: Option<Timestamp>) -> NewGrant {
        NewGrant {
            id: id!(ConnectionId),
            environment: self.env,
            customer: self.customer.key,
            app: self.app.key,
            connector_version: 1,
            reason: StateReason::Consented,
            replaces_family: None,
            generation: 1,
            access: sealed("access 1"),
            refresh: Some(sealed("refresh 1")),
            granted_at: at(1_700_000_000_100),
            expires_at: Some(at(1_700_003_600_000)),
            next_refresh_at,
            granted_scopes: None,
            requested_scopes: ScopeSet::parse("read write", " "),
            variables: BTreeMap::new(),
        }
    }

    /// A stored connection that has been due since 1970.
    pub async fn due(&self) -> Connection {
        let grant = self.grant(Some(at(1_000)));
        self.store.connection_store_grant(&grant, event(EventKind::Connected), None).await.unwrap();
        self.read(grant.id).await
    }

    pub async fn many_due(&self, count: i64) -> Vec<ConnectionId> {
        let mut ids = Vec::new();
        for n in 0..count {
            let grant = self.grant(Some(at(1_000 + n)));
            self.store.connection_store_grant(&grant, event(EventKind::Connected), None).await.unwrap();
            ids.push(grant.id);
        }
        ids
    }

    pub async fn read(&self, id: ConnectionId) -> Connection {
        self.store.connection_get(self.env, id).await.unwrap().unwrap()
    }

    pub async fn claim(&self, limit: usize) -> Vec<Claimed> {
        claim(&self.store, limit).await
    }

    pub async fn timeline(&self, id: ConnectionId) -> Vec<EventKind> {
        let page = Page { limit: 100, after: None };
        let events = self.store.event_list(self.env, id, page).await.unwrap().0;
        events.into_iter().rev().map(|event| event.kind).collect()
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

pub async fn claim(store: &Store, limit: usize) -> Vec<Claimed> {
    let terms = terms(id!(LeaseOwner));
    store.connections_claim_due(&terms, limit, &[], || id!(AttemptId), || id!(EventId)).await.unwrap()
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
    }
}
