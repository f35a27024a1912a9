//! The compose file's topology as plain processes: two servers and two workers on one PostgreSQL, and sixty connections
//! whose tokens live for a few seconds.

use crate::gate::Gate;
use crate::matrix::stage::Made;
use crate::matrix::story::Story;
use crate::site::Site;
use crate::world::api::{Api, app_id};
use crate::world::provider::CLIENT_ID;
use crate::world::{PATIENCE, START, World};
use mortise_domain::{Clock as _, SystemClock, Timestamp};
use mortise_sandbox::RecoveryClass::{self, F, G, M, N, S, U};
use mortise_sandbox::{FamilyId, GrantFilter, NewGrants, TokenId};
use mortise_testkit::{Backend, Process, ports, wait};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tokio::task::JoinSet;

const CLASSES: [RecoveryClass; 6] = [N, M, G, U, S, F];
/// Connections of each class.
const EACH: usize = 10;
const ALL: usize = CLASSES.len() * EACH;

struct Server {
    name: &'static str,
    api: Api,
    process: Process,
}

struct Topology {
    world: World,
    site: Site,
    gate: Gate,
    story: Story,
    /// By connection.
    families: BTreeMap<String, FamilyId>,
}

impl Topology {
    async fn new() -> Self {
        let mut world = World::prepared(Backend::Postgres, "dev").await;
        // A fetch waits for another process's refresh by looking: room for all of them, and for others' tests beside.
        world.set("MORTISE_DATABASE_CONNECTIONS", "8");
        // And a lease that outlives what this test does to its holders.
        world.set("MORTISE_REFRESH_DEADLINE", "60");
        let gate = Gate::build(world.database.connect().await).await;
        let story = Story::new(world.api.clone());
        Self { world, site: Site::new(), gate, story, families: BTreeMap::new() }
    }

    async fn server(&self, name: &'static str) -> Server {
        let listen = format!("127.0.0.1:{}", ports::free().unwrap());
        let base = format!("http://{listen}");
        let mut process = self.site.launch(&self.world, name, &["serve"]).env("MORTISE_LISTEN", listen).start();
        process.ready(&format!("{base}/readyz"), START).await;
        let mut api = Api::new(base);
        api.use_key(self.world.api.key().to_owned());
        Server { name, api, process }
    }

    /// A worker that can have most connections at their commit at once, and not all: two share them.
    fn worker(&self, name: &str) -> Process {
        let launch = self.site.launch(&self.world, name, &["worker"]);
        let most = (ALL * 2 / 3).to_string();
        launch.env("MORTISE_REFRESH_CONCURRENCY", most).env("MORTISE_DATABASE_CONNECTIONS", ALL.to_string()).start()
    }

    /// Grants of the sandbox, brought along as from another broker.
    async fn import(&mut self, api: &Api) {
        for class in CLASSES {
            api.register(&self.world.provider, class).await;
            self.world.provider.lifetime(class, 16);
            let order =
                json!({"class": class, "client_id": CLIENT_ID, "count": EACH, "scope": "profile contacts.read"});
            let order: NewGrants = serde_json::from_value(order).unwrap();
            for (at, grant) in self.world.provider.sandbox.grant(&order).unwrap().into_iter().enumerate() {
                let customer = format!("{class}-{at}");
                api.put_customer(&customer).await;
                let tokens = json!({
                    "access_token": grant.access_token.expose(),
                    "refresh_token": grant.refresh_token.as_ref().unwrap().expose(),
                    "expires_at": SystemClock::new().now() + std::time::Duration::from_secs(grant.expires_in.into()),
                });
                let import = json!({"customer": customer, "app": app_id(class), "credentials": tokens});
                let made = api.post("/connections", &import).await.expect(201).json();
                let (id, root) = (made["id"].as_str().unwrap().to_owned(), TokenId::of(grant.access_token.expose()));
                self.families.insert(id.clone(), grant.family);
                self.story.knows(&[Made { class, id, family: grant.family, root }]);
            }
        }
    }

    /// How often tokens were issued for each connection.
    fn generations(&self) -> BTreeMap<FamilyId, u64> {
        let grants = self.world.provider.sandbox.oracle(&GrantFilter::default(), 0).grants;
        grants.into_iter().map(|grant| (grant.family, grant.generation)).collect()
    }

    /// Waits until these connections have been renewed so many times more.
    async fn renewed(&self, connections: &BTreeSet<String>, times: u64) {
        let before = self.generations();
        let behind = || {
            let now = self.generations();
            let family = |id: &&String| self.families[*id];
            connections.iter().filter(|id| now[&family(id)] < before[&family(id)] + times).cloned().collect::<Vec<_>>()
        };
        let all = wait::until(PATIENCE, async || Ok(behind().is_empty().then_some(()))).await;
        all.unwrap_or_else(|error| panic!("{error}; not renewed {times} times: {:?}", behind()));
    }

    /// Whose pairs lie in a process's spill folder.
    fn spilled(&self, name: &str) -> BTreeSet<String> {
        self.site.spilled(name).iter().map(|entry| entry["connection"].as_str().unwrap().to_owned()).collect()
    }

    /// Fetches of these connections, some at a time, by each of these servers: the provider knows every token as one of
    /// this connection, and as a good one for as long as the answer said.
    async fn fetched(&self, servers: &[&Server], connections: &BTreeSet<String>) {
        let mut fetches = JoinSet::new();
        for (at, id) in connections.iter().enumerate() {
            for server in servers {
                let (story, id) = (self.story.through(server.api.clone()), id.clone());
                fetches.spawn(async move { (story.fetch(&id).await, id) });
            }
            if at % 4 == 0 {
                self.judge(&mut fetches).await;
            }
        }
        self.judge(&mut fetches).await;
    }

    async fn judge(&self, fetches: &mut JoinSet<(mortise_testkit::Answer, String)>) {
        while let Some(fetched) = fetches.join_next().await {
            let (answer, id) = fetched.unwrap();
            let answer: Value = answer.expect(200).json();
            let check = self.world.provider.sandbox.check(answer["access_token"].as_str().unwrap());
            assert_eq!((check.kind, check.family), ("access_token", Some(self.families[&id])), "{id}");
            let until: Timestamp = answer["expires_at"].as_str().unwrap().parse().unwrap();
            // Looked at last: a test that was kept waiting must not blame the program.
            assert!(check.alive || SystemClock::new().now() >= until, "{id} was given a dead token");
        }
    }

    fn assert_never_reused(&self) {
        let totals = self.world.provider.sandbox.totals();
        assert_eq!((totals.reuse_events, totals.overlaps, totals.live_grants), (0, 0, ALL), "{totals:?}");
    }
}

#[tokio::test]
async fn two_servers_and_two_workers_renew_sixty_connections_through_kills() {
    let mut topology = Topology::new().await;
    let (mut one, two) = (topology.server("server-1").await, topology.server("server-2").await);
    topology.import(&one.api).await;
    let all: BTreeSet<String> = topology.families.keys().cloned().collect();
    let (mut first, mut second) = (topology.worker("worker-1"), topology.worker("worker-2"));
    for _ in 0..3 {
        topology.renewed(&all, 1).await;
        topology.fetched(&[&one, &two], &all).await;
    }
    topology.assert_never_reused();

    // Every connection's next pair is here and not committed, in one process or another: a worker and a server die.
    topology.gate.close().await;
    let names = ["worker-1", "worker-2", one.name, two.name];
    let spilled = || names.iter().map(|name| topology.site.spilled(name).len()).sum::<usize>();
    let complete = wait::until(PATIENCE, async || Ok((spilled() == ALL).then_some(()))).await;
    complete.unwrap_or_else(|error| panic!("{error}: {} of {ALL} at their commit", spilled()));
    let orphaned: BTreeSet<_> =
        [&topology.spilled("worker-1"), &topology.spilled(one.name)].into_iter().flatten().cloned().collect();
    let others: BTreeSet<_> = all.difference(&orphaned).cloned().collect();
    assert!(
        !orphaned.is_empty() && !others.is_empty(),
        "{} of {ALL} with the one, the rest with the other",
        orphaned.len()
    );
    first.kill9();
    one.process.kill9();
    // Nothing that the dead sent to the database is done; what the others sent is.
    topology.gate.open_but_for(&["worker-1", one.name]).await;

    // The others go on.
    topology.renewed(&others, 2).await;
    topology.fetched(&[&two], &others).await;
    // And with the processes their pairs come back.
    one = topology.server(one.name).await;
    first = topology.worker("worker-1");
    topology.renewed(&all, 2).await;
    topology.fetched(&[&one, &two], &all).await;
    topology.assert_never_reused();

    for worker in [&mut first, &mut second] {
        assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    }
    assert_eq!(topology.gate.taken().await, 0);
    one_refresh_for_all_who_ask(&topology, &one, &two).await;
    topology.assert_never_reused();
    // Two processes were killed, and nobody's reply was lost with them: the history has no excuses.
    topology.story.through(two.api.clone()).judge(&topology.world.provider).await;
    for mut server in [one, two] {
        assert!(server.process.sigterm(START).await.success(), "{}", server.process.output());
    }
    topology.world.end().await;
}

/// Nobody renews now but fetches: sixteen at once of each of six ended tokens, by both servers, are one request each.
async fn one_refresh_for_all_who_ask(topology: &Topology, one: &Server, two: &Server) {
    let provider = &topology.world.provider;
    for class in CLASSES {
        provider.lifetime(class, 3600);
    }
    let chosen: BTreeSet<String> = CLASSES
        .iter()
        .map(|class| {
            let families: BTreeSet<_> = provider.grants(*class).iter().map(|grant| grant.family).collect();
            topology.families.iter().find(|(_, family)| families.contains(family)).unwrap().0.clone()
        })
        .collect();
    let ended = || {
        let grants = provider.sandbox.oracle(&GrantFilter::default(), 0).grants;
        grants.iter().all(|grant| grant.alive_access_tokens.is_empty())
    };
    wait::until(PATIENCE, async || Ok(ended().then_some(()))).await.unwrap();
    let before = topology.generations();
    topology.fetched(&[one, two].repeat(8), &chosen).await;
    let after = topology.generations();
    for (id, family) in &topology.families {
        assert_eq!(after[family] - before[family], u64::from(chosen.contains(id)), "{id}");
    }
}
