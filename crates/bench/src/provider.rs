//! The provider that refreshes go to: the sandbox, in this process, answering at once.

use anyhow::{Context as _, Result, bail};
use mortise_sandbox::{ClassSettingsPatch, RecoveryClass, RunningSandbox, Sandbox, SandboxConfig, Totals};
use mortise_testkit::Http;
use serde::Deserialize;
use serde_json::json;
use tokio_util::task::TaskTracker;

/// The strictest class: a refresh token that is used twice ends its grant.
const CLASS: RecoveryClass = RecoveryClass::F;

/// A sandbox without a state file, so that it waits for no disk.
pub(crate) struct Provider {
    sandbox: RunningSandbox,
    tasks: TaskTracker,
}

/// A grant's first tokens.
#[derive(Debug, Deserialize)]
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

impl Provider {
    pub(crate) fn start() -> Result<Self> {
        let config = SandboxConfig { log_capacity: 1_000, ..SandboxConfig::default() };
        let (sandbox, server) = Sandbox::bind(config)?;
        let tasks = TaskTracker::new();
        tasks.spawn(server);
        // Longer than any run: nothing becomes due by itself.
        let patch = ClassSettingsPatch { access_token_lifetime: Some(6 * 3600), ..ClassSettingsPatch::default() };
        sandbox.configure(CLASS, patch)?;
        Ok(Self { sandbox, tasks })
    }

    pub(crate) fn issuer(&self) -> String {
        self.sandbox.issuer(CLASS)
    }

    pub(crate) fn totals(&self) -> Totals {
        self.sandbox.totals()
    }

    /// New grants, as many as wanted.
    pub(crate) async fn grants(&self, count: usize) -> Result<Vec<Tokens>> {
        let url = format!("{}/control/grants", self.sandbox.base_url());
        let wanted = json!({"class": CLASS.as_str(), "count": count, "scope": "profile contacts.read"});
        let mut answer = Http::new().post(&url, &wanted).await.expect(200).json();
        serde_json::from_value(answer["grants"].take()).context("the sandbox's grants")
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
