//! The provider that refreshes go to: the sandbox, in this process, answering at once.

use anyhow::{Context as _, Result, bail};
use mortise_sandbox::{
    ClassSettingsPatch, EACH_ITS_OWN, GrantFilter, HistoryFilter, Mode, NewGrants, RecoveryClass, RequestRecord,
    RunningSandbox, Sandbox, SandboxConfig, StandingMode, TokenCheck, Totals,
};
use tokio_util::task::TaskTracker;

/// The strictest class: a refresh token that is used twice ends its grant.
const CLASS: RecoveryClass = RecoveryClass::F;
/// The most that the sandbox grants at once.
const MOST: usize = 100_000;

/// A sandbox without a state file, so that it waits for no disk.
pub(crate) struct Provider {
    sandbox: RunningSandbox,
    tasks: TaskTracker,
}

/// A grant's first tokens.
pub(crate) struct Tokens {
    /// The grant's number at the provider.
    pub(crate) family: u64,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

impl Provider {
    /// One that remembers so many requests.
    pub(crate) fn start(log_capacity: usize) -> Result<Self> {
        let config = SandboxConfig { log_capacity, ..SandboxConfig::default() };
        let (sandbox, server) = Sandbox::bind(config)?;
        let tasks = TaskTracker::new();
        tasks.spawn(server);
        // Longer than any run: nothing becomes due by itself.
        let patch = ClassSettingsPatch { access_token_lifetime: Some(6 * 3600), ..ClassSettingsPatch::default() };
        sandbox.configure(CLASS, patch)?;
        Ok(Self { sandbox, tasks })
    }

    /// From now on it takes so long for each answer.
    pub(crate) fn slow(&self, milliseconds: u32) -> Result<()> {
        let patch = ClassSettingsPatch { latency_ms: Some(milliseconds), ..ClassSettingsPatch::default() };
        Ok(self.sandbox.configure(CLASS, patch)?)
    }

    /// From now on its token endpoint behaves like this; [`Mode::Off`]: as it should.
    pub(crate) fn mode(&self, mode: Mode) -> Result<()> {
        let mode =
            StandingMode { class: Some(CLASS), endpoint: mortise_sandbox::Endpoint::Token, grant_type: None, mode };
        Ok(self.sandbox.mode(mode)?)
    }

    pub(crate) fn issuer(&self) -> String {
        self.sandbox.issuer(CLASS)
    }

    pub(crate) fn totals(&self) -> Totals {
        self.sandbox.totals()
    }

    /// Everything that it knows and has logged, as its control API tells it.
    pub(crate) fn report(&self) -> Result<String> {
        Ok(serde_json::to_string(&self.sandbox.oracle(&GrantFilter::default(), usize::MAX))?)
    }

    pub(crate) fn check(&self, token: &str) -> TokenCheck {
        self.sandbox.check(token)
    }

    /// The requests after one, by its number.
    pub(crate) fn requests(&self, after: u64) -> Vec<RequestRecord> {
        self.sandbox.history(&HistoryFilter { after, ..HistoryFilter::default() }).requests
    }

    /// New grants, as many as wanted, each of an account of its own.
    pub(crate) fn grants(&self, count: usize) -> Result<Vec<Tokens>> {
        let mut made = Vec::with_capacity(count);
        while made.len() < count {
            let order = NewGrants {
                class: CLASS,
                client_id: None,
                subject: Some(EACH_ITS_OWN.to_owned()),
                scope: "profile contacts.read".to_owned(),
                count: (count - made.len()).min(MOST),
            };
            for grant in self.sandbox.grant(&order)? {
                let refresh_token = grant.refresh_token.context("the class issues refresh tokens")?;
                let refresh_token = refresh_token.expose().to_owned();
                let access_token = grant.access_token.expose().to_owned();
                made.push(Tokens { family: grant.family.0, access_token, refresh_token });
            }
        }
        Ok(made)
    }

    /// A refresh token that was presented twice, or in two requests at once, would make every figure worthless.
    pub(crate) fn vouch(&self) -> Result<()> {
        let totals = self.totals();
        if totals.reuse_events + totals.overlaps > 0 || totals.live_grants != totals.grants {
            bail!("the provider saw misuse of refresh tokens: {totals:?}");
        }
        Ok(())
    }

    pub(crate) async fn stop(self) {
        self.sandbox.stop().await;
        self.tasks.close();
        self.tasks.wait().await;
    }
}
