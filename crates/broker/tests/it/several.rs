//! A connection whose provider gives two tokens with one consent: both are kept fresh, and both end.

use crate::bench::Bench;
use mortise_broker::{CallbackOutcome, Error, TokenAnswer};
use mortise_domain::{ConnectionId, ConnectionState, EventKind, StateReason};
use mortise_oauth::SendError;
use mortise_oauth::testing::body_params;
use mortise_testkit::Canaries;
use serde_json::{Value, json};

const AUTH: &str = "  recovery_class: F\n  refresh_errors: {permanent: [invalid_refresh_token]}\n  token_response:\n    \
     further: {user: {access_token: /user/access_token, refresh_token: /user/refresh_token, expires_in: /user/expires_in, \
     scope: /user/scope}}\n";

/// A reply that is about one token.
fn one(kind: &str, number: u32, life: i64) -> Value {
    json!({
        "access_token": format!("canary-{kind}-at-{number}"), "refresh_token": format!("canary-{kind}-rt-{number}"),
        "token_type": "Bearer", "expires_in": life,
    })
}

/// The reply to a code: the bot's token lives for an hour.
fn both(user_life: i64) -> Value {
    let mut reply = one("bot", 1, 3600);
    reply["user"] = one("user", 1, user_life);
    reply["user"]["scope"] = json!("user.read");
    reply
}

async fn connected(bench: &Bench, reply: &Value) -> ConnectionId {
    let flow = bench.start(&bench.link(None).await).await;
    bench.provider.json(200, reply);
    match bench.finish(&flow, &[("code", "code"), ("state", &flow.state)]).await.unwrap() {
        CallbackOutcome::Connected { connection, .. } => connection,
        CallbackOutcome::AwaitingCompletion { .. } => panic!("the finisher check is off in dev"),
    }
}

async fn scene(user_life: i64) -> (Bench, ConnectionId) {
    let bench = Bench::with(AUTH).await;
    let id = connected(&bench, &both(user_life)).await;
    bench.provider.take_requests();
    (bench, id)
}

async fn refreshed(bench: &Bench, reply: &Value) {
    bench.provider.json(200, reply);
    bench.make_due().await;
    assert_eq!(bench.work().await, 1);
}

/// The refresh tokens that were sent since the last look, without their common beginning.
fn sent(bench: &Bench) -> Vec<String> {
    let short = |token: &String| token.trim_start_matches("canary-").to_owned();
    bench.provider.take_requests().iter().filter_map(|r| body_params(r).get("refresh_token").map(short)).collect()
}

fn handed(answer: &TokenAnswer) -> (String, Option<String>) {
    let short = |token: &str| token.trim_start_matches("canary-").to_owned();
    let user = answer.further_tokens.as_ref().and_then(|further| further.get("user"));
    (short(answer.access_token.expose()), user.map(|user| short(user.access_token.expose())))
}

fn pair(bot: &str, user: &str) -> (String, Option<String>) {
    (bot.to_owned(), Some(user.to_owned()))
}

#[tokio::test]
async fn both_are_renewed_in_turn_and_handed_out_together() {
    let (bench, id) = scene(1800).await;
    let answer = bench.token(id, None).await.unwrap();
    assert_eq!(handed(&answer), pair("bot-at-1", "user-at-1"));
    let user = &answer.further_tokens.as_ref().unwrap()["user"];
    assert_eq!(user.granted_scopes, ["user.read"].into_iter().collect());
    let (own_end, user_end) = (answer.expires_at.unwrap(), user.expires_at.unwrap());
    assert_eq!((own_end - user_end).num_seconds(), 1800, "each has its own end");
    assert_eq!(bench.view(id).await.expires_at, Some(user_end), "the connection's is the earliest");
    // The user's ends first, then the bot's, then the user's new one does again.
    refreshed(&bench, &one("user", 2, 7200)).await;
    assert_eq!(handed(&bench.token(id, None).await.unwrap()), pair("bot-at-1", "user-at-2"));
    let view = bench.view(id).await;
    assert_eq!(view.expires_at, Some(own_end));
    assert!(view.next_refresh_at.unwrap() < own_end, "the other is planned as it was");
    refreshed(&bench, &one("bot", 2, 86_400)).await;
    refreshed(&bench, &json!({"access_token": "canary-user-at-3", "token_type": "bearer", "expires_in": 7200})).await;
    refreshed(&bench, &one("user", 4, 172_800)).await;
    refreshed(&bench, &one("bot", 3, 3600)).await;
    assert_eq!(handed(&bench.token(id, None).await.unwrap()), pair("bot-at-3", "user-at-4"));
    assert_eq!(sent(&bench), ["user-rt-1", "bot-rt-1", "user-rt-2", "user-rt-2", "bot-rt-2"]);
    let user = &bench.token(id, None).await.unwrap().further_tokens.unwrap()["user"];
    assert_eq!(user.granted_scopes, ["user.read"].into_iter().collect(), "what a refresh leaves out stays");
}

#[tokio::test]
async fn one_that_ends_at_the_same_time_is_due_at_once_after_the_other() {
    let (bench, id) = scene(3600).await;
    refreshed(&bench, &one("bot", 2, 7200)).await;
    let first = bench.view(id).await;
    let left = first.expires_at.unwrap() - first.next_refresh_at.unwrap();
    assert!((500..1200).contains(&left.num_seconds()), "planned by the whole life of the one that is left: {left}");
    refreshed(&bench, &one("user", 2, 3600)).await;
    assert_eq!(sent(&bench), ["bot-rt-1", "user-rt-1"]);
}

#[tokio::test]
async fn after_a_lost_reply_the_same_token_is_asked_for_again() {
    let bench = Bench::with(&AUTH.replace("recovery_class: F", "recovery_class: N")).await;
    let id = connected(&bench, &both(1800)).await;
    bench.provider.take_requests();
    bench.provider.fail(SendError::Broken);
    bench.make_due().await;
    assert_eq!(bench.work().await, 1);
    bench.sql("UPDATE gates SET retry_credit = 10000").await;
    refreshed(&bench, &one("user", 2, 3600)).await;
    assert_eq!(sent(&bench), ["user-rt-1", "user-rt-1"]);
    assert_eq!(handed(&bench.token(id, None).await.unwrap()), pair("bot-at-1", "user-at-2"));
}

#[tokio::test]
async fn a_grant_that_missed_the_database_is_stored_whole_and_nothing_of_it_lies_in_clear() {
    let (bench, id) = scene(1800).await;
    bench
        .sql("CREATE TRIGGER away BEFORE UPDATE OF generation ON connections BEGIN SELECT RAISE(ABORT, 'away'); END")
        .await;
    bench.provider.json(200, &one("user", 2, 86_400));
    bench.make_due().await;
    bench.work().await;
    bench.sql("DROP TRIGGER away").await;
    assert_eq!(bench.spilled().len(), 1);
    let tokens = ["canary-bot-at-1", "canary-bot-rt-1", "canary-user-at-1", "canary-user-rt-1", "canary-user-rt-2"];
    let canaries = Canaries::new(tokens.map(|token| (token, token)));
    canaries.assert_absent_in_files(bench.folder.path().join("spill"));
    assert_eq!(handed(&bench.token(id, None).await.unwrap()), pair("bot-at-1", "user-at-1"));
    bench.sibling().await.check().await.unwrap();
    assert_eq!(bench.spilled().len(), 0);
    assert_eq!(handed(&bench.token(id, None).await.unwrap()), pair("bot-at-1", "user-at-2"));
    // Neither lost what it is renewed with.
    refreshed(&bench, &one("bot", 2, 172_800)).await;
    refreshed(&bench, &one("user", 3, 3600)).await;
    assert_eq!(sent(&bench), ["user-rt-1", "bot-rt-1", "user-rt-2"]);
    let file = bench.database.url().trim_start_matches("sqlite:").trim_start_matches("//");
    let file = file.split('?').next().unwrap();
    canaries.assert_absent_in_files(file);
}

#[tokio::test]
async fn the_end_of_the_connection_ends_every_token() {
    let (bench, id) = scene(1800).await;
    for _ in 0..4 {
        bench.provider.json(200, &json!({}));
    }
    bench.broker.delete_connection(&bench.caller, id).await.unwrap();
    bench.broker.revoke_due().await.unwrap();
    let told: Vec<_> = bench.provider.take_requests().iter().map(|r| body_params(r)["token"].clone()).collect();
    let mut expected = ["canary-bot-rt-1", "canary-bot-at-1", "canary-user-rt-1", "canary-user-at-1"].to_vec();
    let mut told: Vec<_> = told.iter().map(String::as_str).collect();
    told.sort_unstable();
    expected.sort_unstable();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_further_token_that_is_refused_for_good_needs_a_new_consent() {
    let (bench, id) = scene(1800).await;
    bench.provider.json(400, &json!({"error": "invalid_refresh_token"}));
    bench.make_due().await;
    bench.work().await;
    let view = bench.view(id).await;
    assert_eq!((view.state, view.state_reason), (ConnectionState::NeedsReauth, StateReason::RefreshTokenRejected));
    let page = mortise_broker::PageRequest { limit: Some(100), cursor: None };
    let events = bench.broker.timeline(&bench.caller, id, &page).await.unwrap();
    let last = events.items.iter().find(|event| event.kind == EventKind::NeedsReauth).unwrap();
    assert_eq!(last.detail["token"], "user", "the timeline says which");
}

#[tokio::test]
async fn a_fetch_asks_for_every_token_that_has_ended() {
    let bench = Bench::with(AUTH).await;
    let mut reply = one("bot", 1, 1);
    reply["user"] = one("user", 1, 1);
    let id = connected(&bench, &reply).await;
    bench.provider.take_requests();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    bench.provider.json(200, &one("bot", 2, 3600)).json(200, &one("user", 2, 3600));
    assert_eq!(handed(&bench.token(id, None).await.unwrap()), pair("bot-at-2", "user-at-2"));
    assert_eq!(sent(&bench), ["bot-rt-1", "user-rt-1"]);
}

#[tokio::test]
async fn the_own_token_is_served_while_a_further_one_cannot_be_renewed() {
    let (bench, id) = scene(1).await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    bench.provider.json(500, &json!({}));
    let answer = bench.token(id, None).await.unwrap();
    assert_eq!(handed(&answer), ("bot-at-1".to_owned(), None), "what has ended is not handed out");
    assert_eq!(answer.further_tokens.map(|further| further.len()), Some(0));
    assert!(bench.token(id, Some(10)).await.is_ok() && bench.provider.remaining() == 0, "and nobody is asked at once");
}

#[tokio::test]
async fn without_a_further_token_nothing_is_said_of_any() {
    let bench = Bench::with(AUTH).await;
    let id = connected(&bench, &one("bot", 1, 3600)).await;
    assert!(bench.token(id, None).await.unwrap().further_tokens.is_none());
    let mut later = both(1800);
    later.as_object_mut().unwrap().remove("refresh_token");
    refreshed(&bench, &later).await;
    assert_eq!(
        handed(&bench.token(id, None).await.unwrap()),
        pair("bot-at-1", "user-at-1"),
        "one that comes later is kept"
    );
    // And so is the refresh token that brought it.
    refreshed(&bench, &one("user", 2, 36_000)).await;
    refreshed(&bench, &one("bot", 2, 36_000)).await;
    assert_eq!(sent(&bench), ["bot-rt-1", "user-rt-1", "bot-rt-1"]);
}

#[tokio::test]
async fn an_own_token_that_has_ended_is_not_served_because_there_are_others() {
    let bench = Bench::with(AUTH).await;
    let mut reply = one("bot", 1, 1);
    reply["user"] = one("user", 1, 3600);
    let id = connected(&bench, &reply).await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    bench.provider.json(500, &json!({}));
    let refused = bench.token(id, None).await.unwrap_err();
    assert!(matches!(refused, Error::ProviderUnavailable { .. }), "{refused:?}");
}

#[tokio::test]
async fn the_most_life_to_ask_for_is_that_of_the_token_which_ends_first() {
    let (bench, id) = scene(600).await;
    // The user's was renewed long after it, so the row alone does not tell how long the bot's token lives.
    refreshed(&bench, &one("user", 2, 36_000)).await;
    bench.sql("UPDATE connections SET refreshed_at = refreshed_at + 1800000").await;
    let refused = bench.token(id, Some(3601)).await.unwrap_err();
    assert!(matches!(refused, Error::MinTtlUnavailable { most: 1800, .. }), "{refused:?}");
}

#[tokio::test]
async fn a_successor_that_comes_without_an_access_token_is_kept_for_the_token_whose_turn_it_was() {
    let (bench, id) = scene(1800).await;
    let busy = async |kind: &str, number: u32| {
        bench.provider.json(429, &json!({"refresh_token": format!("canary-{kind}-rt-{number}")}));
        bench.make_due().await;
        assert_eq!(bench.work().await, 1);
        bench.sql("DELETE FROM gates").await;
    };
    busy("user", 2).await;
    refreshed(&bench, &one("user", 3, 86_400)).await;
    busy("bot", 2).await;
    refreshed(&bench, &one("bot", 3, 172_800)).await;
    refreshed(&bench, &one("user", 4, 86_400)).await;
    assert_eq!(sent(&bench), ["user-rt-1", "user-rt-2", "bot-rt-1", "bot-rt-2", "user-rt-3"]);
    assert_eq!(handed(&bench.token(id, None).await.unwrap()), pair("bot-at-3", "user-at-4"));
}

#[tokio::test]
async fn the_same_further_token_again_is_asked_for_when_it_ends() {
    let (bench, id) = scene(1800).await;
    refreshed(&bench, &one("user", 1, 1800)).await;
    let view = bench.view(id).await;
    let left = view.expires_at.unwrap() - view.next_refresh_at.unwrap();
    assert!(left.num_seconds() <= 5, "not planned ahead: {left}");
}

#[tokio::test]
async fn a_further_token_without_a_refresh_token_of_its_own_is_renewed_with_the_connections() {
    let without = |number: u32| {
        let mut reply = one("bot", number, 3600);
        reply["user"] = json!({"access_token": format!("canary-user-at-{number}"), "expires_in": 600});
        reply
    };
    let bench = Bench::with(AUTH).await;
    let id = connected(&bench, &without(1)).await;
    bench.provider.take_requests();
    for number in 2..4 {
        let answer = bench.token(id, None).await.unwrap();
        let first_end = answer.further_tokens.unwrap()["user"].expires_at.unwrap();
        assert!(answer.refresh_after.unwrap() < first_end, "it would end before anybody asks");
        refreshed(&bench, &without(number)).await;
    }
    assert_eq!(handed(&bench.token(id, None).await.unwrap()), pair("bot-at-3", "user-at-3"));
    assert_eq!(sent(&bench), ["bot-rt-1", "bot-rt-2"]);
}

#[tokio::test]
async fn refresh_tokens_are_revoked_where_the_access_tokens_are_lost() {
    let (bench, id) = scene(1800).await;
    bench.sql("UPDATE connections SET access_token = X'00'").await;
    bench.provider.json(200, &json!({})).json(200, &json!({}));
    bench.broker.delete_connection(&bench.caller, id).await.unwrap();
    bench.broker.revoke_due().await.unwrap();
    let told: Vec<_> = bench.provider.take_requests().iter().map(|r| body_params(r)["token"].clone()).collect();
    assert_eq!(told, ["canary-bot-rt-1", "canary-user-rt-1"]);
}
