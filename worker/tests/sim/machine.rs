//! A machine: a disk, a clock, and one process at a time, which runs an engine with the worker's jobs.

use crate::clock::VirtualClock;
use crate::dice::Dice;
use crate::late::ProcessLate;
use crate::ledger::{Desk, ProcessLedger};
use crate::life::Life;
use crate::network::ProcessTransport;
use crate::provider::LoadedApps;
use crate::scenario::Season;
use crate::seals::ProcessSeals;
use crate::spill::ProcessSpill;
use crate::trace::What;
use crate::world::World;
use mortise_broker::{BrokerConfig, Engine, Entry, Left, MemorySpill, Seams, Spill as _};
use mortise_oauth::EgressPolicy;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A machine.
pub struct Machine {
    /// Counts from 0.
    pub number: usize,
    pub clock: Arc<VirtualClock>,
    pub disk: Mutex<MemorySpill>,
    running: Mutex<Option<Arc<Process>>>,
}

/// A process.
pub struct Process {
    pub life: Arc<Life>,
    pub engine: Arc<Engine>,
    pub ledger: Arc<ProcessLedger>,
    spill: Arc<ProcessSpill>,
    transport: Arc<ProcessTransport>,
}

impl Machine {
    pub fn new(number: usize, clock: Arc<VirtualClock>) -> Self {
        let disk = Mutex::new(MemorySpill::new(clock.clone()));
        Self { number, clock, disk, running: Mutex::default() }
    }

    /// The process that runs here, if one does.
    pub fn process(&self) -> Option<Arc<Process>> {
        self.running.lock().unwrap().clone()
    }

    /// Keeps a process running: when it dies, another one comes.
    pub async fn keep_running(&self, world: &Arc<World>) {
        loop {
            let process = Arc::new(self.start(world));
            let number = process.life.number;
            world.trace.note(What::Started { process: number, machine: self.number });
            *self.running.lock().unwrap() = Some(process.clone());
            process.work(world);
            process.life.ended().await;
            *self.running.lock().unwrap() = None;
            world.trace.note(What::Died { process: number });
            self.mourn(&process, world);
            tokio::time::sleep(world.dice.seconds(1, 40)).await;
            let next = self.disk.lock().unwrap().another();
            *self.disk.lock().unwrap() = next;
        }
    }

    fn start(&self, world: &Arc<World>) -> Process {
        let number = world.next_process();
        let dice = |stream: u64| Dice::new(world.scenario.seed, 1_000 * number as u64 + stream);
        let (life, desk) = (Life::new(number, dice(1)), Arc::new(Desk::default()));
        let (weather, trace) = (world.weather.clone(), world.trace.clone());
        let (boxed, providers) = (world.boxed.clone(), world.providers.clone());
        let (books, bug) = (world.books.clone(), world.scenario.bug);
        let ledger = Arc::new(ProcessLedger {
            books: books.clone(),
            machine: self.number,
            life: life.clone(),
            weather: weather.clone(),
            dice: dice(2),
            trace: trace.clone(),
            boxed: boxed.clone(),
            providers: providers.clone(),
            desk: desk.clone(),
            attempt: world.scenario.attempt(),
            bug,
        });
        let spill = Arc::new(ProcessSpill {
            disk: self.disk.lock().unwrap().clone(),
            abyss: MemorySpill::new(self.clock.clone()),
            life: life.clone(),
            trace,
            boxed: boxed.clone(),
            dice: dice(3),
            bug,
            hasty: world.scenario.hasty,
        });
        let transport = Arc::new(ProcessTransport {
            network: world.network.clone(),
            books,
            life: life.clone(),
            desk,
            dice: dice(4),
            bug,
            dawdles: if world.scenario.season == Season::Slow { 0.1 } else { 0.0 },
            wires: Mutex::default(),
        });
        let seams = Seams {
            ledger: ledger.clone(),
            spill: spill.clone(),
            transport: transport.clone(),
            clock: self.clock.clone(),
            entropy: Arc::new(dice(5)),
            apps: Arc::new(LoadedApps(providers)),
            seals: Arc::new(ProcessSeals { boxed, life: life.clone(), weather, dice: dice(6) }),
            late: Arc::new(ProcessLate { ledger: ledger.clone(), dice: dice(7) }),
        };
        let engine = Engine::new(seams, config(world.scenario.refresh_deadline));
        Process { life, engine, ledger, spill, transport }
    }

    /// What a death leaves: entries that were in hand, and connections that the system closes, now or in a while.
    fn mourn(&self, process: &Arc<Process>, world: &Arc<World>) {
        let disk = self.disk.lock().unwrap();
        if world.dice.chance(0.15) {
            disk.lose_power()
        } else {
            disk.crash()
        }
        for wire in process.transport.wires.lock().unwrap().drain(..) {
            if world.dice.chance(0.8) {
                wire.leave();
                continue;
            }
            let lingers = world.dice.seconds(10, 90);
            world.tasks.spawn(async move {
                tokio::time::sleep(lingers).await;
                wire.leave();
            });
        }
    }
}

pub fn config(refresh_deadline: Duration) -> BrokerConfig {
    BrokerConfig {
        public_url: "https://broker.example".parse().unwrap(),
        egress: EgressPolicy::default(),
        spill_dir: "/nowhere".into(),
        refresh_concurrency: 6,
        refresh_deadline,
    }
}

impl Process {
    /// The jobs of a worker, each in its rhythm.
    fn work(self: &Arc<Self>, world: &Arc<World>) {
        let (refreshing, probing, replaying) = (self.clone(), self.clone(), self.clone());
        world.tasks.spawn(async move {
            refreshing.replay().await;
            loop {
                refreshing.pass().await;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        world.tasks.spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(5)).await;
                // An error is the database's, and the next round's.
                probing.engine.probe_held_apps().await.unwrap_or_default();
            }
        });
        world.tasks.spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(10)).await;
                replaying.replay().await;
            }
        });
    }

    async fn pass(&self) {
        if !self.spill.ready() {
            // What does not work now is tried again in a second.
            self.spill.prepare().await.unwrap_or_default();
        }
        if self.spill.has_let_go() && !self.replay().await {
            return;
        }
        self.engine.refresh_due().await.unwrap_or_default();
    }

    /// Stores what is on the disk and in nobody's hand; whether all of it could be.
    async fn replay(&self) -> bool {
        let left = self.spill.left().await.unwrap_or_default();
        for Left { ticket, entry, .. } in left {
            let Ok(Entry::Refresh(pair)) = Entry::from_bytes(&entry) else { continue };
            if self.engine.recover(&pair).await.is_err() {
                return false;
            }
            self.spill.settle(ticket).await;
        }
        true
    }
}
