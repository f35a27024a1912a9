//! Asking for tokens: what is in the answer, how many requests it costs, and what is served when a refresh fails.

use crate::world::PATIENCE;
use crate::world::World;
use crate::world::api::{app_id, assert_problem, text};
use futures_util::future::join_all;
use mortise_sandbox::{ClassSettingsPatch, RecoveryClass};
use mortise_testkit::{Backend, wait};
use serde_json::json;

const CLASS: RecoveryClass = RecoveryClass::F;

async fn connected(backend: Backend, lifetime: u32) -> (World, String) {
    let world = World::serving(backend).await;
    world.provider.lifetime(CLASS, lifetime);
    world.api.register(&world.provider, CLASS).await;
    let connection = world.api.connect("acme", CLASS).await;
    (world, connection)
}

#[tokio::test]
async fn fifty_fetches_of_an_ended_token_are_one_request() {
    let (world, connection) = connected(Backend::Postgres, 2).await;
    let ended = world.api.access_token(&connection).await;
    let before = world.provider.count(CLASS, "refresh_token");
    world.provider.wait_for_the_end_of(&ended).await;
    world.provider.lifetime(CLASS, 600);
    // Slow enough for all of them to arrive meanwhile.
    world.provider.script(CLASS, "refresh_token", 1, json!({"delay_ms": 1500}));
    let tokens = join_all((0..50).map(|_| world.api.access_token(&connection))).await;
    assert!(tokens.iter().all(|token| *token == tokens[0] && *token != ended));
    assert_eq!(world.provider.count(CLASS, "refresh_token"), before + 1);
    assert!(world.provider.alive(&tokens[0]));
    let totals = world.provider.sandbox.totals();
    assert_eq!((totals.reuse_events, totals.overlaps), (0, 0));
    world.end().await;
}

#[tokio::test]
async fn the_answer_has_what_a_caller_needs_and_nothing_else() {
    let (world, connection) = connected(Backend::Sqlite, 600).await;
    let answer = world.api.get(&format!("/connections/{connection}/token")).await.expect(200);
    assert!(answer.header("cache-control").contains("no-store"), "{answer:?}");
    assert!(!answer.body.contains("sbx_rt_"), "a refresh token was handed out");
    let body = answer.json();
    let mut members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    let wanted = [
        "access_token",
        "connection",
        "expires_at",
        "expires_in",
        "extra",
        "granted_scopes",
        "missing_scopes",
        "refresh_after",
        "token_type",
    ];
    assert_eq!(members, wanted);
    assert_eq!(body["token_type"].as_str().map(str::to_ascii_lowercase).as_deref(), Some("bearer"));
    assert!((540..=600).contains(&body["expires_in"].as_i64().unwrap()), "{body}");
    assert!(text(&body, "refresh_after") < text(&body, "expires_at"), "{body}");

    let batch = json!({"tokens": [{"connection": connection}, {"customer": "acme", "app": app_id(CLASS)}, {"customer": "nobody", "app": app_id(CLASS)}]});
    let items = world.api.post("/tokens", &batch).await.expect(200).json()["items"].clone();
    assert_eq!(items[0]["token"]["access_token"], body["access_token"], "{items}");
    assert_eq!(items[1]["token"]["access_token"], body["access_token"], "{items}");
    assert_eq!(items[2]["problem"]["code"], "not_found", "{items}");
    world.end().await;
}

#[tokio::test]
async fn more_life_than_tokens_have_is_refused_and_costs_nothing() {
    let (world, connection) = connected(Backend::Sqlite, 600).await;
    world.api.get(&format!("/connections/{connection}/token?min_ttl=300")).await.expect(200);
    let answer = world.api.get(&format!("/connections/{connection}/token?min_ttl=900")).await;
    assert_problem(&answer, 409, "min_ttl_unavailable");
    assert!(text(&answer.json(), "detail").contains("300"), "it says what can be had: {answer:?}");
    assert_eq!(world.provider.count(CLASS, "refresh_token"), 0);
    world.end().await;
}

#[tokio::test]
async fn scopes_that_were_not_granted_are_told() {
    let world = World::serving(Backend::MariaDb).await;
    let extra = json!({"scope": "profile"}).as_object().cloned();
    world.provider.sandbox.configure(CLASS, ClassSettingsPatch { extra, ..ClassSettingsPatch::default() }).unwrap();
    world.api.register(&world.provider, CLASS).await;
    let connection = world.api.connect("acme", CLASS).await;
    for answer in [world.api.token(&connection).await, world.api.connection(&connection).await] {
        assert_eq!(answer["granted_scopes"], json!(["profile"]));
        assert_eq!(answer["missing_scopes"], json!(["contacts.read"]));
    }
    world.end().await;
}

#[tokio::test]
async fn a_valid_token_is_served_while_refreshing_fails() {
    let (world, connection) = connected(Backend::Sqlite, 16).await;
    let token = world.api.access_token(&connection).await;
    world.provider.script(CLASS, "refresh_token", 2, json!({"status": 500}));
    // From some moment on a fetch wants a newer token and cannot have it: the old one is as good as before.
    let served = wait::until(PATIENCE, async || {
        let answer = world.api.access_token(&connection).await;
        Ok((world.provider.count(CLASS, "refresh_token") > 0).then_some(answer))
    });
    assert_eq!(served.await.unwrap(), token);
    let view = world.api.connection(&connection).await;
    assert_eq!((&view["state"], &view["failures"]), (&json!("active"), &json!(1)), "{view}");

    // With the token's end there is nothing left to serve, until the provider is well again.
    world.provider.wait_for_the_end_of(&token).await;
    let answer = world.api.get(&format!("/connections/{connection}/token")).await;
    assert_problem(&answer, 503, "provider_unavailable");
    assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|wait| wait >= 1), "{answer:?}");
    world.provider.lifetime(CLASS, 600);
    let healed = wait::until(PATIENCE, async || {
        let answer = world.api.get(&format!("/connections/{connection}/token")).await;
        assert!([200, 503].contains(&answer.status), "{answer:?}");
        Ok((answer.status == 200).then(|| text(&answer.json(), "access_token")))
    });
    assert!(world.provider.alive(&healed.await.unwrap()));
    assert_eq!(world.provider.count(CLASS, "refresh_token"), 3, "the waits between attempts hold for fetches too");
    assert_eq!(world.provider.sandbox.totals().reuse_events, 0);
    world.end().await;
}
