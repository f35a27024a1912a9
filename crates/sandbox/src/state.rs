//! Everything the sandbox knows; one lock guards all of it.

use crate::class::RecoveryClass;
use crate::clients::Clients;
use crate::config::SandboxConfig;
use crate::ledger::{FamilyId, Ledger, TokenId};
use crate::log::{Endpoint, RequestLog, RequestRecord};
use crate::pending::PendingRequests;
use crate::script::{Fault, Scripts};
use crate::settings::ClassSettings;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// What one lock guards.
pub struct State {
    pub clients: Clients,
    pub ledger: Ledger,
    pub settings: BTreeMap<RecoveryClass, ClassSettings>,
    pub scripts: Scripts,
    pub log: RequestLog,
    pub pending: PendingRequests,
    /// How many requests with each refresh token are in flight.
    pub in_flight: HashMap<TokenId, u32>,
    pub overlaps: u64,
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
pub struct Arrived {
    /// In the log.
    pub id: u64,
    /// What a script wants done to it.
    pub fault: Option<Arc<Fault>>,
    /// How long it waits in any case.
    pub latency: Duration,
}

impl State {
    /// Empty but for the default client.
    pub fn new(config: &SandboxConfig) -> Self {
        Self {
            clients: Clients::default(),
            ledger: Ledger::default(),
            settings: BTreeMap::new(),
            scripts: Scripts::default(),
            log: RequestLog::new(config.log_capacity),
            pending: PendingRequests::default(),
            in_flight: HashMap::new(),
            overlaps: 0,
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
        self.ledger = Ledger::default();
        self.settings.clear();
        self.scripts = Scripts::default();
        self.log.clear();
        self.pending = PendingRequests::default();
        self.overlaps = 0;
    }

    /// Writes an arriving request down and finds its script.
    pub fn arrive(&mut self, class: RecoveryClass, endpoint: Endpoint, call: &Call, now: i64) -> Arrived {
        let overlapped = call.exchanges.then_some(call.token).flatten().is_some_and(|token| {
            let count = self.in_flight.entry(token).or_default();
            *count += 1;
            *count > 1
        });
        let (family, parent) = call.token.map_or((None, None), |token| self.origin(token));
        if overlapped {
            self.overlaps += 1;
            if let Some(family) = family.and_then(|id| self.ledger.families.get_mut(&id)) {
                family.overlaps += 1;
            }
        }
        let fault = self.scripts.take(class, endpoint, call.grant_type.as_deref());
        let latency = match endpoint {
            Endpoint::Token => Duration::from_millis(u64::from(self.settings(class).latency_ms)),
            Endpoint::Revoke | Endpoint::Introspect | Endpoint::Userinfo => Duration::ZERO,
        };
        let id = self.log.push(RequestRecord {
            id: 0,
            class,
            endpoint,
            grant_type: call.grant_type.clone(),
            client_id: call.client_id.clone(),
            token: call.token,
            parent,
            family,
            overlapped,
            scripted: fault.is_some(),
            received_at_ms: now,
            processed_at_ms: None,
            replied_at_ms: None,
            status: None,
            bytes_delivered: 0,
            outcome: "in_progress",
            new_access_token: None,
            new_refresh_token: None,
        });
        Arrived { id, fault, latency }
    }

    /// A request with this refresh token has left.
    pub fn leave(&mut self, token: TokenId) {
        if let Some(count) = self.in_flight.get_mut(&token) {
            *count -= 1;
            if *count == 0 {
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
