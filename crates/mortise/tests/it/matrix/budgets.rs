//! Rows 37 and 38, and the first seconds of row 25: what one provider gives, and what it gets from here, whoever asks.

use super::hands::{LOOKS, looks, soon};
use super::stage::{Made, Stage};
use crate::world::START;
use crate::world::api::app_id;
use mortise_sandbox::RecoveryClass::N;
use mortise_sandbox::{Mode, StandingMode};
use mortise_testkit::Answer;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// A server serves, and the provider's manifest is changed like this.
async fn serving(auth: Value) -> Stage {
    let mut stage = Stage::set(60).await;
    stage.world.serve().await;
    let change = |manifest: &mut Value| {
        manifest["auth"].as_object_mut().unwrap().extend(auth.as_object().unwrap().clone());
    };
    stage.world.api.register_changed(&stage.world.provider, N, change).await;
    stage.world.provider.lifetime(N, 3600);
    stage
}

/// Both servers are asked for tokens and for refreshes, many times at once.
async fn storm(
    stage: &Stage,
    second: &super::story::Story,
    apis: [crate::world::api::Api; 2],
    made: &Made,
) -> Vec<Answer> {
    let mut callers: JoinSet<Answer> = JoinSet::new();
    for caller in 0..40 {
        let story = if caller % 2 == 0 { stage.story.clone() } else { second.clone() };
        let (api, id) = (apis[caller % 2].clone(), made.id.clone());
        callers.spawn(async move { if caller % 4 < 2 { story.fetch(&id).await } else { api.refresh(&id).await } });
    }
    callers.join_all().await
}

/// One connection may be renewed three times in ten minutes. Storms of callers, two servers and a worker make that three.
#[tokio::test]
async fn row_38_storms_never_exceed_what_one_connection_may_have() {
    let rate = json!({"requests": 3, "seconds": 600});
    let mut stage = serving(json!({"mint_rate": rate})).await;
    let patch = serde_json::from_value(json!({"mint_rate": rate})).unwrap();
    stage.world.provider.sandbox.configure(N, patch).unwrap();
    let (made, other) = (stage.import(N, 1).await.remove(0), stage.import(N, 1).await.remove(0));
    let (mut process, second) = stage.server("second").await;
    let mut worker = stage.launch("worker").env("MORTISE_LOG", LOOKS).start();
    let (story, one) = (stage.story.through(second.clone()), std::slice::from_ref(&made));
    for _ in 0..6 {
        // Its token has ended once more, and it is due once more.
        stage
            .run(&format!("UPDATE connections SET expires_at = 1 WHERE id = '{}'", super::hands::uuid_of(&made.id)))
            .await;
        stage.make_due(one).await;
        for answer in storm(&stage, &story, [stage.world.api.clone(), second.clone()], &made).await {
            let told = answer.status == 200 || answer.header("retry-after").parse::<u64>().is_ok_and(|wait| wait >= 1);
            assert!(told && [200, 429, 503].contains(&answer.status), "{answer:?}");
        }
        looks(&worker, 1).await;
    }
    let outcomes: Vec<String> = stage.requests(&made).into_iter().map(|request| request.outcome.to_string()).collect();
    assert_eq!(outcomes, ["issued"; 3], "the provider was asked more often than it allows, or less");
    // The worker has left it for when it may be renewed, and whoever asks is told how long that is.
    soon("a time at which it may be renewed", async || {
        let view = stage.world.api.connection(&made.id).await;
        view["next_refresh_at"].as_str() > view["updated_at"].as_str()
    })
    .await;
    let refused = stage.world.api.refresh(&made.id).await;
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!(refused.status == 503 && (60..=600).contains(&wait), "{refused:?}");
    // Others have budgets of their own.
    stage.world.api.refresh(&other.id).await.expect(200);
    for process in [&mut process, &mut worker] {
        assert!(process.sigterm(START).await.success(), "{}", process.output());
    }
    stage.end().await;
}

/// The provider keeps two grants of one account, and three customers connect with the same one: the first is warned when
/// there are two, and told what happened to it when there are three.
#[tokio::test]
async fn row_37_newer_grants_of_an_account_push_the_oldest_out() {
    let auth = json!({
        "max_live": 2,
        "token_response": {"extra": {"account": "/user"}},
        "refresh_errors": {"permanent": ["invalid_grant"]},
    });
    let stage = serving(auth).await;
    let says = |user: &str| {
        let patch = serde_json::from_value(json!({"max_live": 2, "extra": {"user": user}})).unwrap();
        stage.world.provider.sandbox.configure(N, patch).unwrap();
    };
    let warned =
        async |id: &str| stage.world.api.events(id).await.iter().filter(|kind| *kind == "account_full").count();
    // Somebody else's account, as far as the token replies tell, is not counted with it.
    says("robin");
    let other = stage.world.api.connect("other", N).await;
    stage.world.api.delete(&format!("/connections/{other}")).await.expect(204);
    says("alex");
    let first = stage.world.api.connect("first", N).await;
    assert_eq!(warned(&first).await, 0);
    let second = stage.world.api.connect("second", N).await;
    assert_eq!((warned(&first).await, warned(&second).await), (1, 0), "before anything is lost");
    let third = stage.world.api.connect("third", N).await;
    assert_eq!((warned(&first).await, warned(&second).await, warned(&third).await), (1, 1, 0));

    stage.gate.make_due([&first, &second, &third]).await;
    let mut worker = stage.worker("worker");
    let ended = stage.world.api.wait_for_state(&first, "needs_reauth").await;
    assert_eq!(ended["state_reason"], "evicted", "{ended}");
    for id in [&second, &third] {
        stage.world.api.wait_for_event(id, "refreshed", 1).await;
        stage.world.api.get(&format!("/connections/{id}/token")).await.expect(200);
    }
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    // Nobody wrote down what the provider gave at consent: only its own word counts.
    stage.end_without_history().await;
}

/// Everything is due and the provider is away from the first request on: what it gets before its breaker opens is a few
/// from each process, and not what each has room for.
#[tokio::test]
async fn row_25_an_outage_is_noticed_by_a_few() {
    let mut stage = serving(json!({})).await;
    let made = stage.import(N, 60).await;
    let refreshes = Some("refresh_token".to_owned());
    let away =
        StandingMode { class: Some(N), endpoint: Default::default(), grant_type: refreshes, mode: Mode::Status(503) };
    stage.world.provider.sandbox.mode(away).unwrap();
    stage.make_due(&made).await;
    let begun = super::story::now();
    let mut workers = ["first", "second"].map(|name| stage.launch(name).env("MORTISE_LOG", LOOKS).start());
    stage.wait_for_requests(&made, 5).await;
    for worker in &workers {
        looks(worker, 3).await;
    }
    let seconds = usize::try_from((super::story::now() - begun) / 1000).unwrap();
    // Five from each, what was under way when the fifth failed among them, and one probe in five seconds.
    let asked = stage.asked(&made);
    assert!(asked <= 2 * 5 + 2 + seconds / 5, "{asked} requests in {seconds} s from two workers with 60 due");
    for worker in &mut workers {
        assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    }
    for made in &made {
        assert_eq!(stage.world.api.connection(&made.id).await["state"], "active");
    }
    stage.story.judge(&stage.world.provider).await;
    stage.world.end().await;
}

/// An app's own budget binds it beside the provider's: one refresh in the whole test, however many are due.
#[tokio::test]
async fn an_app_keeps_to_its_own_budget() {
    let mut stage = serving(json!({})).await;
    let made = stage.import(N, 6).await;
    let path = format!("/apps/{}", app_id(N));
    let app = stage.world.api.get(&path).await.expect(200).json();
    let change = |budget: Value| {
        let mut settings = app["settings"].clone();
        settings.as_object_mut().unwrap().extend(budget.as_object().unwrap().clone());
        json!({"connector": app["connector"], "client_id": app["client_id"], "scopes": app["scopes"], "settings": settings})
    };
    let wrong = json!({"rate_limit": {"requests": 0, "seconds": 60}, "concurrency": 0});
    let refused = stage.world.api.put(&path, &change(wrong)).await.expect(422).json();
    for pointer in ["/settings/rate_limit/requests", "/settings/concurrency"] {
        assert!(refused["errors"].as_array().unwrap().iter().any(|fault| fault["pointer"] == pointer), "{refused}");
    }
    let budget = json!({"rate_limit": {"requests": 1, "seconds": 86_400}});
    let changed = stage.world.api.put(&path, &change(budget.clone())).await.expect(200).json();
    assert_eq!(changed["settings"]["rate_limit"], budget["rate_limit"]);
    stage.make_due(&made).await;
    let mut worker = stage.launch("worker").env("MORTISE_LOG", LOOKS).start();
    stage.wait_for_requests(&made, 1).await;
    looks(&worker, 3).await;
    assert_eq!(stage.asked(&made), 1);
    // Without it they go on.
    stage.world.api.put(&path, &change(json!({}))).await.expect(200);
    stage.wait_for_generation(&made, 2).await;
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}
