//! A database and books in memory that are told the same.

use super::blur::{Blur, Compared, same};
use super::moves::{APPS, Due, SLOTS, Wrong};
use crate::world::{World, app, at, connector, id};
use mortise_domain::gate::{Gate, GateId};
use mortise_domain::*;
use mortise_store::memory::MemoryLedger;
use mortise_store::*;
use mortise_testkit::Backend;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::json;
use std::sync::Arc;

/// What all sequences share: a database with two apps in it.
pub struct Fixture {
    pub world: World,
    pub store: Store,
    pub apps: [AppKey; APPS],
    pub providers: [ConnectorKey; APPS],
    pub customers: [CustomerKey; 2],
    pub elsewhere: EnvironmentKey,
    pub blur: Blur,
}

impl Fixture {
    pub async fn new(backend: Backend) -> Self {
        let world = World::new(backend).await;
        let second = connector(world.env, "second");
        world.store.connector_insert(&second).await.unwrap();
        let second = app(&second, "second-app");
        world.store.app_insert(&second).await.unwrap();
        let store = Store::connect(world.database.url(), 1).await.unwrap();
        if backend == Backend::Sqlite {
            // Thousands of writes that need not outlive a power cut.
            store.connection().execute_unprepared("PRAGMA synchronous = OFF").await.unwrap();
        }
        let (apps, elsewhere) = ([world.app.key, second.key], world.elsewhere().await);
        let providers = [world.app.connector, second.connector];
        let (sam, none): (CustomerId, _) = ("sam".parse().unwrap(), json!({}));
        let sam = world.store.customer_put(world.env, id!(CustomerKey), &sam, None, &none, at(5)).await.unwrap().0.key;
        let customers = [world.customer.key, sam];
        Self { world, store, apps, providers, customers, elsewhere, blur: Blur::new() }
    }

    /// Runs a statement from outside the program.
    pub async fn sql(&self, sql: &str) {
        let db = self.store.connection();
        db.execute_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    }
}

pub struct Pair<'a> {
    pub fixture: &'a Fixture,
    pub store: &'a dyn Ledger,
    pub memory: MemoryLedger,
    pub slots: [ConnectionId; SLOTS],
    /// Every claim that was ever made.
    pub claims: Vec<Claimed>,
    /// The last grant that was stored for each connection.
    pub grants: [Option<NewGrant>; SLOTS],
    turn: i64,
}

impl<'a> Pair<'a> {
    pub async fn new(fixture: &'a Fixture) -> Self {
        for table in ["revocations", "events", "connections", "gates"] {
            fixture.sql(&format!("DELETE FROM {table}")).await;
        }
        let memory = MemoryLedger::new(Arc::new(SystemClock::new()));
        fixture.customers.into_iter().for_each(|customer| memory.add_customer(customer));
        for (app, provider) in fixture.apps.into_iter().zip(fixture.providers) {
            fixture.store.app_release(app).await.unwrap();
            memory.add_app(app, provider);
        }
        let slots = std::array::from_fn(|_| id!(ConnectionId));
        Self { fixture, store: &fixture.store, memory, slots, claims: Vec::new(), grants: Default::default(), turn: 0 }
    }

    /// A time long ago that is no other's.
    pub fn then(&mut self) -> Timestamp {
        self.turn += 1;
        at(1_600_000_000_000 + self.turn)
    }

    pub fn due(&mut self, due: Due) -> Option<Timestamp> {
        match due {
            Due::Never => None,
            Due::Past => Some(self.then()),
            Due::Future => Some(at(4_000_000_000_000)),
        }
    }

    pub fn row(&self, slot: usize) -> Option<Connection> {
        self.memory.rows().into_iter().find(|row| row.id == self.slots[slot])
    }

    pub fn env(&self, wrong: Wrong) -> EnvironmentKey {
        if wrong == Wrong::Environment { self.fixture.elsewhere } else { self.fixture.world.env }
    }

    pub fn gate(&self, (provider, which): (bool, usize)) -> GateId {
        if provider { GateId::Provider(self.fixture.providers[which]) } else { GateId::App(self.fixture.apps[which]) }
    }

    pub fn event(&mut self, of: ConnectionId, kind: EventKind, wrong: Wrong) -> NewEvent {
        // A claim's line has another id in each of the books.
        let mut lines = self.memory.events(of).unwrap();
        lines.retain(|line| line.kind != EventKind::RefreshStarted);
        let taken = lines.pop().filter(|_| wrong == Wrong::Event);
        let at = self.then();
        NewEvent { id: taken.map_or_else(|| id!(EventId), |event| event.id), kind, at, detail: json!({"n": self.turn}) }
    }

    /// Whether the rows and the gates are the same.
    pub async fn compare_rows(&self) -> Compared {
        let (store, blur) = (&self.fixture.store, &self.fixture.blur);
        let mut rows = Vec::new();
        for env in [self.fixture.world.env, self.fixture.elsewhere] {
            let page = Page { limit: 100, after: None };
            rows.extend(store.connection_list(env, &ConnectionFilter::default(), page).await.unwrap().0);
        }
        rows.sort_by_key(|row| row.id);
        let blurred = |rows: Vec<Connection>| rows.into_iter().map(|row| blur.row(row)).collect::<Vec<_>>();
        same(Ok(blurred(rows)), Ok(blurred(self.memory.rows())))?;
        let gates = |told: Result<Vec<Gate>>| {
            told.map(|mut gates| {
                gates.sort_by_key(|gate| gate.id);
                gates.into_iter().map(|gate| blur.gate(gate)).collect::<Vec<_>>()
            })
        };
        same(gates(self.store.gates().await), gates(self.memory.gates().await)).map(drop)
    }

    /// Whether everything else is.
    pub async fn compare_all(&self) -> Compared {
        let blur = &self.fixture.blur;
        for id in self.slots {
            for env in [self.fixture.world.env, self.fixture.elsewhere] {
                let row = (self.store.connection_get(env, id).await, self.memory.connection_get(env, id).await);
                same(row.0.map(|row| row.map(|row| blur.row(row))), row.1.map(|row| row.map(|row| blur.row(row))))?;
                let row = |told: Result<Option<TokenRow>>| told.map(|row| row.map(|row| blur.token(row)));
                let told = self.store.connection_token_row(env, id).await;
                same(row(told), row(self.memory.connection_token_row(env, id).await))?;
                let page = Page { limit: 100, after: None };
                let lines = |told: Result<(Vec<Event>, _)>| {
                    told.map(|(lines, next)| (lines.into_iter().map(|line| blur.event(line)).collect::<Vec<_>>(), next))
                };
                let told = (self.store.event_list(env, id, page).await, self.memory.event_list(env, id, page).await);
                same(lines(told.0), lines(told.1))?;
            }
        }
        let held = |told: Result<Vec<_>>| {
            told.map(|mut held| {
                held.sort();
                held
            })
        };
        same(held(self.store.apps_held().await), held(self.memory.apps_held().await))?;
        let queued = self.memory.revocations().len();
        let count = "SELECT COUNT(*) AS n FROM revocations";
        let db = self.fixture.store.connection();
        let count = db.query_one_raw(Statement::from_string(db.get_database_backend(), count)).await.unwrap().unwrap();
        same(Ok(usize::try_from(count.try_get::<i64>("", "n").unwrap()).unwrap()), Ok(queued)).map(drop)
    }
}
