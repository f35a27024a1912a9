//! A world: machines, providers, customers and trouble, from its first second to the reckoning.

use crate::chaos;
use crate::check::{Evidence, Verdict, judge};
use crate::clock::VirtualClock;
use crate::dice::Dice;
use crate::machine::{Machine, Process};
use crate::network::Network;
use crate::people;
use crate::provider::Providers;
use crate::reckoning;
use crate::scenario::Scenario;
use crate::seals::Strongbox;
use crate::trace::Trace;
use crate::weather::Weather;
use mortise_broker::Place;
use mortise_domain::RefreshToken;
use mortise_domain::gate::GateId;
use mortise_sandbox::{HistoryFilter, TokenId};
use mortise_store::memory::MemoryLedger;
use mortise_store::{Connection, Ledger as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// Everything there is.
pub struct World {
    pub scenario: Scenario,
    /// The right time, which is the database's and the providers' too.
    pub clock: Arc<VirtualClock>,
    pub trace: Arc<Trace>,
    pub weather: Arc<Weather>,
    pub books: Arc<MemoryLedger>,
    pub boxed: Arc<Strongbox>,
    pub providers: Arc<Providers>,
    pub network: Arc<Network>,
    pub machines: Vec<Machine>,
    pub dice: Dice,
    pub tasks: TaskTracker,
    processes: AtomicUsize,
}

/// Lives through a scenario, in virtual time, and judges it.
pub fn run(scenario: Scenario) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(live(scenario))
}

async fn live(scenario: Scenario) -> Verdict {
    let world = Arc::new(World::new(scenario));
    for (_, _, loaded) in world.providers.apps() {
        let (gate, limits) = (GateId::Provider(loaded.app.connector), loaded.manifest.auth.limits().gate);
        world.books.gate_limit(gate, limits).await.unwrap();
    }
    people::settle_in(&world).await;
    for number in 0..world.machines.len() {
        let world = world.clone();
        let tasks = world.tasks.clone();
        tasks.spawn(async move { world.machines[number].keep_running(&world).await });
    }
    people::go_about(&world);
    chaos::trouble(&world).await;
    tokio::time::sleep(world.scenario.peace).await;
    let unsettled = reckoning::settle(&world).await;
    judge(&world.evidence(unsettled))
}

impl World {
    fn new(scenario: Scenario) -> Self {
        let clock = Arc::new(VirtualClock::new(Instant::now()));
        let dice = |stream: u64| Dice::new(scenario.seed, stream);
        let trace = Arc::new(Trace::new(clock.clone()));
        let weather = Arc::new(Weather::default());
        let providers = Arc::new(Providers::new(&scenario, &clock, dice(2)));
        let books = Arc::new(MemoryLedger::new(clock.clone()));
        for (key, _, loaded) in providers.apps() {
            books.add_app(key, loaded.app.connector);
        }
        let tasks = TaskTracker::new();
        let network = Arc::new(Network {
            providers: providers.clone(),
            weather: weather.clone(),
            trace: trace.clone(),
            dice: dice(3),
            tasks: tasks.clone(),
        });
        let skewed = |number: usize| {
            let clock = Arc::new(VirtualClock::new(Instant::now()));
            // Up to two minutes off, either way.
            clock.set_skew(dice(50 + number as u64).below(240_000) as i64 - 120_000);
            Machine::new(number, clock)
        };
        Self {
            machines: (0..scenario.machines).map(skewed).collect(),
            boxed: Arc::new(Strongbox::new(&*clock, dice(4))),
            dice: dice(5),
            clock,
            trace,
            weather,
            books,
            providers,
            network,
            tasks,
            processes: AtomicUsize::new(0),
            scenario,
        }
    }

    /// The number of the next process.
    pub fn next_process(&self) -> usize {
        self.processes.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// A process that runs, if one does.
    pub fn any_process(&self) -> Option<Arc<Process>> {
        let running: Vec<_> = self.machines.iter().filter_map(Machine::process).collect();
        (!running.is_empty()).then(|| self.dice.pick(&running).clone())
    }

    /// The refresh token that a row holds.
    pub fn refresh_of(&self, row: &Connection) -> Option<RefreshToken> {
        let place = Place { environment: row.environment, connection: row.id, generation: row.generation };
        self.boxed.refresh(place, row.refresh.as_ref())
    }

    fn held_by(&self, row: &Connection) -> Option<TokenId> {
        self.refresh_of(row).map(|token| TokenId::of(token.expose()))
    }

    fn evidence(&self, unsettled: Vec<String>) -> Evidence {
        let rows = self.books.rows();
        Evidence {
            events: rows.iter().map(|row| (row.id, self.books.events(row.id).unwrap())).collect(),
            holds: rows.iter().map(|row| (row.id, self.held_by(row))).collect(),
            rows,
            digest: self.trace.digest(),
            lines: self.trace.lines(),
            history: self.providers.model.history(&HistoryFilter::default()),
            gates: self
                .providers
                .apps()
                .map(|(app, _, loaded)| (app, GateId::Provider(loaded.app.connector)))
                .collect(),
            lease: self.scenario.lease(),
            classes: self.providers.apps().map(|(app, class, _)| (app, class)).collect(),
            unsettled,
            scenario: self.scenario.clone(),
        }
    }
}
