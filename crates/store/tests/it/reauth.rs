//! Ends of grants: what is stored of them, warnings, and use.

use crate::world::{World, at, event, failure, id, result, sealed};
use futures_util::future::join_all;
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use std::time::Duration;

const DAY: i64 = 86_400_000;
const NOW: i64 = 1_800_000_000_000;

/// A connection that was granted and ends so many days before and after `NOW`.
async fn ends(world: &World, granted: i64, ends: i64) -> ConnectionId {
    let grant = NewGrant {
        granted_at: at(NOW - granted * DAY),
        grant_expires_at: Some(at(NOW + ends * DAY)),
        ..world.grant(None)
    };
    world.store.connection_store_grant(&grant, event(EventKind::Connected), None).await.unwrap();
    grant.id
}

async fn listed(world: &World, now: i64) -> Vec<ReauthDue> {
    let page = Page { limit: 100, after: None };
    let (rows, next) = world.store.connections_reauth_due(at(now), page).await.unwrap();
    assert_eq!(next, None);
    rows
}

/// The query finds exactly what the rule has a warning for.
async fn warnings_are_due_as_the_rule_says(backend: Backend) {
    let world = World::new(backend).await;
    let mut rows = Vec::new();
    for (granted, left) in
        [(300, 31), (300, 30), (300, 8), (300, 7), (300, 1), (300, 0), (29, 30), (30, 30), (6, 1), (1, 7)]
    {
        for warned in [None, Some(30), Some(7), Some(1)] {
            let id = ends(&world, granted, left).await;
            let warn = "UPDATE connections SET reauth_warned = ? WHERE id = ?";
            world.sql(warn, [warned.into(), id.as_uuid().into()]).await;
            rows.push((id, granted, left, warned));
        }
    }
    world.store.connection_store_grant(&world.grant(None), event(EventKind::Connected), None).await.unwrap();
    let due = |(_, granted, left, warned): &&(ConnectionId, i64, i64, Option<i32>)| {
        reauth_warning(at(NOW), at(NOW - granted * DAY), at(NOW + left * DAY), *warned).is_some()
    };
    let mut expected: Vec<_> = rows.iter().filter(due).map(|row| row.0).collect();
    expected.sort_unstable();
    let found: Vec<_> = listed(&world, NOW).await.into_iter().map(|row| row.id).collect();
    assert_eq!(found, expected);
    assert!(expected.len() > 10, "the cases hold warnings: {}", expected.len());
    let first = world.store.connections_reauth_due(at(NOW), Page { limit: 4, after: None }).await.unwrap();
    let rest = world.store.connections_reauth_due(at(NOW), Page { limit: 100, after: first.1 }).await.unwrap();
    let paged: Vec<_> = first.0.into_iter().chain(rest.0).map(|row| row.id).collect();
    assert_eq!(paged, expected);
}

async fn a_warning_is_given_once(backend: Backend) {
    let world = World::new(backend).await;
    let id = ends(&world, 300, 20).await;
    let due = listed(&world, NOW).await.remove(0);
    let (granted_at, grant_expires_at) = (at(NOW - 300 * DAY), at(NOW + 20 * DAY));
    let expected = ReauthDue { environment: world.env, id, family: 1, granted_at, grant_expires_at, warned: None };
    assert_eq!(due, expected);
    let warn = || world.store.connection_reauth_warned(&due, 30, event(EventKind::ReauthDue));
    let given = join_all((0..4).map(|_| warn())).await;
    assert_eq!(given.into_iter().filter(|given| *given.as_ref().unwrap()).count(), 1);
    assert_eq!(world.timeline(id).await, [EventKind::Connected, EventKind::ReauthDue]);
    assert_eq!(listed(&world, NOW).await, []);
    let next = listed(&world, NOW + 14 * DAY).await.remove(0);
    assert_eq!(next.warned, Some(30));
    assert!(world.store.connection_reauth_warned(&next, 7, event(EventKind::ReauthDue)).await.unwrap());
    assert_eq!(world.read(id).await.reauth_warned, Some(7));

    let elsewhere = ReauthDue { environment: world.elsewhere().await, warned: Some(7), ..due };
    let other_grant = ReauthDue { family: 2, warned: Some(7), ..due };
    for stale in [elsewhere, other_grant] {
        assert!(!world.store.connection_reauth_warned(&stale, 1, event(EventKind::ReauthDue)).await.unwrap());
    }
}

async fn a_refresh_that_moves_the_end_makes_warnings_due_again(backend: Backend) {
    let world = World::new(backend).await;
    let row = world.due().await;
    let set = "UPDATE connections SET grant_expires_at = ?, reauth_warned = 7 WHERE id = ?";
    world.sql(set, [NOW.into(), row.id.as_uuid().into()]).await;
    let commit = async |ends: Option<i64>| {
        let claimed = world.claim(1).await.remove(0);
        let pair = RefreshResult {
            grant_expires_at: ends.map(at),
            next_refresh_at: Some(at(1_000)),
            previous_refresh: Some(sealed("before")),
            refresh_idle_at: Some(at(NOW + 1)),
            ..result(&claimed)
        };
        let outcome = world.store.refresh_commit(&pair, event(EventKind::Refreshed)).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Committed);
        let row = world.read(row.id).await;
        assert_eq!((row.previous_refresh, row.refresh_idle_at), (pair.previous_refresh, pair.refresh_idle_at));
        (row.grant_expires_at, row.reauth_warned)
    };
    assert_eq!(commit(None).await, (Some(at(NOW)), Some(7)), "nothing was said about the end");
    assert_eq!(commit(Some(NOW + 900)).await, (Some(at(NOW + 900)), Some(7)), "the same end, counted anew");
    assert_eq!(commit(Some(NOW + 60 * DAY)).await, (Some(at(NOW + 60 * DAY)), None));
}

async fn suspicions_are_kept_until_a_refresh_succeeds(backend: Backend) {
    let world = World::new(backend).await;
    let row = world.due().await;
    let claimed = world.claim(1).await.remove(0);
    let failed = RefreshFailed { suspicions: 2, suspected_at: Some(at(NOW)), ..failure(&claimed) };
    assert!(world.store.refresh_failed(&failed, event(EventKind::RefreshSuspected)).await.unwrap());
    let suspected = world.read(row.id).await;
    assert_eq!((suspected.suspicions, suspected.suspected_at), (2, Some(at(NOW))));
    assert_eq!(world.timeline(row.id).await.last(), Some(&EventKind::RefreshSuspected));
    let claimed = world.claim(1).await.remove(0);
    assert_eq!((claimed.connection.suspicions, claimed.connection.suspected_at), (2, Some(at(NOW))));
    world.store.refresh_commit(&result(&claimed), event(EventKind::Refreshed)).await.unwrap();
    let cleared = world.read(row.id).await;
    assert_eq!((cleared.suspicions, cleared.suspected_at), (0, None));
}

async fn the_end_of_a_connection_leaves_no_token(backend: Backend) {
    let world = World::new(backend).await;
    let row = world.due().await;
    let claimed = world.claim(1).await.remove(0);
    let pair = RefreshResult { previous_refresh: Some(sealed("before")), ..result(&claimed) };
    world.store.refresh_commit(&pair, event(EventKind::Refreshed)).await.unwrap();
    assert!(world.read(row.id).await.previous_refresh.is_some());
    let ending = Ending {
        environment: world.env,
        connection: row.id,
        family: 1,
        generation: 2,
        revocations: Vec::new(),
        event: event(EventKind::Revoked),
    };
    assert!(world.store.connection_revoke(&ending, StateReason::Disconnected, at(NOW)).await.unwrap());
    let ended = world.read(row.id).await;
    assert_eq!((ended.access, ended.refresh, ended.previous_refresh), (None, None, None));
}

async fn use_is_written_once_an_hour(backend: Backend) {
    let world = World::new(backend).await;
    let rows = world.many_due(3).await;
    let mark = async |ids: &[ConnectionId], now: i64| world.store.connections_mark_used(ids, at(now)).await.unwrap();
    assert_eq!(mark(&[], NOW).await, 0);
    assert_eq!(mark(&[rows[0], rows[1], rows[0], id!(ConnectionId)], NOW).await, 2);
    assert_eq!(mark(&rows, NOW + 3_599_999).await, 1);
    assert_eq!(world.read(rows[0]).await.used_at, Some(at(NOW)));
    assert_eq!(mark(&rows, NOW + 3_600_000).await, 2);
    let read = world.read(rows[0]).await;
    assert_eq!(read.used_at, Some(at(NOW + 3_600_000)));
    assert_eq!(read.updated_at, at(1_700_000_000_123), "being used is no change");
    let many: Vec<_> = (0..1_200).map(|_| id!(ConnectionId)).chain(rows).collect();
    assert_eq!(mark(&many, NOW + 9_000_000).await, 3, "in chunks");
}

async fn marks_at_once_do_not_deadlock(backend: Backend) {
    let world = World::new(backend).await;
    let mut rows = world.many_due(40).await;
    let other = world.other_process().await;
    for round in 1..4 {
        rows.reverse();
        let marks = (0..6_usize).map(|n| {
            let (store, mut ids) = (if n.is_multiple_of(2) { &world.store } else { &other }, rows.clone());
            ids.rotate_left(n * 7);
            async move { store.connections_mark_used(&ids, at(NOW) + Duration::from_secs(7_200 * round)).await.unwrap() }
        });
        assert_eq!(join_all(marks).await.into_iter().sum::<u64>(), 40);
    }
}

/// Whoever waited for a row would keep the ones that it had locked before from being claimed. SQLite locks no rows.
async fn no_use_is_waited_for(backend: Backend) {
    let world = World::new(backend).await;
    let rows = world.many_due(3).await;
    let db = world.database.connect().await;
    let lock = db.begin().await.unwrap();
    let id = format!("SELECT id FROM connections WHERE id = {} FOR UPDATE", literal(backend, rows[2]));
    lock.execute_unprepared(&id).await.unwrap();
    assert_eq!(world.store.connections_mark_used(&rows, at(NOW)).await.unwrap(), 2);
    assert_eq!(world.read(rows[2]).await.used_at, None);
    lock.rollback().await.unwrap();
    assert_eq!(world.store.connections_mark_used(&rows, at(NOW)).await.unwrap(), 1, "the next fetch notes it");
}

fn literal(backend: Backend, id: ConnectionId) -> String {
    let hex = id.as_uuid().simple().to_string();
    if backend == Backend::Postgres { format!("'{hex}'") } else { format!("x'{hex}'") }
}

#[tokio::test]
async fn no_use_is_waited_for_on_postgresql() {
    no_use_is_waited_for(Backend::Postgres).await;
}

#[tokio::test]
async fn no_use_is_waited_for_on_mariadb() {
    no_use_is_waited_for(Backend::MariaDb).await;
}

on_every_database! {
    warnings_are_due_as_the_rule_says,
    a_warning_is_given_once,
    a_refresh_that_moves_the_end_makes_warnings_due_again,
    suspicions_are_kept_until_a_refresh_succeeds,
    the_end_of_a_connection_leaves_no_token,
    use_is_written_once_an_hour,
    marks_at_once_do_not_deadlock,
}
