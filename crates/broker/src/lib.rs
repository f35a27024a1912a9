//! Use cases of the broker, one a file: what the server's routes and the worker's jobs call.
//!
//! Invariants: a secret is sealed before it reaches the store and opened only to be sent or handed out; no transaction is
//! open across an outbound call (transactions live inside the store's methods); whatever is published was committed
//! first. Deliberately absent: SQL, ciphers, status codes, and any type of the web framework.

#[macro_use]
mod known_bad;

mod accounts;
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
mod discover;
mod environments;
mod error;
mod filled_in;
mod further;
mod gauges;
mod given;
mod holds;
mod hosts;
mod idempotency;
mod key_rotation;
mod limits;
mod loaded;
mod moves;
mod page;
mod pasted;
mod reauth;
mod refresh;
mod register_client;
mod renewal;
mod restore;
mod revoke;
mod sealing;
mod spill;
mod startup;
mod sweep;
mod timeline;
mod token;
mod uses;
mod versions;
mod view;

pub use api_keys::{ApiKeyView, NewApiKey};
pub use apps::{AppInput, AppView};
pub use config::BrokerConfig;
pub use connect::{
    AppChoice, Asked, Brought, CallbackOutcome, CallbackQuery, Completion, ConnectPage, DevicePage, DeviceStep, Field,
    Handover, Link, NewSession, SessionView, Started, flow_cookie_name,
};
pub use connections::{ConnectionQuery, Import, ImportedCredentials};
pub use connectors::{ConnectorView, ManifestSource};
pub use context::Caller;
pub use customers::{CustomerInput, CustomerView};
pub use discover::{FoundMembers, Rediscovered, Rediscovery};
pub use environments::{EnvironmentInput, EnvironmentView};
pub use error::{ConnectFault, Error, Fault, Internal, Unusable};
pub use further::{FurtherTokens, KeptToken};
pub use holds::{HoldInput, HoldView};
pub use idempotency::{Begun, IdempotentRequest};
pub use key_rotation::KeyStatus;
pub use loaded::LoadedApp;
pub use mortise_connectors::diff::Change;
pub use mortise_connectors::{CredentialKind, Diagnostic, Severity, catalog, schema as connector_schema};
pub use mortise_oauth::{Carried, Credentials, FailureClass};
pub use mortise_store::{AppRate, AppRegistration, AppSettings, RegistrationMethod};
#[cfg(feature = "known-bad")]
pub use mortise_store::{Built, KnownBad};
pub use mortise_vault::{same, sha256};
pub use moves::{MoveInput, MoveOrder, MoveView};
pub use page::{Listing, PageRequest};
pub use refresh::{Apps, Beside, Cause, Ended, Engine, LateReplies, Reason, RefreshPass, Seals, Seams, core};
pub use register_client::Registration;
pub use renewal::{RefreshTokens, Renewal};
pub use restore::{Restored, Vouched};
pub use sealing::Place;
pub use spill::{Entry, Keeper, Left, MemorySpill, Recent, Spill, SpillLog, SpilledGrant, SpilledRefresh, Ticket};
pub use startup::StartError;
pub use sweep::Swept;
pub use token::{FurtherAnswer, Oauth1Answer, RefreshWish, TokenAnswer, TokenRequest};
pub use versions::VersionView;
pub use view::{ConnectionView, EventView};

use data_keys::DataKeys;
use mortise_domain::{Clock, Entropy, LeaseOwner};
use mortise_oauth::Transport;
use mortise_store::Store;
use mortise_vault::Keyring;
use std::sync::Arc;

/// What a use case may fail with.
pub type Result<T> = std::result::Result<T, Error>;

/// The broker of one process. Cheap to share: clone the `Arc` around it.
pub struct Broker {
    store: Store,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    config: BrokerConfig,
    secrets: Arc<sealing::Secrets>,
    apps: Arc<loaded::LoadedApps>,
    keys: authenticate::KeyCache,
    revoker: Arc<revoke::Revoker>,
    engine: Arc<Engine>,
    spill: Arc<dyn spill::Spill>,
    replays: spill::Replays,
    uses: uses::Uses,
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
        let data_keys = DataKeys::new(store.clone(), keyring, clock.clone(), entropy.clone());
        let secrets = Arc::new(sealing::Secrets { data_keys, entropy: entropy.clone() });
        let apps = Arc::new(loaded::LoadedApps::new(store.clone(), secrets.clone(), clock.clone(), config.clone()));
        let revoker = Arc::new(revoke::Revoker {
            store: store.clone(),
            secrets: secrets.clone(),
            apps: apps.clone(),
            transport: transport.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            owner: LeaseOwner::generate(&*clock, &*entropy),
        });
        let spill: Arc<dyn spill::Spill> =
            Arc::new(spill::SpillLog::new(config.spill_dir.clone(), clock.clone(), entropy.clone()));
        let engine = Engine::new(
            Seams {
                ledger: Arc::new(store.clone()),
                spill: spill.clone(),
                transport: transport.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
                apps: apps.clone(),
                seals: secrets.clone(),
                late: revoker.clone(),
            },
            config.clone(),
        );
        let keys = authenticate::KeyCache::new();
        Self {
            store,
            transport,
            clock,
            entropy,
            config,
            secrets,
            apps,
            keys,
            revoker,
            engine,
            spill,
            replays: spill::Replays::default(),
            uses: uses::Uses::default(),
        }
    }

    /// Lets it read `key_file` again when another process has rotated the key-encryption keys since.
    #[must_use]
    pub fn with_key_file(self, key_file: std::path::PathBuf) -> Self {
        self.secrets.data_keys.read_again_from(key_file);
        self
    }

    /// The settings it runs with.
    pub fn config(&self) -> &BrokerConfig {
        &self.config
    }

    /// What keeps its grants fresh.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// No refresh is begun after this.
    pub fn begin_drain(&self) {
        self.engine.begin_drain();
    }

    /// Whether the process is stopping.
    pub fn is_draining(&self) -> bool {
        self.engine.is_draining()
    }

    /// Waits until every refresh in flight has been answered and stored; none is begun after this.
    pub async fn drain(&self) {
        self.engine.drain().await;
    }

    /// Begins as many due refreshes as there is room for. They run on after the pass; [`Broker::drain`] waits for them.
    pub async fn refresh_due(&self) -> Result<RefreshPass> {
        self.replay_what_was_left().await?;
        self.engine.refresh_due().await
    }

    /// Returns when a refresh has landed since, or after a second.
    pub async fn wait_for_room(&self) {
        self.engine.wait_for_room().await;
    }

    /// Tries one connection of every held app whose probe is due; a success releases the app.
    pub async fn probe_held_apps(&self) -> Result<usize> {
        self.engine.probe_held_apps().await
    }

    /// Tells providers what is due to be told, a bounded batch at a time; answers how many were tried.
    pub async fn revoke_due(&self) -> Result<usize> {
        self.revoker.revoke_due().await
    }
}
