//! Where the suite runs: a ledger of some kind, and the few things that only its keeper can do.

use crate::book::Book;
use crate::world::{World, at, id};
use mortise_domain::*;
use mortise_store::memory::MemoryLedger;
use mortise_store::*;
use mortise_testkit::Backend;
use sea_orm::{ConnectionTrait as _, Statement};
use std::ops::Deref;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Clone, Copy)]
pub enum Kind {
    Database(Backend),
    Memory,
}

/// An app and its connector.
#[derive(Clone, Copy)]
pub struct Place {
    pub key: AppKey,
    pub connector: ConnectorKey,
}

pub enum Ground {
    Database(Box<World>),
    Memory { book: Book, ledger: Arc<MemoryLedger> },
}

impl Deref for Ground {
    type Target = Book;

    fn deref(&self) -> &Book {
        match self {
            Self::Database(world) => world,
            Self::Memory { book, .. } => book,
        }
    }
}

impl Ground {
    pub async fn new(kind: Kind) -> Self {
        let backend = match kind {
            Kind::Database(backend) => backend,
            Kind::Memory => return Self::in_memory(),
        };
        Self::Database(Box::new(World::new(backend).await))
    }

    fn in_memory() -> Self {
        let ledger = Arc::new(MemoryLedger::new(Arc::new(SystemClock::new())));
        let (env, app_key, customer_key) = (id!(EnvironmentKey), id!(AppKey), id!(CustomerKey));
        let provider_key = id!(ConnectorKey);
        ledger.add_app(app_key, provider_key);
        ledger.add_customer(customer_key);
        Self::Memory { book: Book { ledger: ledger.clone(), env, app_key, provider_key, customer_key }, ledger }
    }

    /// Another environment, in which nothing of this one may be seen.
    pub async fn elsewhere(&self) -> EnvironmentKey {
        match self {
            Self::Database(world) => world.elsewhere().await,
            Self::Memory { .. } => id!(EnvironmentKey),
        }
    }

    /// The same books as a second process sees them.
    pub async fn other_process(&self) -> Arc<dyn Ledger> {
        match self {
            Self::Database(world) => Arc::new(world.other_process().await),
            Self::Memory { ledger, .. } => ledger.clone(),
        }
    }

    /// Lets the time pass in which a connection's request may be under way.
    pub async fn end_attempt(&self, id: ConnectionId) {
        match self {
            Self::Database(world) => {
                let sql = "UPDATE connections SET attempt_deadline = 1 WHERE id = ?";
                assert_eq!(world.sql(sql, [id.as_uuid().into()]).await, 1);
            }
            Self::Memory { ledger, .. } => {
                let mut row = self.read(id).await;
                row.attempt_deadline = Some(at(1));
                ledger.insert(row);
            }
        }
    }

    /// Notes that a warning was given.
    pub async fn warn(&self, id: ConnectionId, days: i32) {
        match self {
            Self::Database(world) => {
                let sql = "UPDATE connections SET reauth_warned = ? WHERE id = ?";
                assert_eq!(world.sql(sql, [days.into(), id.as_uuid().into()]).await, 1);
            }
            Self::Memory { ledger, .. } => {
                let row = Connection { reauth_warned: Some(days), ..self.read(id).await };
                ledger.insert(row);
            }
        }
    }

    /// The app and its connector.
    pub fn app(&self) -> Place {
        Place { key: self.app_key, connector: self.provider_key }
    }

    /// Another connector with an app.
    pub async fn another_app(&self, name: &str) -> Place {
        match self {
            Self::Database(world) => {
                let app = crate::gates::another_app(world, name).await;
                Place { key: app.key, connector: app.connector }
            }
            Self::Memory { ledger, .. } => {
                let place = Place { key: id!(AppKey), connector: id!(ConnectorKey) };
                ledger.add_app(place.key, place.connector);
                place
            }
        }
    }

    /// Another app of the same connector.
    pub async fn sibling_app(&self) -> Place {
        let place = match self {
            Self::Database(world) => {
                let id = &world.app.connector_id;
                let connector = world.store.connector_get(world.env, id, None).await.unwrap().unwrap();
                let sibling = crate::world::app(&connector, "sibling");
                world.store.app_insert(&sibling).await.unwrap();
                sibling.key
            }
            Self::Memory { ledger, .. } => {
                let key = id!(AppKey);
                ledger.add_app(key, self.provider_key);
                key
            }
        };
        Place { key: place, connector: self.provider_key }
    }

    /// Another customer.
    pub async fn customer(&self, name: &str) -> CustomerKey {
        let key = id!(CustomerKey);
        match self {
            Self::Database(world) => {
                let (name, none) = (name.parse().unwrap(), serde_json::json!({}));
                world.store.customer_put(world.env, key, &name, None, &none, at(5)).await.unwrap();
            }
            Self::Memory { ledger, .. } => ledger.add_customer(key),
        }
        key
    }

    /// Notes that a token was fetched.
    pub async fn use_now(&self, id: ConnectionId) {
        match self {
            Self::Database(world) => {
                let sql = "UPDATE connections SET used_at = 1700000000000 WHERE id = ?";
                assert_eq!(world.sql(sql, [id.as_uuid().into()]).await, 1);
            }
            Self::Memory { ledger, .. } => {
                ledger.insert(Connection { used_at: Some(at(1_700_000_000_000)), ..self.read(id).await });
            }
        }
    }

    /// Lets lease and attempt of a connection be over.
    pub async fn lapse(&self, id: ConnectionId) {
        match self {
            Self::Database(world) => {
                let sql = "UPDATE connections SET lease_until = 1, attempt_deadline = 1 WHERE id = ?";
                assert_eq!(world.sql(sql, [id.as_uuid().into()]).await, 1);
            }
            Self::Memory { ledger, .. } => {
                let (lease_until, attempt_deadline) = (Some(at(1)), Some(at(1)));
                ledger.insert(Connection { lease_until, attempt_deadline, ..self.read(id).await });
            }
        }
    }

    /// Lets what gates wait for be over.
    pub async fn wait_is_over(&self) {
        match self {
            Self::Database(world) => crate::gates::wait_is_over(world).await,
            Self::Memory { ledger, .. } => {
                for mut gate in ledger.gates().await.unwrap() {
                    let over = |at: &mut Option<Timestamp>| *at = at.and(Some(crate::world::at(1)));
                    over(&mut gate.breaker.next_probe_at);
                    over(&mut gate.closed_until);
                    over(&mut gate.retries.floor_at);
                    ledger.insert_gate(&gate);
                }
            }
        }
    }

    /// The queued revocations.
    pub async fn queued(&self) -> Vec<RevocationId> {
        match self {
            Self::Database(world) => {
                let db = world.store.connection();
                let sql = "SELECT id FROM revocations ORDER BY id";
                let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
                rows.iter().map(|row| RevocationId::from_uuid(row.try_get::<Uuid>("", "id").unwrap())).collect()
            }
            Self::Memory { ledger, .. } => ledger.revocations().iter().map(|queued| queued.id).collect(),
        }
    }

    /// Why the app is held.
    pub async fn held_reason(&self) -> Option<String> {
        match self {
            Self::Database(world) => world.store.app_by_key(self.app_key).await.unwrap().unwrap().held_reason,
            Self::Memory { ledger, .. } => ledger.held_reason(self.app_key),
        }
    }
}
