//! Everything the sandbox knows; one lock guards all of it.

use crate::class::RecoveryClass;
use crate::clients::Clients;
use crate::config::SandboxConfig;
use crate::events::GrantLog;
use crate::flows::Flows;
use crate::ledger::{FamilyId, Ledger, TokenId};
use crate::log::{Endpoint, RequestLog, RequestRecord};
use crate::pending::PendingRequests;
use crate::script::{Fault, Modes, Scripts};
use crate::settings::ClassSettings;
use crate::shared::Stamp;
use crate::trust::Trust;
use mortise_domain::AccessToken;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// What one lock guards.
pub struct State {
    pub clients: Clients,
    /// Whom it believes where nobody consents.
    pub trust: Trust,
    pub ledger: Ledger,
    pub settings: BTreeMap<RecoveryClass, ClassSettings>,
    pub scripts: Scripts,
    pub modes: Modes,
    pub log: RequestLog,
    pub pending: PendingRequests,
    /// What the flows without a code keep.
    pub flows: Flows,
    /// The requests with each refresh token that are in flight.
    pub in_flight: HashMap<TokenId, Vec<u64>>,
    pub overlaps: u64,
    /// What became of grants, and when.
    pub events: GrantLog,
    /// The access tokens in clear that are to be given out again, where a class does that. Never saved or shown.
    pub repeatable: HashMap<FamilyId, AccessToken>,
    initial: ClassSettings,
}

/// A request as far as it is known when it arrives.
#[derive(Default)]
pub struct Call {
    pub grant_type: Option<String>,
    pub client_id: Option<String>,
    pub token: Option<TokenId>,
    /// Whether `token` is a refresh token that is to be exchanged: only those can overlap.
    pub exchanges: bool,
}

/// A request that was written down.
pub struct Noted {
    /// In the log.
    pub id: u64,
    /// What a script or a mode wants done to it.
    pub fault: Option<Arc<Fault>>,
    /// How long it waits in any case.
    pub latency: Duration,
}

impl State {
    /// Empty but for the default client.
    pub fn new(config: &SandboxConfig) -> Self {
        Self {
            clients: Clients::default(),
            trust: Trust::default(),
            ledger: Ledger::default(),
            settings: BTreeMap::new(),
            scripts: Scripts::default(),
            modes: Modes::default(),
            log: RequestLog::new(config.log_capacity),
            pending: PendingRequests::default(),
            flows: Flows::new(),
            in_flight: HashMap::new(),
            overlaps: 0,
            events: GrantLog::new(config.log_capacity),
            repeatable: HashMap::new(),
            initial: ClassSettings::initial(config),
        }
    }

    /// The switches of a class.
    pub fn settings(&self, class: RecoveryClass) -> &ClassSettings {
        self.settings.get(&class).unwrap_or(&self.initial)
    }

    /// The switches of a class, to be changed.
    pub fn settings_mut(&mut self, class: RecoveryClass) -> &mut ClassSettings {
        self.settings.entry(class).or_insert_with(|| self.initial.clone())
    }

    /// Forgets everything but what is in flight and the count of requests.
    pub fn reset(&mut self) {
        self.clients = Clients::default();
        self.trust = Trust::default();
        self.ledger = Ledger::default();
        self.settings.clear();
        self.scripts = Scripts::default();
        self.modes = Modes::default();
        self.log.clear();
        self.pending = PendingRequests::default();
        self.flows = Flows::new();
        self.overlaps = 0;
        self.events.clear();
        self.repeatable.clear();
    }

    /// Writes down what became of grants since the last time, and because of which request.
    pub fn settle(&mut self, now: Stamp, request: Option<u64>) {
        for change in self.ledger.changes.drain(..) {
            self.events.push(change, now, request);
        }
    }

    /// Writes an arriving request down and finds its script.
    pub fn arrive(&mut self, class: RecoveryClass, endpoint: Endpoint, call: &Call, now: Stamp) -> Noted {
        let exchanged = call.token.filter(|_| call.exchanges);
        let overlaps = exchanged.and_then(|token| self.in_flight.get(&token)).cloned().unwrap_or_default();
        let (family, parent) = call.token.map_or((None, None), |token| self.origin(token));
        if !overlaps.is_empty() {
            self.overlaps += 1;
            if let Some(family) = family.and_then(|id| self.ledger.families.get_mut(&id)) {
                family.overlaps += 1;
            }
        }
        let scripted = self.scripts.take(class, endpoint, call.grant_type.as_deref());
        let fault = scripted.or_else(|| self.modes.meet(class, endpoint, call, now.us));
        let latency = match endpoint {
            Endpoint::Token => Duration::from_millis(u64::from(self.settings(class).latency_ms)),
            Endpoint::Revoke | Endpoint::Introspect | Endpoint::Userinfo => Duration::ZERO,
        };
        let id = self.log.push(RequestRecord {
            grant_type: call.grant_type.clone(),
            client_id: call.client_id.clone(),
            token: call.token,
            parent,
            family,
            overlapped: !overlaps.is_empty(),
            overlaps,
            scripted: fault.is_some(),
            ..RequestRecord::arriving(class, endpoint, now)
        });
        if let Some(token) = exchanged {
            self.in_flight.entry(token).or_default().push(id);
        }
        Noted { id, fault, latency }
    }

    /// Request `id` with this refresh token has left.
    pub fn leave(&mut self, token: TokenId, id: u64) {
        if let Some(requests) = self.in_flight.get_mut(&token) {
            requests.retain(|known| *known != id);
            if requests.is_empty() {
                self.in_flight.remove(&token);
            }
        }
    }

    fn origin(&self, token: TokenId) -> (Option<FamilyId>, Option<TokenId>) {
        if let Some(record) = self.ledger.refresh.get(&token) {
            (Some(record.family), record.parent)
        } else if let Some(record) = self.ledger.access.get(&token) {
            (Some(record.family), record.parent)
        } else {
            (None, None)
        }
    }
}
