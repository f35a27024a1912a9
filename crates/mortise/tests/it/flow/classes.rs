//! The same life of a connection at a provider of each recovery class, spread over the three databases.

use crate::world::api::app_id;
use crate::world::{PATIENCE, World};
use mortise_sandbox::RecoveryClass;
use mortise_testkit::{Backend, wait};
use serde_json::json;

#[tokio::test]
async fn refresh_tokens_that_never_change() {
    a_whole_life(RecoveryClass::N, Backend::Sqlite).await;
}

#[tokio::test]
async fn refresh_tokens_that_multiply() {
    a_whole_life(RecoveryClass::M, Backend::Postgres).await;
}

#[tokio::test]
async fn refresh_tokens_with_a_grace_period() {
    a_whole_life(RecoveryClass::G, Backend::MariaDb).await;
}

#[tokio::test]
async fn refresh_tokens_that_last_until_their_successor_is_used() {
    a_whole_life(RecoveryClass::U, Backend::MariaDb).await;
}

#[tokio::test]
async fn refresh_tokens_that_work_once() {
    a_whole_life(RecoveryClass::S, Backend::Postgres).await;
}

#[tokio::test]
async fn refresh_tokens_whose_reuse_ends_the_grant() {
    a_whole_life(RecoveryClass::F, Backend::Sqlite).await;
}

async fn a_whole_life(class: RecoveryClass, backend: Backend) {
    let mut world = World::running(backend).await;
    world.provider.lifetime(class, 16);
    world.api.register(&world.provider, class).await;
    let connection = world.api.connect("acme", class).await;
    let first = world.api.token(&connection).await;
    let first_token = first["access_token"].as_str().unwrap();
    assert_eq!(world.provider.userinfo(class, first_token).await["sub"], "alex");
    assert_eq!(first["granted_scopes"], json!(["contacts.read", "profile"]));
    assert_eq!((&first["missing_scopes"], &first["connection"]), (&json!([]), &json!(connection)));
    assert_eq!(first["extra"]["instance_url"], world.provider.sandbox.issuer(class));

    // Nobody asks for anything: the worker alone renews it, twice.
    world.api.wait_for_event(&connection, "refreshed", 2).await;
    world.provider.lifetime(class, 600);
    world.api.wait_for_event(&connection, "refreshed", 3).await;
    let log = world.stop_worker().await;
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    stores_the_newest_refresh_token(&world, class, &connection).await;
    let by_name = format!("/token?customer=acme&app={}", app_id(class));
    let token = world.api.get(&by_name).await.expect(200).json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(world.provider.userinfo(class, &token).await["sub"], "alex");

    let events = world.api.events(&connection).await;
    assert_eq!(events[0], "connected");
    let attempts = |kind: &str| events.iter().filter(|event| *event == kind).count();
    assert_eq!(attempts("refresh_started"), attempts("refreshed"), "{events:?}");
    assert_eq!(events.len(), 1 + 2 * attempts("refreshed"), "nothing else happened: {events:?}");
    assert_eq!(world.provider.count(class, "refresh_token"), attempts("refreshed"));
    let totals = world.provider.sandbox.totals();
    assert_eq!((totals.reuse_events, totals.overlaps, totals.grants), (0, 0, 1));

    world.api.delete(&format!("/connections/{connection}")).await.expect(204);
    let ended = wait::until(PATIENCE, async || {
        let grant = world.provider.grant(class);
        Ok((grant.alive_refresh_tokens.is_empty() && grant.alive_access_tokens.is_empty()).then_some(()))
    });
    ended.await.unwrap();
    world.api.wait_for_event(&connection, "revoked_upstream", 1).await;
    assert_eq!(world.api.connection(&connection).await["state"], "revoked");
    let log = world.server.as_ref().unwrap().output();
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    world.end().await;
}

/// A forced refresh shows which refresh token is stored: it has to be the newest that the provider gave, which is the only
/// one alive where old ones end.
async fn stores_the_newest_refresh_token(world: &World, class: RecoveryClass, connection: &str) {
    let newest = world.provider.newest_refresh_token(class);
    let view = world.api.refresh(connection).await.expect(200).json();
    assert_eq!(view["state"], "active");
    let requests = world.provider.token_requests(class);
    let last = requests.last().unwrap();
    assert_eq!((last.token, last.outcome, last.overlapped), (Some(newest), "issued", false));
    assert!(requests.iter().all(|request| request.outcome == "issued"), "{requests:?}");
    let grant = world.provider.grant(class);
    let alive = grant.alive_refresh_tokens.len();
    match class {
        RecoveryClass::N | RecoveryClass::S | RecoveryClass::F => assert_eq!(alive, 1, "{grant:?}"),
        RecoveryClass::U => assert!((1..=2).contains(&alive), "{grant:?}"),
        RecoveryClass::G => assert!(alive >= 1, "{grant:?}"),
        RecoveryClass::M => assert_eq!(alive, usize::try_from(grant.generation).unwrap(), "{grant:?}"),
    }
    if class == RecoveryClass::N {
        assert_eq!(grant.alive_refresh_tokens[0].id, newest);
    } else {
        assert_eq!(grant.alive_refresh_tokens.last().map(|token| token.id), last.new_refresh_token);
    }
}
