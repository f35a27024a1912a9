//! The row's history: every token that a caller was given is written down, and at the end all witnesses are heard.

use super::stage::Made;
use crate::world::api::Api;
use crate::world::provider::Provider;
use mortise_domain::{Clock as _, SystemClock};
use mortise_sandbox::{FamilyId, TokenId};
use mortise_testkit::Answer;
use mortise_testkit::history::{Connection, Fetch, History, Window};
use serde_json::Value;
use std::sync::{Arc, Mutex};

#[derive(Clone)]
pub struct Story {
    api: Api,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    made: Vec<(Made, Vec<FamilyId>)>,
    fetches: Vec<Fetch>,
    windows: Vec<Window>,
}

impl Story {
    pub fn new(api: Api) -> Self {
        Self { api, kept: Arc::default() }
    }

    /// The same story, told through another server.
    pub fn through(&self, api: Api) -> Self {
        Self { api, kept: self.kept.clone() }
    }

    /// These connections are judged in the end.
    pub fn knows(&self, made: &[Made]) {
        self.kept.lock().unwrap().made.extend(made.iter().map(|made| (made.clone(), vec![made.family])));
    }

    /// A new consent gave this connection another grant.
    pub fn reconnected(&self, made: &Made, family: FamilyId) {
        let mut kept = self.kept.lock().unwrap();
        kept.made.iter_mut().find(|(known, _)| known.id == made.id).expect("a known connection").1.push(family);
    }

    /// A fetch, whatever comes of it.
    pub async fn fetch(&self, connection: &str) -> Answer {
        let asked_at_ms = now();
        let answer = self.api.get(&format!("/connections/{connection}/token")).await;
        if answer.status == 200 {
            let token = TokenId::of(answer.json()["access_token"].as_str().unwrap()).to_string();
            let fetch = Fetch { connection: connection.to_owned(), asked_at_ms, answered_at_ms: now(), token };
            self.kept.lock().unwrap().fetches.push(fetch);
        }
        answer
    }

    /// A fetch that must be answered with the newest token there is, which the provider accepts.
    pub async fn served(&self, provider: &Provider, made: &Made) {
        let answer = self.fetch(&made.id).await.expect(200).json();
        let check = provider.sandbox.check(answer["access_token"].as_str().unwrap());
        assert!(check.alive && check.newest, "{} {} serves a token of {check:?}", made.class, made.id);
    }

    /// From now until [`Harmed::over`] a reply may be lost with whoever should receive it.
    pub fn harmed(&self) -> Harmed {
        Harmed { story: self.clone(), from_ms: now() }
    }

    /// Hears everybody.
    pub async fn judge(&self, provider: &Provider) {
        let oracle = provider.sandbox.oracle(&Default::default(), usize::MAX);
        self.judge_by(serde_json::to_value(oracle).unwrap()).await;
    }

    /// The same with this provider's report of its grants and token requests.
    pub async fn judge_by(&self, report: Value) {
        let mut history = History::of_provider(report).unwrap();
        let made = self.kept.lock().unwrap().made.clone();
        for (made, families) in made {
            let view = self.api.connection(&made.id).await;
            let families = families.iter().map(|family| family.0).collect();
            let mut connection = Connection::of_api(view, &self.timeline(&made.id).await, families).unwrap();
            connection.roots.push(made.root.to_string());
            history.connections.push(connection);
        }
        {
            let kept = self.kept.lock().unwrap();
            history.fetches.clone_from(&kept.fetches);
            history.windows.clone_from(&kept.windows);
        }
        history.assert_holds();
    }

    /// Every line, newest first.
    pub async fn timeline(&self, connection: &str) -> Vec<Value> {
        let (mut lines, mut more) = (Vec::new(), String::new());
        loop {
            let page =
                self.api.get(&format!("/connections/{connection}/events?limit=100{more}")).await.expect(200).json();
            lines.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(cursor) => more = format!("&cursor={cursor}"),
                None => return lines,
            }
        }
    }
}

/// A time in which somebody is harmed.
pub struct Harmed {
    story: Story,
    from_ms: i64,
}

impl Harmed {
    pub fn over(self) {
        let window = Window { from_ms: self.from_ms, to_ms: now(), family: None };
        self.story.kept.lock().unwrap().windows.push(window);
    }
}

pub fn now() -> i64 {
    SystemClock::new().now().timestamp_millis()
}
