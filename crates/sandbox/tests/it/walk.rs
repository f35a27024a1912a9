//! Random walks through the model: what the oracle says of a token beforehand is what a request with it meets, and the
//! same seed always tells the same history.

use mortise_domain::{Entropy as _, ManualClock, SeededEntropy};
use mortise_sandbox::{
    ClassSettingsPatch, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Endpoint, History, Model, ModelRequest, NewGrants,
    RecoveryClass, SandboxConfig,
};
use serde_json::{Value, json};
use std::sync::Arc;

struct Walk {
    model: Model,
    clock: Arc<ManualClock>,
    dice: SeededEntropy,
    class: RecoveryClass,
    /// Every refresh token that anybody ever got.
    tokens: Vec<String>,
    /// Every access token.
    access: Vec<String>,
}

impl Walk {
    fn new(class: RecoveryClass, seed: u64) -> Self {
        let clock = Arc::new(ManualClock::at_unix(1_700_000_000));
        let entropy = Arc::new(SeededEntropy::new(seed));
        let model = Model::new(SandboxConfig { clock: clock.clone(), entropy, ..SandboxConfig::default() }).unwrap();
        let walk =
            Self { model, clock, dice: SeededEntropy::new(!seed), class, tokens: Vec::new(), access: Vec::new() };
        // A different mixture of limits for each seed.
        let mut limits = json!({});
        for (name, value) in [
            ("idle_limit", json!(300)),
            ("absolute_limit", json!(900)),
            ("max_live", json!(2)),
            ("reuse_penalty", json!(true)),
            ("same_access_token", json!(true)),
            ("kills_prior_access_token", json!(true)),
            ("lifetime_shrink", json!(7)),
        ] {
            if walk.roll(3) == 0 {
                limits[name] = value;
            }
        }
        let patch: ClassSettingsPatch = serde_json::from_value(limits).unwrap();
        walk.model.configure(class, patch).unwrap();
        walk
    }

    fn roll(&self, sides: usize) -> usize {
        (self.dice.fraction() * sides as f64) as usize
    }

    fn some(&self, of: &[String]) -> String {
        of.get(self.roll(of.len())).cloned().unwrap_or_else(|| "sbx_rt_none".to_owned())
    }

    fn grant(&mut self) {
        let subject = Some(["alex", "robin"][self.roll(2)].to_owned());
        let order = NewGrants { class: self.class, client_id: None, subject, scope: String::new(), count: 1 };
        let made = self.model.grant(&order).unwrap().remove(0);
        self.access.push(made.access_token.expose().to_owned());
        self.tokens.extend(made.refresh_token.map(|token| token.expose().to_owned()));
    }

    fn refresh(&mut self) {
        let token = self.some(&self.tokens);
        let client = [("client_id", DEFAULT_CLIENT_ID), ("client_secret", DEFAULT_CLIENT_SECRET)];
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let request = ModelRequest::form(self.class, Endpoint::Token, client.into_iter().chain(form));
        let arrived = self.model.begin(request);
        if self.roll(10) == 0 {
            return;
        }
        self.clock.advance_seconds(self.roll(3) as i64);
        let alive = self.model.check(&token).alive;
        let reply = self.model.deliver(self.model.process(arrived)).unwrap();
        assert_eq!(reply.status == 200, alive, "{} {token}", self.class);
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        if alive {
            let access = body["access_token"].as_str().unwrap().to_owned();
            assert!(self.model.check(&access).newest);
            self.access.push(access);
            self.tokens.extend(body["refresh_token"].as_str().map(str::to_owned));
        }
    }

    fn userinfo(&self) {
        let token = self.some(&self.access);
        let alive = self.model.check(&token).alive;
        let request = ModelRequest::new(self.class, Endpoint::Userinfo);
        let request = request.header("authorization", &format!("Bearer {token}")).unwrap();
        let reply = self.model.deliver(self.model.process(self.model.begin(request))).unwrap();
        assert_eq!(reply.status == 200, alive, "{} {token}", self.class);
    }

    fn go(mut self, steps: usize) -> History {
        for _ in 0..steps {
            match self.roll(12) {
                0 => self.grant(),
                1 => self.clock.advance_seconds(self.roll(90) as i64),
                2 => self.userinfo(),
                3 if self.roll(20) == 0 => {
                    let family = self.model.check(&self.some(&self.tokens)).family;
                    family.map(|family| self.model.end_grant(family).unwrap());
                }
                _ => self.refresh(),
            }
        }
        let totals = self.model.totals();
        assert_eq!((totals.in_flight, totals.overlaps), (0, 0));
        self.model.history(&Default::default())
    }
}

#[test]
fn the_oracle_foretells_every_answer() {
    let (mut reuses, mut issued, mut ended) = (0, 0, 0);
    for class in RecoveryClass::ALL {
        for seed in 0..40 {
            let history = Walk::new(class, seed).go(250);
            reuses += history.reuses.len();
            issued += history.requests.iter().filter(|record| record.outcome == "issued").count();
            ended += history.events.iter().filter(|event| event.ended.is_some()).count();
        }
    }
    assert!(reuses > 1000 && issued > 1000 && ended > 100, "the walks went nowhere: {reuses} {issued} {ended}");
}

#[test]
fn the_same_seed_tells_the_same_history() {
    for class in RecoveryClass::ALL {
        let [one, other] = [0, 0].map(|_| Walk::new(class, 77).go(400));
        assert_eq!(one, other, "{class}");
        assert_ne!(one, Walk::new(class, 78).go(400), "{class}");
    }
}
