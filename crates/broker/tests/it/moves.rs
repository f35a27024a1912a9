//! Moves over a real database, with a provider that answers by where it is asked.

mod begin;

use crate::bench::{Bench, broker, tokens};
use async_trait::async_trait;
use mortise_broker::{
    Broker, Credentials, CustomerInput, Error, Import, ImportedCredentials, ManifestSource, MoveInput, MoveOrder,
    MoveView,
};
use mortise_domain::*;
use mortise_oauth::{Outbound, Reply, SendError, Transport};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A provider whose paths behave as they are called, and which remembers where it was asked.
#[derive(Default)]
struct Acme {
    issued: AtomicU32,
    asked: Mutex<BTreeMap<String, u32>>,
}

impl Acme {
    fn asked(&self, path: &str) -> u32 {
        self.asked.lock().unwrap().get(path).copied().unwrap_or_default()
    }
}

#[async_trait]
impl Transport for Acme {
    async fn send(&self, request: Outbound) -> Result<Reply, SendError> {
        *self.asked.lock().unwrap().entry(request.url.path().to_owned()).or_default() += 1;
        let (status, answer) = match request.url.path() {
            "/token" | "/new" => (200, tokens(100 + self.issued.fetch_add(1, Ordering::SeqCst))),
            "/refuses-grants" => (400, json!({"error": "invalid_grant", "error_description": "never heard of it"})),
            "/ends-grants" => (400, json!({"error": "grant_gone"})),
            "/refuses-clients" => (401, json!({"error": "invalid_client"})),
            _ => (404, json!({"error": "not_found"})),
        };
        Ok(Reply::new(status, Some("application/json"), answer.to_string()))
    }
}

/// The connection of a customer of its own.
async fn import(bench: &Bench, number: u32) -> ConnectionId {
    let customer: CustomerId = format!("c{number}").parse().unwrap();
    bench.broker.put_customer(&bench.caller, &customer, CustomerInput::default()).await.unwrap();
    let credentials = ImportedCredentials {
        access_token: Some(AccessToken::new(format!("at-{number}"))),
        refresh_token: Some(RefreshToken::new(format!("rt-{number}"))),
        expires_at: Some(SystemClock::new().now() + Duration::from_secs(3600)),
        scopes: None,
        pasted: Credentials::new(),
    };
    let import = Import { customer, app: app(), variables: BTreeMap::new(), credentials: Some(credentials) };
    bench.broker.import_connection(&bench.caller, import).await.unwrap().id
}

struct Moving {
    bench: Bench,
    provider: Arc<Acme>,
    connections: Vec<ConnectionId>,
}

/// So many connections, of which a fifth goes first, and no pause.
fn terms() -> MoveTerms {
    MoveTerms { canary_percent: 20, minimum_sample: 20, batch_size: 3, batch_interval: 0, ..MoveTerms::default() }
}

fn input() -> MoveInput {
    MoveInput { app: app(), to_version: None, terms: terms(), client_secret: None, accept_hosts: BTreeSet::new() }
}

fn app() -> AppId {
    "acme".parse().unwrap()
}

impl Moving {
    /// Ten connections, and a second version of their connector in which refreshes go to `path`.
    async fn new(path: &str) -> Self {
        let moving = Self::connected(10).await;
        moving.version(&format!("  refresh_url: https://acme.example{path}\n")).await;
        moving
    }

    async fn connected(count: u32) -> Self {
        let bench = Bench::with("  refresh_errors: {permanent: [grant_gone]}\n").await;
        let mut connections = Vec::new();
        for number in 1..=count {
            connections.push(import(&bench, number).await);
        }
        Self { bench, provider: Arc::new(Acme::default()), connections }
    }

    async fn version(&self, auth: &str) -> i32 {
        let manifest = format!(
            "id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: authorization_code\n  \
             authorization_url: https://acme.example/authorize\n  token_url: https://acme.example/token\n  \
             revocation_url: https://acme.example/revoke\n  refresh_errors: {{permanent: [grant_gone]}}\n{auth}"
        );
        let id = "acme".parse().unwrap();
        let source = ManifestSource::Text(manifest);
        self.bench.broker.update_connector(&self.bench.caller, &id, source).await.unwrap().version
    }

    async fn begin(&self, input: MoveInput) -> MoveView {
        self.bench.broker.create_move(&self.bench.caller, input).await.unwrap()
    }

    async fn read(&self, id: MoveId) -> MoveView {
        self.bench.broker.get_move(&self.bench.caller, id).await.unwrap()
    }

    async fn order(&self, id: MoveId, order: MoveOrder) -> Result<MoveView, Error> {
        self.bench.broker.order_move(&self.bench.caller, id, order).await
    }

    /// A process that has just started and knows nothing but the database.
    async fn worker(&self) -> Arc<Broker> {
        broker(&self.bench.database, self.bench.folder.path(), self.provider.clone()).await
    }

    /// One tick of the job that moves, by a fresh process.
    async fn tick(&self) -> usize {
        self.worker().await.move_connections().await.unwrap()
    }

    /// Every connection that is to be renewed is.
    async fn renew(&self) {
        self.bench.make_due().await;
        // A process that has just started sends a provider that it does not know yet only a few requests at once.
        while self.bench.work_by(self.worker().await).await > 0 {}
    }

    /// Moves and renews in turn, each time by other processes, until the move has ended.
    async fn until_it_ends(&self, id: MoveId) -> MoveView {
        for _ in 0..20 {
            self.tick().await;
            let view = self.read(id).await;
            if view.finished_at.is_some() {
                return view;
            }
            self.renew().await;
        }
        panic!("it does not end: {:?}", self.read(id).await);
    }

    async fn versions(&self) -> BTreeMap<i32, usize> {
        let mut versions = BTreeMap::new();
        for id in &self.connections {
            *versions.entry(self.bench.view(*id).await.connector_version).or_default() += 1;
        }
        versions
    }

    /// Every connection is in its first version, renews there, and has lost nothing.
    async fn nothing_is_lost(&self) {
        assert_eq!(self.versions().await, BTreeMap::from([(1, self.connections.len())]));
        let before = self.provider.asked("/token");
        // A second round after the provider's gates have opened again.
        for _ in 0..3 {
            self.bench.sql("UPDATE gates SET closed_until = NULL, failures = 0, next_probe_at = NULL").await;
            self.renew().await;
        }
        assert!(self.provider.asked("/token") >= before + self.connections.len() as u32);
        for id in &self.connections {
            let view = self.bench.view(*id).await;
            assert_eq!((view.state, view.failures, &view.last_error), (ConnectionState::Active, 0, &None), "{view:?}");
            assert_eq!(self.bench.events(*id).await.last(), Some(&EventKind::Refreshed));
        }
    }

    async fn app_version(&self) -> i32 {
        self.bench.broker.app(&self.bench.caller, &app()).await.unwrap().connector_version
    }
}

#[tokio::test]
async fn a_good_version_takes_everybody_along() {
    let moving = Moving::new("/new").await;
    let terms = MoveTerms { retire_when_done: true, ..terms() };
    // What was imported is spread by chance.
    moving.bench.sql("UPDATE connections SET next_refresh_at = expires_at").await;
    let begun = moving.begin(MoveInput { terms, ..input() }).await;
    assert_eq!((begun.from_version, begun.to_version, begun.canary), (1, 2, 2));
    assert_eq!(moving.tick().await, 1);
    assert_eq!(moving.versions().await, BTreeMap::from([(1, 8), (2, 2)]), "no more than the first ones");
    assert_eq!((moving.tick().await, moving.app_version().await), (0, 1), "nothing is known of them yet");
    let mut soon = 0;
    for id in &moving.connections {
        let due = moving.bench.view(*id).await.next_refresh_at.unwrap();
        soon += usize::from(due < SystemClock::new().now() + Duration::from_secs(16));
    }
    assert_eq!(soon, 2, "the first ones are renewed at once, and no others");

    let ended = moving.until_it_ends(begun.id).await;
    assert_eq!((ended.state, ended.reason), (MoveState::Completed, None));
    assert_eq!((ended.known.moved, ended.known.remaining, ended.known.failed), (10, 0, 0));
    assert_eq!(moving.versions().await, BTreeMap::from([(2, 10)]));
    assert_eq!(moving.app_version().await, 2);
    moving.renew().await;
    assert!(moving.provider.asked("/new") >= 10);
    let uses = moving.bench.broker.connector_versions(&moving.bench.caller, &"acme".parse().unwrap()).await.unwrap();
    let uses: Vec<_> = uses.iter().map(|v| (v.version, v.apps, v.connections, v.retired_at.is_some())).collect();
    assert_eq!(uses, [(2, 1, 10, false), (1, 0, 0, true)]);
}

/// Whatever is wrong with a version: what was moved is back, and renews as before, without anybody having been asked.
#[tokio::test]
async fn a_bad_version_is_taken_back_and_nothing_is_lost() {
    for (path, reason) in [
        ("/gone", MoveReason::ErrorRate),
        ("/refuses-grants", MoveReason::ErrorRate),
        ("/ends-grants", MoveReason::ErrorRate),
        ("/refuses-clients", MoveReason::AppHeld),
    ] {
        let moving = Moving::new(path).await;
        let begun = moving.begin(input()).await;
        let ended = moving.until_it_ends(begun.id).await;
        assert_eq!((ended.state, ended.reason), (MoveState::RolledBack, Some(reason)), "{path}: {ended:?}");
        assert_eq!((ended.known.returned, ended.known.moved), (2, 0), "{path}");
        assert_eq!(moving.app_version().await, 1, "{path}");
        if reason == MoveReason::AppHeld {
            moving.bench.sql("UPDATE apps SET next_probe_at = 1").await;
            moving.bench.make_due().await;
            let worker = moving.worker().await;
            worker.probe_held_apps().await.unwrap();
            worker.drain().await;
        }
        let asked = moving.provider.asked(path);
        moving.nothing_is_lost().await;
        assert_eq!(moving.provider.asked(path), asked, "{path}: it is still asked");
    }
}

/// The customer was to be asked for a new consent, because the new version's refresh endpoint said so: not any more.
#[tokio::test]
async fn a_grant_that_the_new_version_gave_up_is_served_again() {
    let moving = Moving::new("/ends-grants").await;
    let begun = moving.begin(input()).await;
    moving.tick().await;
    moving.renew().await;
    let mut given_up = Vec::new();
    for id in &moving.connections {
        if moving.bench.view(*id).await.state == ConnectionState::NeedsReauth {
            given_up.push(*id);
        }
    }
    assert_eq!(given_up.len(), 2);
    assert_eq!(moving.until_it_ends(begun.id).await.state, MoveState::RolledBack);
    let view = moving.bench.view(given_up[0]).await;
    assert_eq!((view.state, view.state_reason), (ConnectionState::Active, StateReason::MoveRolledBack));
    moving.bench.token(given_up[0], None).await.unwrap();
    let told = moving.bench.events(given_up[0]).await;
    assert_eq!(told.iter().filter(|kind| **kind == EventKind::Moved).count(), 2, "{told:?}");
}

/// One that fails later, when others have followed: all of them go back, those that are good too.
#[tokio::test]
async fn trouble_after_the_first_ones_takes_everything_back() {
    let moving = Moving::new("/new").await;
    let begun = moving.begin(MoveInput { terms: MoveTerms { batch_interval: 3600, ..terms() }, ..input() }).await;
    moving.tick().await;
    moving.renew().await;
    assert_eq!(moving.tick().await, 1);
    assert_eq!(moving.read(begun.id).await.stage, MoveStage::Rest);
    moving.bench.sql("UPDATE moves SET moved_at = 1").await;
    moving.tick().await;
    assert_eq!(moving.versions().await, BTreeMap::from([(1, 5), (2, 5)]));
    assert_eq!(moving.tick().await, 0, "the next batch has time");
    moving.bench.sql("UPDATE connections SET failures = 3 WHERE connector_version = 2").await;
    moving.tick().await;
    let ended = moving.read(begun.id).await;
    assert_eq!((ended.state, ended.known.returned), (MoveState::RolledBack, 5));
    moving.nothing_is_lost().await;
}

#[tokio::test]
async fn an_admin_has_the_last_word() {
    let moving = Moving::new("/new").await;
    let begun = moving.begin(input()).await;
    assert!(matches!(moving.bench.broker.create_move(&moving.bench.caller, input()).await, Err(Error::InUse { .. })));
    let paused = moving.order(begun.id, MoveOrder::Pause).await.unwrap();
    assert_eq!((paused.state, paused.reason), (MoveState::Paused, Some(MoveReason::Requested)));
    assert_eq!((moving.tick().await, moving.versions().await), (0, BTreeMap::from([(1, 10)])));
    moving.order(begun.id, MoveOrder::Pause).await.unwrap();
    let resumed = moving.order(begun.id, MoveOrder::Resume).await.unwrap();
    assert_eq!((resumed.state, resumed.stage), (MoveState::Running, MoveStage::Canary), "it goes on where it was");
    moving.tick().await;
    moving.order(begun.id, MoveOrder::RollBack).await.unwrap();
    assert!(matches!(moving.order(begun.id, MoveOrder::Resume).await, Err(Error::InUse { .. })));
    moving.tick().await;
    assert_eq!(moving.read(begun.id).await.state, MoveState::RolledBack);
    assert!(matches!(moving.order(begun.id, MoveOrder::Pause).await, Err(Error::InUse { .. })));
    moving.nothing_is_lost().await;
}

/// The provider has nothing to renew for a day: somebody decides.
#[tokio::test]
async fn too_little_evidence_is_no_evidence() {
    let moving = Moving::new("/new").await;
    let begun = moving.begin(input()).await;
    moving.tick().await;
    moving.bench.sql("UPDATE moves SET stage_since = 1").await;
    moving.tick().await;
    let paused = moving.read(begun.id).await;
    assert_eq!((paused.state, paused.reason), (MoveState::Paused, Some(MoveReason::TooLittleEvidence)));
    let resumed = moving.order(begun.id, MoveOrder::Resume).await.unwrap();
    assert_eq!((resumed.state, resumed.stage), (MoveState::Running, MoveStage::Rest));
    assert_eq!(moving.until_it_ends(begun.id).await.state, MoveState::Completed);
}

/// A provider's outage hits both versions alike, and is not held against the new one.
#[tokio::test]
async fn an_outage_is_nobodys_fault() {
    let moving = Moving::new("/new").await;
    let begun = moving.begin(input()).await;
    moving.tick().await;
    let soon = SystemClock::new().now().timestamp_millis() + 60_000;
    moving.bench.sql(&format!("UPDATE connections SET failures = 4, updated_at = {soon}")).await;
    assert_eq!(moving.tick().await, 0, "the first ones fail, and so do all others");
    let view = moving.read(begun.id).await;
    assert_eq!((view.state, view.known.failed, view.known.others_failed), (MoveState::Running, 2, 8), "{view:?}");
    assert_eq!(moving.until_it_ends(begun.id).await.state, MoveState::Completed, "it is over");
}

/// Whose client was refused already is not held against a move that began after that.
#[tokio::test]
async fn a_client_that_was_refused_before_says_nothing_of_the_new_version() {
    let moving = Moving::new("/new").await;
    let begun = moving.begin(input()).await;
    moving.tick().await;
    let held = async |since: i64| {
        moving.bench.sql(&format!("UPDATE apps SET state = 'held', held_since = {since}")).await;
        moving.tick().await;
        let view = moving.read(begun.id).await;
        (view.state, view.reason)
    };
    assert_eq!(held(1).await, (MoveState::Running, None));
    let now = SystemClock::new().now().timestamp_millis();
    assert_eq!(held(now).await, (MoveState::RolledBack, Some(MoveReason::AppHeld)));
}

/// A renewal before its time tells something soon, and is not for every provider.
#[tokio::test]
async fn the_first_ones_are_renewed_early_where_that_is_wanted_and_allowed() {
    for (auth, renew_canary, expected) in [
        ("", true, 2),
        ("", false, 0),
        ("  refresh_window: 300\n", true, 0),
        ("  mint_rate: {requests: 5, seconds: 60}\n", true, 0),
    ] {
        let moving = Moving::connected(10).await;
        moving.version(&format!("  refresh_url: https://acme.example/new\n{auth}")).await;
        moving.bench.sql("UPDATE connections SET next_refresh_at = expires_at").await;
        moving.begin(MoveInput { terms: MoveTerms { renew_canary, ..terms() }, ..input() }).await;
        moving.tick().await;
        let mut soon = 0;
        for id in &moving.connections {
            let due = moving.bench.view(*id).await.next_refresh_at.unwrap();
            soon += usize::from(due < SystemClock::new().now() + Duration::from_secs(16));
        }
        assert_eq!(soon, expected, "{auth} {renew_canary}");
        assert_eq!(moving.versions().await, BTreeMap::from([(1, 8), (2, 2)]));
    }
}
