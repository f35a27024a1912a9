//! What the control endpoints do, for a caller in the same process.

use super::Model;
use crate::class::RecoveryClass;
use crate::clients::NewClient;
use crate::error::SandboxError;
use crate::ledger::{Ended, FamilyId};
use crate::oracle::{
    self, EACH_ITS_OWN, GrantFilter, History, HistoryFilter, NewGrants, OracleReport, SeededGrant, TokenCheck, Totals,
};
use crate::script::{Script, StandingMode};
use crate::settings::{ClassSettings, ClassSettingsPatch};

impl Model {
    /// Everything that the filter wants, with at most `requests` of the newest requests.
    pub fn oracle(&self, filter: &GrantFilter, requests: usize) -> OracleReport {
        oracle::report(&self.shared.lock(), filter, requests, self.shared.now())
    }

    /// What happened, request by request, with monotonic times.
    pub fn history(&self, filter: &HistoryFilter) -> History {
        oracle::history(&self.shared.lock(), filter, self.shared.stamp())
    }

    /// Sums over everything.
    pub fn totals(&self) -> Totals {
        oracle::totals(&self.shared.lock())
    }

    /// What is known of one token.
    pub fn check(&self, token: &str) -> TokenCheck {
        oracle::check(&self.shared.lock(), token, self.shared.now())
    }

    /// Queues faults for the next requests.
    pub fn script(&self, script: Script) -> Result<(), SandboxError> {
        Ok(self.shared.lock().scripts.push(script)?)
    }

    /// Puts a mode in force, or takes modes away.
    pub fn mode(&self, mode: StandingMode) -> Result<(), SandboxError> {
        Ok(self.shared.lock().modes.set(mode)?)
    }

    /// Registers a client, or registers it anew.
    pub fn register(&self, client: NewClient) -> Result<(), SandboxError> {
        let mut state = self.shared.lock();
        state.clients.register(client)?;
        self.shared.save(&state)
    }

    /// How a class behaves.
    pub fn settings(&self, class: RecoveryClass) -> ClassSettings {
        self.shared.lock().settings(class).clone()
    }

    /// Changes how a class behaves.
    pub fn configure(&self, class: RecoveryClass, patch: ClassSettingsPatch) -> Result<(), SandboxError> {
        let mut state = self.shared.lock();
        patch.apply(state.settings_mut(class));
        self.shared.save(&state)
    }

    /// Makes grants without a consent page.
    pub fn grant(&self, order: &NewGrants) -> Result<Vec<SeededGrant>, SandboxError> {
        let mut state = self.shared.lock();
        let grants = oracle::seed(&mut state, &self.shared, order)?;
        self.shared.save(&state)?;
        Ok(grants)
    }

    /// Makes `count` grants to the default client, each of an account of its own, as if for an import.
    pub fn seed_grants(&self, class: RecoveryClass, count: usize) -> Result<Vec<SeededGrant>, SandboxError> {
        let subject = Some(EACH_ITS_OWN.to_owned());
        self.grant(&NewGrants { class, client_id: None, subject, scope: String::new(), count })
    }

    /// The person withdraws the consent; `false` if there is no such grant or it had ended.
    pub fn end_grant(&self, family: FamilyId) -> Result<bool, SandboxError> {
        let mut state = self.shared.lock();
        let now = self.shared.stamp();
        let ended = state.ledger.end(family, Ended::Revoked, now.ms);
        state.settle(now, None);
        self.shared.save(&state)?;
        Ok(ended)
    }

    /// Lets a consumer of OAuth 1.0 sign with this secret.
    pub fn register_consumer(&self, key: &str, secret: &str) {
        self.shared.lock().flows.consumers.insert(key.to_owned(), secret.to_owned());
    }

    /// How long user codes live from now on, and how often they may be asked about, in seconds.
    pub fn pace_devices(&self, lifetime: u32, interval: u32) {
        let mut state = self.shared.lock();
        (state.flows.lifetime, state.flows.interval) = (lifetime, interval);
    }

    /// Forgets everything but what is in flight and the count of requests.
    pub fn reset(&self) -> Result<(), SandboxError> {
        let mut state = self.shared.lock();
        state.reset();
        self.shared.save(&state)
    }
}
