//! What every row is played on: a server over PostgreSQL, connections that were brought along, and a hand on the database.

use super::hands::soon;
use super::story::Story;
use crate::gate::Gate;
use crate::site::Site;
use crate::world::World;
use crate::world::api::{Api, app_id};
use crate::world::provider::CLIENT_ID;
use mortise_domain::{Clock as _, SystemClock};
use mortise_sandbox::{FamilyId, NewGrants, RecoveryClass, SeededGrant, TokenId};
use mortise_testkit::faults::FaultProxy;
use mortise_testkit::{Backend, Launch, Process, ports};
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::task::JoinSet;
use url::Url;

pub const ALL: [RecoveryClass; 6] =
    [RecoveryClass::N, RecoveryClass::M, RecoveryClass::G, RecoveryClass::U, RecoveryClass::S, RecoveryClass::F];

/// Commits of claims stand here while it is locked.
const CLAIMS: &str = "
    CREATE FUNCTION claims() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7462); RETURN NEW; END $$;
    CREATE CONSTRAINT TRIGGER claims AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.kind = 'refresh_started') EXECUTE FUNCTION claims();";

/// A connection with the provider's grant behind it.
#[derive(Debug, Clone)]
pub struct Made {
    pub class: RecoveryClass,
    pub id: String,
    pub family: FamilyId,
    /// The access token that it began with.
    pub root: TokenId,
}

pub struct Stage {
    pub world: World,
    pub site: Site,
    /// Commits of pairs wait here while it is closed.
    pub gate: Gate,
    pub story: Story,
    /// To the token endpoints of the sandbox.
    pub wire: FaultProxy,
    pub(super) side: DatabaseConnection,
    customers: usize,
}

impl Stage {
    /// Nothing runs yet. A refresh waits so many seconds for the provider at most.
    pub async fn set(deadline: u64) -> Self {
        let mut world = World::prepared(Backend::Postgres, "dev").await;
        world.set("MORTISE_REFRESH_DEADLINE", deadline.to_string());
        let side = world.database.connect().await;
        side.execute_unprepared(CLAIMS).await.unwrap();
        let gate = Gate::build(world.database.connect().await).await;
        let story = Story::new(world.api.clone());
        let wire = FaultProxy::to(world.provider.sandbox.addr()).await;
        Self { world, site: Site::new(), gate, story, wire, side, customers: 0 }
    }

    /// A server serves, and these classes' providers are known, with their token endpoints at the far end of the wire.
    pub async fn serving(deadline: u64, classes: &[RecoveryClass]) -> Self {
        let mut stage = Self::set(deadline).await;
        stage.world.serve().await;
        for class in classes {
            let url = format!("{}/{class}/token", stage.wire.base());
            let over_the_wire = |manifest: &mut Value| manifest["auth"]["token_url"] = json!(url);
            stage.world.api.register_changed(&stage.world.provider, *class, over_the_wire).await;
            stage.world.provider.lifetime(*class, 3600);
        }
        stage
    }

    /// One connection of each class, in the order given.
    pub async fn one_each(&mut self, classes: &[RecoveryClass]) -> Vec<Made> {
        let mut all = Vec::new();
        for class in classes {
            all.extend(self.import(*class, 1).await);
        }
        all
    }

    /// Grants of the sandbox, brought along as from another broker, each for a customer of its own. None is due yet.
    pub async fn import(&mut self, class: RecoveryClass, count: usize) -> Vec<Made> {
        let order = json!({"class": class, "client_id": CLIENT_ID, "count": count, "scope": "profile contacts.read"});
        let order: NewGrants = serde_json::from_value(order).unwrap();
        let mut made: Vec<Made> = Vec::new();
        let mut grants = self.world.provider.sandbox.grant(&order).unwrap().into_iter();
        loop {
            let mut some = JoinSet::new();
            for grant in grants.by_ref().take(8) {
                self.customers += 1;
                some.spawn(take_over(self.world.api.clone(), format!("customer-{}", self.customers), class, grant));
            }
            if some.is_empty() {
                self.gate.put_off(made.iter().map(|made| &made.id)).await;
                self.story.knows(&made);
                return made;
            }
            made.extend(some.join_all().await);
        }
    }

    /// A worker of this name, which its spill folder and PostgreSQL know too.
    pub fn worker(&self, name: &str) -> Process {
        self.site.worker(&self.world, name)
    }

    /// The same, to be changed before it starts.
    pub fn launch(&self, name: &str) -> Launch {
        self.site.launch(&self.world, name, &["worker"])
    }

    /// Another server beside the first.
    pub async fn server(&self, name: &str) -> (Process, Api) {
        self.server_with(name, |launch| launch).await
    }

    /// The same, changed before it starts.
    pub async fn server_with(&self, name: &str, change: impl FnOnce(Launch) -> Launch) -> (Process, Api) {
        let listen = format!("127.0.0.1:{}", ports::free().unwrap());
        let base = format!("http://{listen}");
        let launch = self.site.launch(&self.world, name, &["serve"]).env("MORTISE_LISTEN", listen);
        let mut process = change(launch).start();
        process.ready(&format!("{base}/readyz"), crate::world::START).await;
        let mut api = Api::new(base);
        api.use_key(self.world.api.key().to_owned());
        (process, api)
    }

    /// A wire to this row's database, and the URL that leads over it.
    pub async fn database_wire(&self) -> (FaultProxy, String) {
        let mut url = Url::parse(self.world.database.url()).unwrap();
        let target = (url.host_str().unwrap().to_owned(), url.port().unwrap());
        let target = tokio::net::lookup_host(target).await.unwrap().next().unwrap();
        let wire = FaultProxy::to(target).await;
        url.set_ip_host(wire.addr().ip()).unwrap();
        url.set_port(Some(wire.addr().port())).unwrap();
        (wire, url.to_string())
    }

    /// Ends the row: nobody is at anything, the processes end well, and the history holds.
    pub async fn end(self) {
        self.at_rest().await;
        self.story.judge(&self.world.provider).await;
        self.world.end().await;
    }

    /// The same where the lines are dated by a clock that was wrong, or some of them are gone: there only the provider's
    /// word counts.
    pub async fn end_without_history(self) {
        self.at_rest().await;
        let totals = self.world.provider.sandbox.totals();
        assert_eq!((totals.reuse_events, totals.overlaps, totals.in_flight), (0, 0, 0), "{totals:?}");
        self.world.end().await;
    }

    async fn at_rest(&self) {
        soon("nobody is at a connection", async || self.gate.taken().await == 0).await;
    }
}

/// Makes a connection of a grant that the sandbox gave without being asked for consent.
async fn take_over(api: Api, customer: String, class: RecoveryClass, grant: SeededGrant) -> Made {
    api.put_customer(&customer).await;
    let tokens = json!({
        "access_token": grant.access_token.expose(),
        "refresh_token": grant.refresh_token.as_ref().unwrap().expose(),
        "expires_at": SystemClock::new().now() + Duration::from_secs(grant.expires_in.into()),
    });
    let body = json!({"customer": customer, "app": app_id(class), "credentials": tokens});
    let view = api.post("/connections", &body).await.expect(201).json();
    let root = TokenId::of(grant.access_token.expose());
    Made { class, id: view["id"].as_str().unwrap().to_owned(), family: grant.family, root }
}
