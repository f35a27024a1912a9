//! Every attempt is explainable from outside: what its timeline says, and what is counted.

use crate::world::World;
use crate::world::api::{app_id, text};
use mortise_domain::Timestamp;
use mortise_sandbox::RecoveryClass::{self, F, G, N, S, U};
use mortise_testkit::{Answer, Backend, Http};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

/// A connection of each class, whose tokens live for ten minutes.
async fn connected(world: &World, class: RecoveryClass) -> String {
    world.provider.lifetime(class, 600);
    world.api.register(&world.provider, class).await;
    world.api.connect("acme", class).await
}

/// The two newest lines: an attempt's beginning and its end.
async fn newest_attempt(world: &World, connection: &str) -> (Value, Value) {
    let page = world.api.get(&format!("/connections/{connection}/events?limit=2")).await.expect(200).json();
    let [ended, started] = page["items"].as_array().unwrap().as_slice() else { panic!("{page}") };
    assert_eq!(started["kind"], "refresh_started", "{page}");
    (started.clone(), ended.clone())
}

fn instant(value: &Value) -> Timestamp {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

/// What every end of an attempt says; answers the rest.
async fn explained(world: &World, connection: &str, reason: &str, asked: Option<&Answer>) -> (String, Value) {
    let (started, ended) = newest_attempt(world, connection).await;
    let detail = &ended["detail"];
    assert!(
        text(detail, "attempt").starts_with("att_") && detail["attempt"] == started["detail"]["attempt"],
        "{ended}"
    );
    assert!(instant(&started["at"]) <= instant(&ended["at"]) && text(&started, "id") < text(&ended, "id"), "{ended}");
    assert_eq!(detail["reason"], reason, "{ended}");
    let asked = asked.map(|answer| json!(answer.header("x-request-id"))).unwrap_or_default();
    assert_eq!(detail["request_id"], asked, "who asked: {ended}");
    assert!(detail["duration_ms"].is_u64() && !text(detail, "decided").is_empty(), "{ended}");
    let planned = world.api.connection(connection).await["next_refresh_at"].clone();
    assert_eq!(instant(&detail["next_refresh_at"]), instant(&planned), "{ended}");
    (text(&ended, "kind"), detail.clone())
}

async fn metrics(world: &World) -> String {
    Http::new().get(&format!("{}/metrics", world.api.base())).await.expect(200).body
}

#[track_caller]
fn assert_counted(metrics: &str, line: &str) {
    assert!(metrics.lines().any(|found| found == line), "no `{line}` in\n{metrics}");
}

#[tokio::test]
async fn a_timeline_says_what_was_asked_what_came_and_what_follows() {
    let world = World::serving(Backend::Postgres).await;
    let json_of = |status: u16, body: Value| json!({"status": status, "body": body.to_string(), "content_type": "application/json"});
    for (class, action, kind, outcome, status, error) in [
        (N, json!({"status": 503, "body": ""}), "refresh_ambiguous", "ambiguous", 503, json!(null)),
        (G, json!({"status": 429, "body": "", "retry_after": 7}), "refresh_failed", "throttled", 429, json!(null)),
        (U, json!({"error": "invalid_grant"}), "refresh_suspected", "grant_rejected", 400, json!("invalid_grant")),
        (S, json_of(418, json!({"error": "teapot"})), "refresh_failed", "unknown", 418, json!("teapot")),
        (F, json!({"error": "invalid_client"}), "refresh_failed", "app_misconfigured", 401, json!("invalid_client")),
    ] {
        let connection = connected(&world, class).await;
        let renewed = world.api.refresh(&connection).await.expect(200);
        let (well, detail) = explained(&world, &connection, "forced", Some(&renewed)).await;
        assert_eq!((well.as_str(), &detail["outcome"]), ("refreshed", &json!("refreshed")), "{class}");

        world.provider.script(class, "refresh_token", 1, action);
        let refused = world.api.refresh(&connection).await;
        assert!(refused.status >= 400, "{class}: {refused:?}");
        let (found, detail) = explained(&world, &connection, "forced", Some(&refused)).await;
        assert_eq!((found.as_str(), &detail["outcome"]), (kind, &json!(outcome)), "{class}: {detail}");
        assert_eq!((&detail["status"], &detail["error"]), (&json!(status), &error), "{class}: {detail}");
        assert!(detail["what"].is_string(), "{class}: {detail}");

        let metrics = metrics(&world).await;
        let provider = app_id(class);
        for (outcome, count) in [("refreshed", 1), (outcome, 1)] {
            let line = format!("mortise_refreshes_total{{provider=\"{provider}\",outcome=\"{outcome}\"}} {count}");
            assert_counted(&metrics, &line);
        }
    }
    world.end().await;
}

/// Whoever needed the token is named; the worker needs nobody.
#[tokio::test]
async fn a_timeline_names_the_request_that_a_refresh_was_sent_for() {
    let world = World::running(Backend::Sqlite).await;
    world.provider.lifetime(N, 3);
    world.api.register(&world.provider, N).await;
    let connection = world.api.connect("acme", N).await;
    let token = world.api.access_token(&connection).await;
    world.provider.wait_for_the_end_of(&token).await;
    let fetched = world.api.get(&format!("/connections/{connection}/token")).await.expect(200);
    let (started, ended) = newest_attempt(&world, &connection).await;
    assert_eq!(started["detail"]["attempt"], ended["detail"]["attempt"]);
    assert_eq!((&ended["detail"]["reason"], &ended["kind"]), (&json!("fetch"), &json!("refreshed")), "{ended}");
    assert_eq!(ended["detail"]["request_id"], json!(fetched.header("x-request-id")), "{ended}");
    assert_counted(&metrics(&world).await, "mortise_token_fetches_total{fresh=\"false\"} 2");

    world.provider.lifetime(F, 16);
    world.api.register(&world.provider, F).await;
    let connection = world.api.connect("acme", F).await;
    world.provider.lifetime(F, 600);
    world.api.wait_for_event(&connection, "refreshed", 1).await;
    explained(&world, &connection, "due", None).await;
    world.api.access_token(&connection).await;
    assert_counted(&metrics(&world).await, "mortise_token_fetches_total{fresh=\"true\"} 1");
    world.end().await;
}

/// The provider spent the token, and what it gave for it reached nobody.
#[tokio::test]
async fn a_lost_rotation_is_counted() {
    let world = World::serving(Backend::Sqlite).await;
    let connection = connected(&world, S).await;
    world.provider.script(S, "refresh_token", 1, json!({"drop": "after"}));
    assert_eq!(world.api.refresh(&connection).await.status, 503);
    let later = "UPDATE connections SET expires_at = 1, attempt_deadline = NULL, suspicions = 1, suspected_at = 1";
    world.database.connect().await.execute_unprepared(later).await.unwrap();
    assert_eq!(world.api.refresh(&connection).await.status, 409);
    let (_, ended) = newest_attempt(&world, &connection).await;
    let detail = &ended["detail"];
    assert_eq!((&ended["kind"], &detail["state_reason"]), (&json!("needs_reauth"), &json!("lost_rotation")), "{ended}");
    assert_eq!((&detail["outcome"], &detail["error"]), (&json!("grant_rejected"), &json!("invalid_grant")), "{ended}");
    assert!(detail["duration_ms"].is_u64() && detail["next_refresh_at"].is_null(), "{ended}");
    let metrics = metrics(&world).await;
    assert_counted(&metrics, "mortise_rotations_lost_total{provider=\"sandbox-s\",how=\"unanswered\"} 1");
    world.end().await;
}
