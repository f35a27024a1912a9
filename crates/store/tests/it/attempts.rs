//! Connect sessions and authorization attempts.

use crate::world::{World, at, digest, event, id, sealed};
use futures_util::future::join_all;
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;
use std::collections::BTreeMap;

pub fn session(world: &World) -> ConnectSession {
    let id = id!(ConnectSessionId);
    let mut token_digest = digest(3);
    token_digest[..16].copy_from_slice(id.as_uuid().as_bytes());
    ConnectSession {
        id,
        environment: world.env,
        customer: world.customer.key,
        token_digest,
        apps: vec![world.app.key],
        connection: None,
        return_url: Some("https://a.example/back".to_owned()),
        status: SessionStatus::Open,
        result_connection: None,
        error: None,
        created_at: at(100),
        expires_at: at(1_000),
    }
}

/// A new attempt of a session that is stored.
pub async fn new(world: &World) -> Attempt {
    let session = session(world);
    world.store.connect_session_insert(&session).await.unwrap();
    Attempt {
        id: id!(AttemptId),
        environment: world.env,
        session: session.id,
        app: world.app.key,
        connector_version: 1,
        state_digest: session.token_digest,
        cookie_digest: digest(5),
        verifier: sealed("verifier"),
        variables: BTreeMap::from([("subdomain".to_owned(), "kim".to_owned())]),
        scopes: ScopeSet::parse("read write", " "),
        created_at: at(100),
        expires_at: at(700),
        consumed_at: None,
        code: None,
        completion_digest: None,
        code_expires_at: None,
    }
}

/// A session with an attempt, both stored.
pub async fn begun(world: &World) -> Attempt {
    let attempt = new(world).await;
    world.store.attempt_insert(&attempt).await.unwrap();
    attempt
}

async fn sessions(backend: Backend) {
    let world = World::new(backend).await;
    let (store, env) = (&world.store, world.env);
    let row = session(&world);
    store.connect_session_insert(&row).await.unwrap();
    assert!(matches!(store.connect_session_insert(&row).await, Err(StoreError::Conflict("connect session"))));
    assert_eq!(store.connect_session_get(env, row.id).await.unwrap(), Some(row.clone()));
    assert_eq!(store.connect_session_get(world.elsewhere().await, row.id).await.unwrap(), None);
    assert_eq!(store.connect_session_by_token(&row.token_digest).await.unwrap(), Some(row.clone()));
    assert_eq!(store.connect_session_by_token(&digest(77)).await.unwrap(), None);

    let (open, failed) = ([SessionStatus::Open], SessionStatus::Failed);
    assert!(store.connect_session_set_status(row.id, &open, failed, Some("denied")).await.unwrap());
    assert!(!store.connect_session_set_status(row.id, &open, SessionStatus::Completed, None).await.unwrap());
    let stored = store.connect_session_get(env, row.id).await.unwrap().unwrap();
    assert_eq!((stored.status, stored.error.as_deref()), (failed, Some("denied")));
}

async fn an_attempt_is_consumed_once(backend: Backend) {
    let world = World::new(backend).await;
    let attempt = begun(&world).await;
    assert_eq!(world.store.attempt_by_state(&attempt.state_digest).await.unwrap(), Some(attempt.clone()));
    assert!(!world.store.attempt_consume(attempt.id, at(700)).await.unwrap(), "too late");

    let other = world.other_process().await;
    let stores = [&world.store, &other];
    let consumers = (0..50).map(|n| stores[n % 2].attempt_consume(attempt.id, at(200)));
    let won = join_all(consumers).await.into_iter().filter(|won| *won.as_ref().unwrap()).count();
    assert_eq!(won, 1);
    let stored = world.store.attempt_by_state(&attempt.state_digest).await.unwrap();
    assert_eq!(stored, Some(Attempt { consumed_at: Some(at(200)), ..attempt }));
}

async fn a_code_waits_and_is_taken_once(backend: Backend) {
    let world = World::new(backend).await;
    let store = &world.store;
    let attempt = begun(&world).await;
    let hold = || store.attempt_hold_code(attempt.id, &WAITING, &CODE, at(260));
    static CODE: [u8; 32] = [8; 32];
    static WAITING: std::sync::LazyLock<Sealed> = std::sync::LazyLock::new(|| sealed("code"));
    assert!(!hold().await.unwrap(), "not consumed yet");
    assert!(store.attempt_consume(attempt.id, at(200)).await.unwrap());
    assert_eq!(store.attempt_awaiting(attempt.session).await.unwrap(), None);
    assert!(hold().await.unwrap());
    assert!(!hold().await.unwrap());
    let waiting = store.attempt_awaiting(attempt.session).await.unwrap().unwrap();
    assert_eq!((waiting.code, waiting.completion_digest), (Some(sealed("code")), Some(CODE)));
    assert_eq!(waiting.code_expires_at, Some(at(260)));

    let taken = join_all((0..20).map(|_| store.attempt_take_code(attempt.id))).await;
    assert_eq!(taken.into_iter().filter(|taken| *taken.as_ref().unwrap()).count(), 1);
    assert_eq!(store.attempt_awaiting(attempt.session).await.unwrap(), None);
    assert!(!hold().await.unwrap(), "a second code is not kept");
}

async fn a_grant_completes_its_session(backend: Backend) {
    let world = World::new(backend).await;
    let attempt = begun(&world).await;
    let grant = world.grant(None);
    let stored = world.store.connection_store_grant(&grant, event(EventKind::Connected), Some(attempt.session));
    stored.await.unwrap();
    let session = world.store.connect_session_get(world.env, attempt.session).await.unwrap().unwrap();
    assert_eq!((session.status, session.result_connection), (SessionStatus::Completed, Some(grant.id)));
}

async fn what_ended_is_swept(backend: Backend) {
    let world = World::new(backend).await;
    let store = &world.store;
    let attempt = begun(&world).await;
    assert_eq!(store.attempts_sweep(at(700)).await.unwrap(), 0);
    assert_eq!(store.connect_sessions_sweep(at(9_999)).await.unwrap(), 0, "an attempt still needs it");
    assert_eq!(store.attempts_sweep(at(701)).await.unwrap(), 1);
    assert_eq!(store.connect_sessions_sweep(at(1_000)).await.unwrap(), 0);
    assert_eq!(store.connect_sessions_sweep(at(1_001)).await.unwrap(), 1);
    assert_eq!(store.attempt_by_state(&attempt.state_digest).await.unwrap(), None);
}

on_every_database! {
    sessions,
    an_attempt_is_consumed_once,
    a_code_waits_and_is_taken_once,
    a_grant_completes_its_session,
    what_ended_is_swept,
}
