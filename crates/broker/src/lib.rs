//! Use cases of the broker, one a file: what the server's routes and the worker's jobs call.
//!
//! Invariants: a secret is sealed before it reaches the store and opened only to be sent or handed out; no transaction is
//! open across an outbound call (transactions live inside the store's methods); whatever is published was committed
//! first. Deliberately absent: SQL, ciphers, status codes, and any type of the web framework.

mod api_keys;
mod apps;
mod authenticate;
mod config;
mod connect;
mod connections;
mod connectors;
mod console;
mod context;
mod customers;
mod data_keys;
mod environments;
mod error;
mod idempotency;
mod key_rotation;
mod loaded;
mod page;
mod refresh;
mod revoke;
mod sealing;
mod spill;
mod startup;
mod sweep;
mod token;
mod view;

pub use api_keys::{ApiKeyView, NewApiKey};
pub use apps::{AppInput, AppView};
pub use config::BrokerConfig;
pub use connect::{
    AppChoice, CallbackOutcome, CallbackQuery, Completion, ConnectPage, Field, Link, NewSession, SessionView, Started,
    flow_cookie_name,
};
pub use connections::{ConnectionQuery, Import, ImportedCredentials};
pub use connectors::{ConnectorView, ManifestSource};
pub use context::Caller;
pub use customers::{CustomerInput, CustomerView};
pub use environments::{EnvironmentInput, EnvironmentView};
pub use error::{ConnectFault, Error, Fault, Internal, Unusable};
pub use idempotency::{Begun, IdempotentRequest};
pub use key_rotation::KeyStatus;
pub use mortise_connectors::{Diagnostic, Severity, catalog};
pub use mortise_oauth::FailureClass;
pub use mortise_store::AppSettings;
pub use mortise_vault::{same, sha256};
pub use page::{Listing, PageRequest};
pub use refresh::{Reason, RefreshPass};
pub use startup::StartError;
pub use sweep::Swept;
pub use token::{TokenAnswer, TokenRequest};
pub use view::{ConnectionView, EventView};

use data_keys::DataKeys;
use mortise_domain::{Clock, Entropy, LeaseOwner};
use mortise_oauth::Transport;
use mortise_store::Store;
use mortise_vault::Keyring;
use std::sync::Arc;
use tokio_util::task::TaskTracker;

/// What a use case may fail with.
pub type Result<T> = std::result::Result<T, Error>;

/// The broker of one process. Cheap to share: clone the `Arc` around it.
pub struct Broker {
    store: Store,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    config: BrokerConfig,
    owner: LeaseOwner,
    data_keys: DataKeys,
    apps: loaded::AppCache,
    keys: authenticate::KeyCache,
    flights: refresh::Flights,
    outage: refresh::Outage,
    spill: spill::Spill,
    tasks: TaskTracker,
    runtime: tokio::runtime::Handle,
}

impl Broker {
    /// A broker over its seams, inside the runtime that its refreshes shall run on. Opens nothing and writes nothing;
    /// [`Broker::check`] does the checks of a start.
    pub fn new(
        store: Store,
        keyring: Keyring,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        config: BrokerConfig,
    ) -> Self {
        Self {
            data_keys: DataKeys::new(store.clone(), keyring, clock.clone(), entropy.clone()),
            apps: loaded::AppCache::new(),
            keys: authenticate::KeyCache::new(),
            flights: refresh::Flights::default(),
            outage: refresh::Outage::default(),
            spill: spill::Spill::new(config.spill_dir.clone()),
            owner: LeaseOwner::generate(&*clock, &*entropy),
            tasks: TaskTracker::new(),
            // The web framework's threads have runtimes of their own, which end before the last refresh may.
            runtime: tokio::runtime::Handle::current(),
            store,
            transport,
            clock,
            entropy,
            config,
        }
    }

    /// Lets it read `key_file` again when another process has rotated the key-encryption keys since.
    #[must_use]
    pub fn with_key_file(mut self, key_file: std::path::PathBuf) -> Self {
        self.data_keys.read_again_from(key_file);
        self
    }

    /// The settings it runs with.
    pub fn config(&self) -> &BrokerConfig {
        &self.config
    }

    /// No refresh is begun after this.
    pub fn begin_drain(&self) {
        self.flights.close();
    }

    /// Whether the process is stopping.
    pub fn is_draining(&self) -> bool {
        self.flights.is_closed()
    }

    /// Waits until every refresh in flight has been answered and stored; none is begun after this.
    pub async fn drain(&self) {
        self.begin_drain();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
