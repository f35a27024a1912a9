//! The sandbox provider in this process, and what its oracle says.

use super::CLIENT_SECRET;
use mortise_sandbox::{
    ClassSettingsPatch, GrantReport, NewClient, RecoveryClass, RequestRecord, RunningSandbox, Sandbox, SandboxConfig,
    Script, TokenId,
};
use mortise_testkit::{Http, wait};
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;

/// The client that the app is at the sandbox.
pub const CLIENT_ID: &str = "mortise-test";

pub struct Provider {
    pub sandbox: RunningSandbox,
    tasks: TaskTracker,
}

impl Provider {
    /// A sandbox on a spare port with one confidential client.
    pub fn start() -> Self {
        let (sandbox, server) = Sandbox::bind(SandboxConfig::default()).unwrap();
        let tasks = TaskTracker::new();
        tasks.spawn(server);
        let provider = Self { sandbox, tasks };
        provider.register_client(CLIENT_SECRET);
        provider
    }

    pub async fn stop(&self) {
        self.sandbox.stop().await;
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Registers the client, or gives it another secret.
    pub fn register_client(&self, secret: &str) {
        let client = NewClient {
            client_id: CLIENT_ID.to_owned(),
            client_secret: Some(secret.to_owned()),
            name: Some("Mortise test".to_owned()),
            redirect_uris: Vec::new(),
        };
        self.sandbox.register(client).unwrap();
    }

    /// Access tokens of this class live so many seconds from now on.
    pub fn lifetime(&self, class: RecoveryClass, seconds: u32) {
        let patch = ClassSettingsPatch { access_token_lifetime: Some(seconds), ..ClassSettingsPatch::default() };
        self.sandbox.configure(class, patch).unwrap();
    }

    /// What happens to the next `times` requests of this grant type at the class's token endpoint.
    pub fn script(&self, class: RecoveryClass, grant_type: &str, times: u32, action: Value) {
        self.push(json!({"class": class, "grant_type": grant_type, "times": times, "action": action}));
    }

    /// The same for the class's revocation endpoint.
    pub fn script_revocations(&self, class: RecoveryClass, times: u32, action: Value) {
        self.push(json!({"class": class, "endpoint": "revoke", "times": times, "action": action}));
    }

    fn push(&self, script: Value) {
        self.sandbox.script(serde_json::from_value::<Script>(script).unwrap()).unwrap();
    }

    /// The only grant of a class.
    #[track_caller]
    pub fn grant(&self, class: RecoveryClass) -> GrantReport {
        let mut grants = self.grants(class);
        assert_eq!(grants.len(), 1, "{grants:?}");
        grants.remove(0)
    }

    pub fn grants(&self, class: RecoveryClass) -> Vec<GrantReport> {
        let filter = serde_json::from_value(json!({ "class": class })).unwrap();
        self.sandbox.oracle(&filter, 0).grants
    }

    /// Every request to the class's token endpoint, in the order of arrival.
    pub fn token_requests(&self, class: RecoveryClass) -> Vec<RequestRecord> {
        let filter = serde_json::from_value(json!({ "class": class })).unwrap();
        let requests = self.sandbox.oracle(&filter, usize::MAX).requests;
        requests.into_iter().filter(|request| request.endpoint == mortise_sandbox::Endpoint::Token).collect()
    }

    /// How many token requests of a grant type arrived.
    pub fn count(&self, class: RecoveryClass, grant_type: &str) -> usize {
        let requests = self.token_requests(class);
        requests.iter().filter(|request| request.grant_type.as_deref() == Some(grant_type)).count()
    }

    /// The refresh token that the client should hold.
    #[track_caller]
    pub fn newest_refresh_token(&self, class: RecoveryClass) -> TokenId {
        self.grant(class).alive_refresh_tokens.last().expect("a live refresh token").id
    }

    pub fn alive(&self, token: &str) -> bool {
        self.sandbox.check(token).alive
    }

    /// Waits until this access token is no longer good.
    pub async fn wait_for_the_end_of(&self, token: &str) {
        assert_ne!(self.sandbox.check(token).kind, "unknown");
        wait::until(super::PATIENCE, async || Ok((!self.alive(token)).then_some(()))).await.unwrap();
    }

    /// Waits until this many token requests of a grant type have been answered.
    pub async fn wait_for(&self, class: RecoveryClass, grant_type: &str, count: usize) {
        wait::until(super::PATIENCE, async || Ok((self.count(class, grant_type) >= count).then_some(())))
            .await
            .unwrap();
    }

    /// What the provider's own API says to a token: the name of whoever consented.
    pub async fn userinfo(&self, class: RecoveryClass, token: &str) -> Value {
        let http = Http::new().with_bearer(token);
        http.get(&format!("{}/userinfo", self.sandbox.issuer(class))).await.expect(200).json()
    }
}
