//! The run, and the list of what must not be found.

use super::errors;
use crate::gate::Gate;
use crate::site::Site;
use crate::wire::Wire;
use crate::world::api::{RETURN_URL, Session, app, app_id, text};
use crate::world::visitor::{Visitor, to};
use crate::world::{CLIENT_SECRET, START, World};
use mortise_sandbox::RecoveryClass::{self, F, N};
use mortise_sandbox::Script;
use mortise_testkit::{Canaries, Http};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use url::Url;

/// Stands in rows and is no secret.
pub const CUSTOMER: &str = "canary-customer-in-clear";
/// A token that was brought along.
pub const IMPORTED: &str = "canary-imported-access-token-9fQx";

pub struct Run {
    pub world: World,
    pub connection: String,
    /// What was in the worker's spill folder while its commit waited.
    pub spilled: Vec<String>,
    /// Outputs by process.
    pub logs: Vec<(String, String)>,
    pub metrics: String,
    /// Bodies of refusals by what was asked.
    pub errors: Vec<(String, String)>,
    secrets: BTreeMap<String, String>,
    wire: Wire,
}

impl Run {
    pub async fn through(mut world: World, gate: Option<Gate>) -> Self {
        world.set("MORTISE_LOG", "trace");
        world.serve().await;
        let wire = Wire::to(world.provider.sandbox.addr()).await;
        for (class, authentication) in [(F, "client_secret_basic"), (N, "client_secret_post")] {
            let over_the_wire = |manifest: &mut Value| {
                manifest["auth"]["client_authentication"] = json!(authentication);
                for endpoint in ["token", "revoke"] {
                    let name = if endpoint == "token" { "token_url" } else { "revocation_url" };
                    manifest["auth"][name] = json!(format!("{}/{class}/{endpoint}", wire.base()));
                }
            };
            world.api.register_changed(&world.provider, class, over_the_wire).await;
            world.provider.lifetime(class, 3600);
        }
        let mut run = Self {
            world,
            connection: String::new(),
            spilled: Vec::new(),
            logs: Vec::new(),
            metrics: String::new(),
            errors: Vec::new(),
            secrets: BTreeMap::new(),
            wire,
        };
        run.keep("the client secret", CLIENT_SECRET);
        run.keep("the imported token", IMPORTED);
        let key = run.world.api.key().to_owned();
        run.keep("the API key", &key);
        run.keep("the API key's secret", key.rsplit('_').next().unwrap());
        run.connection = run.connect(CUSTOMER, F).await;
        let other = run.connect(CUSTOMER, N).await;
        run.work(gate).await;
        for id in [run.connection.clone(), other.clone()] {
            run.world.api.refresh(&id).await.expect(200);
            let token = run.world.api.access_token(&id).await;
            run.keep("the token that was fetched", &token);
            run.world.provider.userinfo(if id == other { N } else { F }, &token).await;
        }
        run.administrate().await;
        errors::provoke(&mut run).await;
        run.leave_things_behind(&other).await;
        run.metrics = Http::new().get(&format!("{}/metrics", run.world.api.base())).await.expect(200).body;
        run
    }

    pub fn keep(&mut self, name: &str, secret: &str) {
        self.secrets.insert(name.to_owned(), secret.to_owned());
    }

    /// Every secret that the run knows, those on the wire among them.
    pub fn canaries(&self) -> Canaries {
        let mut all = self.secrets.clone();
        for name in ["code", "code_verifier", "client_secret", "access_token", "refresh_token"] {
            let seen = self.wire.values(name);
            assert!(!seen.is_empty(), "no {name} went over the wire");
            all.extend(seen.into_iter().enumerate().map(|(at, secret)| (format!("{name} {at}"), secret)));
        }
        let keys = std::fs::read(self.world.folder.path().join("keys.json")).unwrap();
        let keys: Value = serde_json::from_slice(&keys).unwrap();
        for key in keys["keys"].as_array().unwrap() {
            all.insert(format!("the key-encryption key {}", key["id"]), text(key, "key"));
        }
        Canaries::new(all.iter().map(|(name, secret)| (name.as_str(), secret.as_str())))
    }

    /// A customer consents; everything that the browser carries is kept.
    async fn connect(&mut self, customer: &str, class: RecoveryClass) -> String {
        let session = self.world.api.session(customer, json!({ "apps": [app_id(class)] })).await;
        self.visit(&session, class).await;
        self.world.api.result_of(&session).await
    }

    /// The browser's way from the link to the end; answers where the callback sent it.
    async fn visit(&mut self, session: &Session, class: RecoveryClass) -> String {
        let name = format!("{class} {}", session.id);
        self.keep(&format!("the link {name}"), session.url.rsplit('/').next().unwrap());
        let mut visitor = Visitor::new();
        let started = visitor.start(&session.url, &app_id(class)).await.expect(303);
        for cookie in started.headers.get_all("set-cookie") {
            let (_, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.keep(&format!("the cookie {name}"), value.split('.').next().unwrap());
        }
        let authorize = to(&started);
        self.keep(&format!("the state {name}"), &parameter(&authorize, "state"));
        let callback = visitor.decide(&authorize, "allow").await;
        self.keep(&format!("the code {name}"), &parameter(&callback, "code"));
        let answer = visitor.get(&callback).await;
        answer.header("location").to_owned()
    }

    /// A worker renews the connection; with a gate, its spill file is read while the commit waits.
    async fn work(&mut self, gate: Option<Gate>) {
        let (site, id) = (Site::new(), self.connection.clone());
        self.world.provider.lifetime(F, 16);
        self.world.api.refresh(&id).await.expect(200);
        let launch = site.launch(&self.world, "worker", &["worker"]).env("MORTISE_LOG_FORMAT", "json");
        let mut gate = gate;
        if let Some(gate) = &mut gate {
            gate.close().await;
        }
        let mut worker = launch.start();
        if let Some(gate) = &mut gate {
            gate.wait_for(1).await;
            self.spilled = site.spilled("worker").iter().map(Value::to_string).collect();
            gate.open().await;
        }
        self.world.provider.lifetime(F, 3600);
        self.world.api.wait_for_event(&id, "refreshed", 2).await;
        assert!(worker.sigterm(START).await.success(), "{}", worker.output());
        self.logs.push(("worker".to_owned(), worker.output()));
    }

    /// Secrets made, changed and wrapped anew.
    async fn administrate(&mut self) {
        let api = self.world.api.clone();
        let second = "canary-second-client-secret-hT3w";
        self.keep("the second client secret", second);
        let mut changed = app(N, second);
        changed.as_object_mut().unwrap().remove("id");
        api.put(&format!("/apps/{}", app_id(N)), &changed).await.expect(200);
        let key = json!({"name": "canary", "scopes": ["tokens:read"]});
        let request = Http::new().with_bearer(api.key()).request(Method::POST, &format!("{}/v1/api-keys", api.base()));
        let made =
            Http::new().send(request.header("idempotency-key", "canary-once").json(&key)).await.expect(201).json();
        self.keep("the second API key", &text(&made, "key"));
        for arguments in [&["keys", "rotate"][..], &["doctor"], &["keys", "status"]] {
            let mut process = self.world.launch(arguments).start();
            assert!(process.ended(START).await.success(), "{arguments:?}: {}", process.output());
            self.logs.push((arguments.join(" "), process.output()));
        }
    }

    /// A revocation that the provider has not heard of, and a code that waits for the backend's word.
    async fn leave_things_behind(&mut self, other: &str) {
        let script = json!({"class": N, "endpoint": "revoke", "times": 1000, "action": {"drop": "before"}});
        self.world.provider.sandbox.script(serde_json::from_value::<Script>(script).unwrap()).unwrap();
        self.world.api.delete(&format!("/connections/{other}")).await.expect(204);
        self.world.command(&["environments", "set", "dev", "--finisher-check", "required"]).await;
        let session =
            self.world.api.session("canary-two", json!({"apps": [app_id(F)], "return_url": RETURN_URL})).await;
        let back = self.visit(&session, F).await;
        self.keep("the completion code", &parameter(&back, "code"));
    }

    /// Ends the server and keeps what it logged.
    pub async fn stop(&mut self) {
        let mut server = self.world.server.take().expect("a server");
        assert!(server.sigterm(START).await.success(), "{}", server.output());
        self.logs.push(("server".to_owned(), server.output()));
    }

    pub async fn end(self) {
        self.world.end().await;
    }
}

fn parameter(url: &str, name: &str) -> String {
    let url = Url::parse(url).unwrap_or_else(|error| panic!("`{url}`: {error}"));
    let found = url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    found.unwrap_or_else(|| panic!("no {name} in {url}"))
}
