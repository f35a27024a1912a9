//! The providers: the sandbox's model, a class an app, and whose grants are whose.

use crate::clock::VirtualClock;
use crate::dice::Dice;
use crate::scenario::{House, Scenario, Season};
use async_trait::async_trait;
use mortise_broker::{Apps, Error, LoadedApp};
use mortise_connectors::parse;
use mortise_domain::{
    AppId, AppKey, AppState, ClientSecret, Clock as _, ConnectionId, ConnectorId, ConnectorKey, EnvironmentKey,
    RefreshToken, ScopeSet, SeededEntropy,
};
use mortise_oauth::Signer;
use mortise_sandbox::{
    ClassSettingsPatch, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, FamilyId, Model, RecoveryClass, SandboxConfig,
    SeededGrant,
};
use mortise_store::{App, AppSettings};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Everything on the other side of the network.
pub struct Providers {
    pub model: Model,
    pub environment: EnvironmentKey,
    apps: BTreeMap<AppKey, (RecoveryClass, Arc<LoadedApp>)>,
    owners: Mutex<BTreeMap<u64, ConnectionId>>,
}

impl Providers {
    pub fn new(scenario: &Scenario, clock: &Arc<VirtualClock>, dice: Dice) -> Self {
        let config = SandboxConfig {
            access_token_lifetime: scenario.lifetime,
            grace: scenario.grace,
            clock: clock.clone(),
            entropy: Arc::new(Dice::new(scenario.seed, 101)),
            ..SandboxConfig::default()
        };
        let model = Model::new(config).unwrap();
        let environment = EnvironmentKey::generate(&**clock, &dice);
        let app = |house: &House| {
            let patch = ClassSettingsPatch {
                ends_prior_access_tokens: Some(house.kills_prior),
                reuse_penalty: Some(house.reuse_penalty),
                latency_ms: (scenario.season == Season::Slow).then_some(4_000),
                ..ClassSettingsPatch::default()
            };
            model.configure(house.class, patch).unwrap();
            let loaded = Arc::new(loaded(&model, scenario, house, environment, clock, &dice));
            (loaded.app.key, (house.class, loaded))
        };
        let apps = scenario.houses.iter().map(app).collect();
        Self { model, environment, apps, owners: Mutex::default() }
    }

    /// The apps with their classes, in the order of their keys.
    pub fn apps(&self) -> impl Iterator<Item = (AppKey, RecoveryClass, &LoadedApp)> {
        self.apps.iter().map(|(key, (class, loaded))| (*key, *class, &**loaded))
    }

    /// The class of an app's provider.
    pub fn class(&self, app: AppKey) -> RecoveryClass {
        self.apps[&app].0
    }

    /// A customer consents, for `connection`.
    pub fn consent(&self, app: AppKey, connection: ConnectionId) -> SeededGrant {
        let grant = self.model.seed_grants(self.class(app), 1).unwrap().remove(0);
        self.owners.lock().unwrap_or_else(PoisonError::into_inner).insert(grant.family.0, connection);
        grant
    }

    /// Whose token this is.
    pub fn owner(&self, token: &str) -> Option<ConnectionId> {
        self.owner_of(self.model.check(token).family?)
    }

    /// Whose grant this is.
    pub fn owner_of(&self, grant: FamilyId) -> Option<ConnectionId> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner).get(&grant.0).copied()
    }

    /// Whether the provider would take a refresh token now.
    pub fn takes(&self, token: &RefreshToken) -> bool {
        self.model.check(token.expose()).alive
    }
}

fn loaded(
    model: &Model,
    scenario: &Scenario,
    house: &House,
    environment: EnvironmentKey,
    clock: &Arc<VirtualClock>,
    dice: &Dice,
) -> LoadedApp {
    let (key, connector) = (AppKey::generate(&**clock, dice), ConnectorKey::generate(&**clock, dice));
    let name = format!("class-{}", house.class);
    let manifest = parse(&manifest(&name, &model.issuer(house.class), scenario, house)).unwrap();
    let app = App {
        key,
        environment,
        id: name.parse::<AppId>().unwrap(),
        connector,
        connector_id: name.parse::<ConnectorId>().unwrap(),
        connector_version: 1,
        client_id: DEFAULT_CLIENT_ID.to_owned(),
        secret: None,
        previous_secret: None,
        previous_secret_expires_at: None,
        scopes: ScopeSet::default(),
        settings: AppSettings::default(),
        state: AppState::Active,
        held_since: None,
        held_reason: None,
        next_probe_at: None,
        revision: 1,
        created_at: clock.now(),
        updated_at: clock.now(),
        deleted_at: None,
    };
    LoadedApp {
        app,
        manifest: Arc::new(manifest),
        redirect_uri: "https://broker.example/oauth/callback".to_owned(),
        secrets: vec![ClientSecret::new(DEFAULT_CLIENT_SECRET)],
        signer: Signer::new(clock.clone(), Arc::new(SeededEntropy::new(1))),
    }
}

fn manifest(name: &str, issuer: &str, scenario: &Scenario, house: &House) -> String {
    let class = house.class.as_str().to_uppercase();
    let mut text = format!(
        "id: {name}\nname: {name}\nauth:\n  type: oauth2\n  grant: authorization_code\n  \
         authorization_url: {issuer}/authorize\n  token_url: {issuer}/token\n  revocation_url: {issuer}/revoke\n  \
         client_authentication: client_secret_post\n  recovery_class: {class}\n"
    );
    if house.class == RecoveryClass::G {
        text += &format!("  grace: {}\n", scenario.grace.as_secs());
    }
    if house.kills_prior {
        text += "  kills_prior_access_token: true\n";
    }
    if house.reuse_penalty {
        text += "  reuse_penalty: true\n";
    }
    if let Some((requests, seconds)) = house.rate {
        text += &format!("  rate_limit:\n    requests: {requests}\n    seconds: {seconds}\n");
    }
    if let Some(concurrency) = house.concurrency {
        text += &format!("  concurrency: {concurrency}\n");
    }
    text + "api:\n  base_url: " + issuer + "\n"
}

/// What an engine loads apps through. It never fails: an app is two seconds old at the most, and known in memory.
pub struct LoadedApps(pub Arc<Providers>);

#[async_trait]
impl Apps for LoadedApps {
    async fn load(&self, app: AppKey, _version: i32) -> Result<Arc<LoadedApp>, Error> {
        self.0.apps.get(&app).map(|(_, loaded)| loaded.clone()).ok_or(Error::NotFound("app"))
    }

    async fn forget(&self, _app: &App) {}
}
