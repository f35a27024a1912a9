//! The provider in process: what each class does when requests and replies get lost, late or doubled, and that it
//! answers as the HTTP server does.

use crate::http::send;
use crate::kit::{start_with, tokens_of};
use mortise_domain::{ManualClock, SeededEntropy};
use mortise_sandbox::{
    Answer, ClassSettingsPatch, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Delivered, Endpoint, GrantFilter, Model,
    ModelRequest, RecoveryClass, SandboxConfig,
};
use serde_json::json;
use std::sync::Arc;

const GRACE: i64 = 30;

struct Bench {
    model: Model,
    clock: Arc<ManualClock>,
    class: RecoveryClass,
    first: String,
}

impl Bench {
    fn new(class: RecoveryClass) -> Self {
        let clock = Arc::new(ManualClock::at_unix(1_700_000_000));
        let entropy = Arc::new(SeededEntropy::new(1));
        let model = Model::new(SandboxConfig { clock: clock.clone(), entropy, ..SandboxConfig::default() }).unwrap();
        let seeded = model.seed_grants(class, 1).unwrap().remove(0);
        let first = seeded.refresh_token.unwrap().expose().to_owned();
        Self { model, clock, class, first }
    }

    fn request(&self, token: &str) -> ModelRequest {
        let client = [("client_id", DEFAULT_CLIENT_ID), ("client_secret", DEFAULT_CLIENT_SECRET)];
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        ModelRequest::form(self.class, Endpoint::Token, client.into_iter().chain(form))
    }

    fn process(&self, token: &str) -> Answer {
        self.model.process(self.model.begin(self.request(token)))
    }

    fn refresh(&self, token: &str) -> Delivered {
        self.model.deliver(self.process(token)).unwrap()
    }

    fn good(&self, token: &str) -> bool {
        self.model.check(token).alive
    }

    fn ended(&self) -> bool {
        self.model.oracle(&GrantFilter::default(), 0).grants[0].ended.is_some()
    }
}

/// The refresh token to go on with: the new one, or the old one where it never changes.
fn successor(reply: &Delivered, old: &str) -> String {
    assert_eq!(reply.status, 200);
    let (_, refresh) = tokens_of(&serde_json::from_slice(&reply.body).unwrap());
    if refresh.is_empty() { old.to_owned() } else { refresh }
}

/// What happened to the first try, and what becomes of the second in each class: accepted, and grant ended.
type Row = (&'static str, fn(&Bench), [(bool, bool); 6]);

#[test]
fn what_a_second_try_comes_to_in_each_class() {
    use RecoveryClass::{F, G, M, N, S, U};
    // For n m g u s f.
    let table: [Row; 6] = [
        (
            "lost before it had an effect",
            |bench| drop(bench.model.begin(bench.request(&bench.first))),
            [(true, false); 6],
        ),
        (
            "reply lost",
            |bench| drop(bench.process(&bench.first)),
            [(true, false), (true, false), (true, false), (true, false), (false, false), (false, true)],
        ),
        (
            "reply lost, and the grace is over",
            |bench| {
                drop(bench.process(&bench.first));
                bench.clock.advance_seconds(GRACE);
            },
            [(true, false), (true, false), (false, false), (true, false), (false, false), (false, true)],
        ),
        (
            "reply arrived and nothing of it was used",
            |bench| drop(bench.refresh(&bench.first)),
            [(true, false), (true, false), (true, false), (true, false), (false, false), (false, true)],
        ),
        (
            "reply arrived and the new refresh token was used",
            |bench| drop(bench.refresh(&successor(&bench.refresh(&bench.first), &bench.first))),
            [(true, false), (true, false), (true, false), (false, false), (false, false), (false, true)],
        ),
        (
            "the user withdrew the consent",
            |bench| assert!(bench.model.end_grant(bench.model.check(&bench.first).family.unwrap()).unwrap()),
            [(false, true); 6],
        ),
    ];
    for (name, first_try, expected) in table {
        for (class, (accepted, ended)) in [N, M, G, U, S, F].into_iter().zip(expected) {
            let bench = Bench::new(class);
            first_try(&bench);
            let second = bench.refresh(&bench.first);
            assert_eq!(second.status == 200, accepted, "{name}: {class}");
            assert_eq!(bench.ended(), ended, "{name}: {class}");
            let totals = bench.model.totals();
            assert_eq!((totals.overlaps, totals.in_flight), (0, 0), "{name}: {class}");
            let reuse = !accepted && name != "the user withdrew the consent";
            assert_eq!(totals.reuse_events, u64::from(reuse), "{name}: {class}");
        }
    }
}

#[test]
fn a_late_first_try_takes_effect_after_the_second() {
    use RecoveryClass::{F, G, M, N, S, U};
    // the second try's successor is still good after the first try took effect at last
    for (class, survives) in [(N, true), (M, true), (G, true), (U, true), (S, true), (F, false)] {
        let bench = Bench::new(class);
        let late = bench.model.begin(bench.request(&bench.first));
        bench.clock.advance_seconds(5);
        late.client_left();
        bench.clock.advance_seconds(5);
        let held = successor(&bench.refresh(&bench.first), &bench.first);
        let answer = bench.model.process(late);
        drop(answer);
        assert_eq!(bench.good(&held), survives, "{class}");
        let history = bench.model.history(&Default::default());
        assert_eq!((history.overlaps.len(), history.overlaps[0].earlier_left), (1, true), "{class}");
        assert_eq!(history.requests[0].left_us, Some(5_000_000));
        assert_eq!(bench.model.totals().in_flight, 0);
    }
}

#[test]
fn scripted_waits_are_told_and_not_slept() {
    let bench = Bench::new(RecoveryClass::F);
    let script = |action| {
        let script = json!({"class": "f", "action": action});
        bench.model.script(serde_json::from_value(script).unwrap()).unwrap();
    };
    let seconds = |n| std::time::Duration::from_secs(n);
    let latency = ClassSettingsPatch { latency_ms: Some(1000), ..ClassSettingsPatch::default() };
    bench.model.configure(RecoveryClass::F, latency).unwrap();
    script(json!({"delay_ms": 3_000_000, "drop": "before"}));
    let arrived = bench.model.begin(bench.request(&bench.first));
    assert_eq!(arrived.wait(), seconds(3001));
    assert!(bench.model.deliver(bench.model.process(arrived)).is_none() && bench.good(&bench.first));
    script(json!({"hang": true}));
    let answer = bench.process(&bench.first);
    assert_eq!(answer.wait(), None);
    assert!(bench.model.deliver(answer).is_none() && bench.good(&bench.first));
    script(json!({"body": "0123456789", "drip_ms": 2000, "delay_ms": 1000, "delay": "after"}));
    assert_eq!(bench.process(&bench.first).wait(), Some(seconds(19)));
    script(json!({"truncate_at": 20}));
    let reply = bench.refresh(&bench.first);
    assert_eq!((reply.status, reply.body.len(), reply.whole), (200, 20, false));
    assert!(!bench.good(&bench.first));
    let lost = bench.model.history(&Default::default()).lost;
    assert_eq!(lost.iter().map(|lost| lost.request).collect::<Vec<_>>(), [4]);
}

/// One client's day at both: the same bytes come back, as both draw the same tokens at the same time.
#[tokio::test]
async fn it_answers_as_the_server_does() {
    let config =
        || SandboxConfig { base_url: Some("http://sandbox.test".parse().unwrap()), ..SandboxConfig::default() };
    let kit = start_with(config()).await;
    let clock = Arc::new(ManualClock::at_unix(1_700_000_000));
    let entropy = Arc::new(SeededEntropy::new(1));
    let model = Model::new(SandboxConfig { clock: clock.clone(), entropy, ..config() }).unwrap();
    let basic = "Basic c2FuZGJveC1jbGllbnQ6c2FuZGJveC1zZWNyZXQ=";
    for class in RecoveryClass::ALL {
        let seeded = model.seed_grants(class, 1).unwrap().remove(0);
        let twin = kit.sandbox.seed_grants(class, 1).unwrap().remove(0);
        let (access, refresh) = (seeded.access_token.expose(), seeded.refresh_token.as_ref().unwrap().expose());
        assert_eq!((access, refresh), (twin.access_token.expose(), twin.refresh_token.as_ref().unwrap().expose()));
        let bearer = format!("Bearer {access}");
        let exchange = format!("grant_type=refresh_token&refresh_token={refresh}");
        let scope = format!("{exchange}&scope=more");
        let (token, other) = (format!("token={refresh}"), format!("token={access}"));
        let form = "application/x-www-form-urlencoded";
        let steps = [
            ("userinfo", bearer.as_str(), "", ""),
            ("userinfo", "Bearer nothing", "", ""),
            ("token", basic, form, scope.as_str()),
            ("token", "Basic AAAA", form, exchange.as_str()),
            ("token", basic, "text/plain", exchange.as_str()),
            ("token", basic, "application/json", "{}"),
            ("token", basic, form, "grant_type=client_credentials"),
            ("token", basic, form, exchange.as_str()),
            ("introspect", basic, form, token.as_str()),
            ("introspect", basic, form, other.as_str()),
            ("token", basic, form, exchange.as_str()),
            ("revoke", basic, form, other.as_str()),
            ("revoke", basic, form, token.as_str()),
            ("token", basic, form, exchange.as_str()),
        ];
        for (index, (endpoint, authorization, content_type, body)) in steps.into_iter().enumerate() {
            let path = format!("/{class}/{endpoint}");
            let mut request = ModelRequest::to(&path).unwrap().header("authorization", authorization).unwrap();
            let mut headers = vec![("Authorization", authorization)];
            if !content_type.is_empty() {
                request = request.header("content-type", content_type).unwrap();
                headers.push(("Content-Type", content_type));
            }
            let own = model.deliver(model.process(model.begin(request.body(body)))).unwrap();
            let method = if endpoint == "userinfo" { "GET" } else { "POST" };
            let theirs = send(kit.sandbox.addr(), method, &path, &headers, body.as_bytes()).await.unwrap();
            assert_eq!((own.status, &own.body), (theirs.status, &theirs.body), "{class} step {index}");
            for (name, value) in &own.headers {
                assert_eq!(theirs.header(name), Some(value.as_str()), "{class} step {index}");
            }
        }
        clock.advance_seconds(20);
        kit.clock.advance_seconds(20);
    }
    let reports = [model.oracle(&GrantFilter::default(), 0), kit.sandbox.oracle(&GrantFilter::default(), 0)];
    assert_eq!(reports[0], reports[1]);
}
