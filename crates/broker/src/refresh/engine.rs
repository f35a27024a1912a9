//! The refresh engine of one process, over its seams.

use super::budgets::Budgets;
use super::seams::{Apps, LateReplies, Seals};
use super::{Flights, Outage};
use crate::spill::Spill;
use crate::{BrokerConfig, Result, timeline};
use mortise_domain::{AttemptId, Clock, Entropy, EventId, EventKind, LeaseOwner, Timestamp};
use mortise_oauth::Transport;
use mortise_store::{ClaimTerms, Ledger, NewEvent};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// Everything that the engine reaches the world through.
#[derive(Clone)]
pub struct Seams {
    /// Leases, pairs and timelines.
    pub ledger: Arc<dyn Ledger>,
    /// Pairs on their way into the ledger.
    pub spill: Arc<dyn Spill>,
    /// Providers.
    pub transport: Arc<dyn Transport>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Apps with their manifests.
    pub apps: Arc<dyn Apps>,
    /// Sealed secrets.
    pub seals: Arc<dyn Seals>,
    /// Pairs that belong to nobody.
    pub late: Arc<dyn LateReplies>,
}

/// One process's part in keeping grants fresh. Share it by its `Arc`.
pub struct Engine {
    pub(super) seams: Seams,
    pub(super) config: BrokerConfig,
    pub(super) owner: LeaseOwner,
    pub(super) flights: Flights,
    pub(super) budgets: Budgets,
    pub(super) outage: Outage,
    pub(super) tasks: TaskTracker,
    pub(super) runtime: tokio::runtime::Handle,
}

impl Engine {
    /// An engine inside the runtime that its refreshes shall run on.
    pub fn new(seams: Seams, config: BrokerConfig) -> Arc<Self> {
        Arc::new(Self {
            owner: LeaseOwner::generate(&*seams.clock, &*seams.entropy),
            flights: Flights::default(),
            budgets: Budgets::default(),
            outage: Outage::default(),
            tasks: TaskTracker::new(),
            // The web framework's threads have runtimes of their own, which end before the last refresh may.
            runtime: tokio::runtime::Handle::current(),
            seams,
            config,
        })
    }

    /// Who claims, in leases.
    pub fn owner(&self) -> LeaseOwner {
        self.owner
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

    pub(super) fn terms(&self) -> ClaimTerms {
        let terms = ClaimTerms { owner: self.owner, lease: self.config.lease(), attempt: self.config.attempt() };
        known_bad!(TenSecondLock => return crate::known_bad::ten_seconds(terms));
        known_bad!(WallClockLease => return crate::known_bad::by_wall_clock(terms));
        terms
    }

    pub(super) fn attempt_id(&self) -> AttemptId {
        AttemptId::generate(&*self.seams.clock, &*self.seams.entropy)
    }

    pub(super) fn event_id(&self) -> EventId {
        EventId::generate(&*self.seams.clock, &*self.seams.entropy)
    }

    /// A line of a timeline. The time is the database's: replicas write to one timeline, and their clocks differ.
    pub(super) fn event_at(&self, at: Timestamp, kind: EventKind, detail: serde_json::Value) -> NewEvent {
        timeline::line_at(at, &*self.seams.entropy, kind, detail)
    }

    /// Hands a result on, and remembers if it says that the database is away.
    pub(crate) fn noted<T>(&self, result: Result<T>) -> Result<T> {
        self.outage.noted(&*self.seams.clock, result)
    }

    /// The last sign of an outage of the database.
    pub(crate) fn outage_seen(&self) -> Option<Duration> {
        self.outage.seen()
    }
}
