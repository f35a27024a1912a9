//! Moves between versions of a connector: what is moved, judged, taken back, and what stands in the way.

use crate::world::{World, at, digest, id};
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;

fn event_at(now: Timestamp) -> EventId {
    EventId::generate_at(now, &OsEntropy)
}

fn now() -> Timestamp {
    SystemClock::new().now()
}

/// A world whose connector has a second version.
async fn world(backend: Backend) -> World {
    let world = World::new(backend).await;
    add_version(&world, 2).await;
    world
}

async fn add_version(world: &World, number: u8) -> i32 {
    let (store, name) = (&world.store, &world.app.connector_id);
    let added =
        store.connector_add_version(world.env, name, digest(number), "{}", "", at(2_000)).await.unwrap().unwrap();
    added.version
}

fn new_move(world: &World) -> NewMove {
    NewMove {
        id: id!(MoveId),
        environment: world.env,
        app: world.app.key,
        to_version: 2,
        terms: MoveTerms { canary_percent: 10, ..MoveTerms::default() },
        by: id!(ApiKeyId),
    }
}

async fn begin(world: &World) -> Move {
    world.store.move_begin(&new_move(world)).await.unwrap()
}

async fn again(world: &World, seen: &Move) -> Move {
    world.store.move_get(world.env, seen.id).await.unwrap().unwrap()
}

/// Moves those, and answers with the move as it is then.
async fn batch(world: &World, seen: &Move, ids: &[ConnectionId]) -> (Batch, Move) {
    let planned = |_: &Candidate| Some(Fit::default());
    let batch = world.store.move_batch(seen, ids, planned, event_at).await.unwrap().unwrap();
    (batch, again(world, seen).await)
}

async fn versions(world: &World, ids: &[ConnectionId]) -> Vec<i32> {
    let mut versions = Vec::new();
    for id in ids {
        versions.push(world.read(*id).await.connector_version);
    }
    versions
}

/// A few go first, they are judged by what their rows say, and then the rest and the app follow.
async fn from_the_first_to_the_last(backend: Backend) {
    let world = world(backend).await;
    let made = world.many_due(21).await;
    let moving = begin(&world).await;
    assert_eq!((moving.canary, moving.from_version, moving.to_version), (3, 1, 2));
    assert_eq!((moving.state, moving.stage, moving.finished_at), (MoveState::Running, MoveStage::Canary, None));
    assert_eq!(world.store.moves_at_work().await.unwrap(), std::slice::from_ref(&moving));
    assert_eq!(world.store.move_candidates(&moving, true, 100).await.unwrap(), made);

    let (moved, moving) = batch(&world, &moving, &made[..4]).await;
    assert_eq!((moved.moved, moving.revision), (4, 2));
    assert_eq!(versions(&world, &made[..5]).await, [2, 2, 2, 2, 1]);
    assert_eq!(world.timeline(made[0]).await, [EventKind::Connected, EventKind::Moved]);
    assert_eq!(world.store.move_candidates(&moving, true, 100).await.unwrap(), made[4..]);
    let known = world.store.move_evidence(&moving).await.unwrap();
    let expected = MoveEvidence { moved: 4, judged: 4, remaining: 17, ..MoveEvidence::default() };
    assert_eq!(known, expected);

    // Renewed, failing once, failing twice, and given up; and the same of those that were not moved, where the one that failed
    // once is not tried again for long.
    for (ids, waits) in [(&made[..4], false), (&made[4..8], true)] {
        let later = (now() + std::time::Duration::from_secs(3_600)).timestamp_millis();
        let soon = (now() + std::time::Duration::from_secs(5)).timestamp_millis();
        let all =
            |sql: &str| format!("UPDATE connections SET updated_at = {soon}, expires_at = {soon}, {sql} WHERE id = ?");
        for (index, sql) in [
            (0, format!("refreshed_at = {soon}")),
            (1, if waits { format!("failures = 1, next_refresh_at = {later}") } else { "failures = 1".to_owned() }),
            (2, "failures = 2".to_owned()),
            (3, format!("state = 'needs_reauth', state_reason = 'refresh_token_rejected', state_since = {soon}")),
        ] {
            assert_eq!(world.sql(&all(&sql), [ids[index].as_uuid().into()]).await, 1);
        }
    }
    let known = world.store.move_evidence(&moving).await.unwrap();
    let seen = MoveEvidence { renewed: 1, failed: 2, others_renewed: 1, others_failed: 3, ..expected };
    assert_eq!(known, seen);

    // A refusal counts at once; what was given up before, and others whose tokens had ended by then, say nothing.
    for (index, sql, failed) in
        [(1, "suspicions = 1", (3, 3)), (3, "state_since = 5", (2, 3)), (5, "suspicions = 1, expires_at = 5", (2, 2))]
    {
        assert_eq!(
            world.sql(&format!("UPDATE connections SET {sql} WHERE id = ?"), [made[index].as_uuid().into()]).await,
            1
        );
        let known = world.store.move_evidence(&moving).await.unwrap();
        assert_eq!((known.failed, known.others_failed), failed, "{sql}");
    }

    assert!(!world.store.move_complete(&moving, &known).await.unwrap(), "something is left");
    let (moved, moving) = batch(&world, &moving, &made).await;
    assert_eq!(moved.moved, 17, "what was moved is not moved again");
    assert!(world.store.move_complete(&moving, &known).await.unwrap());
    let ended = again(&world, &moving).await;
    assert_eq!((ended.state, ended.outcome), (MoveState::Completed, Some(known)));
    assert!(ended.finished_at.is_some() && world.store.moves_at_work().await.unwrap().is_empty());
    let app = world.store.app_get(world.env, &world.app.id).await.unwrap().unwrap();
    assert_eq!((app.connector_version, app.revision), (2, world.app.revision + 1));
    assert!(!world.store.move_complete(&ended, &known).await.unwrap(), "ended twice");
    assert_eq!(world.store.moves_sweep(now() + std::time::Duration::from_secs(60)).await.unwrap(), 21);
}

/// Whoever is at a connection is let finish, and one that may still be answered is left alone.
async fn nobody_is_disturbed(backend: Backend) {
    let world = world(backend).await;
    let made = world.many_due(3).await;
    let moving = begin(&world).await;
    let claimed = world.claim(1).await.remove(0).connection.id;
    let late = *made.iter().find(|id| **id != claimed).unwrap();
    let deadline = (now() + std::time::Duration::from_secs(60)).timestamp_millis();
    world
        .sql(&format!("UPDATE connections SET attempt_deadline = {deadline} WHERE id = ?"), [late.as_uuid().into()])
        .await;
    let free: Vec<_> = made.iter().copied().filter(|id| *id != claimed && *id != late).collect();
    assert_eq!(world.store.move_candidates(&moving, false, 100).await.unwrap(), free);
    let (moved, moving) = batch(&world, &moving, &made).await;
    assert_eq!(moved.moved, 1);
    assert_eq!(world.read(claimed).await.connector_version, 1);
    assert_eq!(world.store.move_evidence(&moving).await.unwrap().remaining, 2);
}

/// What somebody else has done since, or said, stops a mover who does not know it yet.
async fn who_comes_too_late_moves_nothing(backend: Backend) {
    let world = world(backend).await;
    let made = world.many_due(4).await;
    let (store, seen) = (&world.store, begin(&world).await);
    let planned = |_: &Candidate| Some(Fit::default());
    batch(&world, &seen, &made[..1]).await;
    assert_eq!(store.move_batch(&seen, &made, planned, event_at).await.unwrap(), None, "an older revision");
    assert!(!store.move_change(&seen, MoveState::Paused, MoveStage::Canary, None).await.unwrap());
    let seen = again(&world, &seen).await;
    let why = Some(MoveReason::Requested);
    assert!(store.move_change(&seen, MoveState::Paused, MoveStage::Canary, why).await.unwrap());
    let paused = again(&world, &seen).await;
    assert_eq!((paused.state, paused.reason, paused.stage_since), (MoveState::Paused, why, seen.stage_since));
    assert_eq!(store.move_batch(&paused, &made, planned, event_at).await.unwrap(), None, "a paused move");
    assert_eq!(store.move_take_back(&paused, |now| now, event_at).await.unwrap(), None, "not being taken back");
    assert_eq!(versions(&world, &made).await, [2, 1, 1, 1]);
    assert_eq!(store.move_get(world.elsewhere().await, seen.id).await.unwrap(), None);
}

/// All is as before: the version, the tries, and the state where the new version cost it.
async fn taken_back(backend: Backend) {
    let world = world(backend).await;
    let made = world.many_due(6).await;
    let (store, moving) = (&world.store, begin(&world).await);
    let (_, moving) = batch(&world, &moving, &made[..5]).await;
    let later = (now() + std::time::Duration::from_secs(5)).timestamp_millis();
    let lost = format!(
        "state = 'needs_reauth', state_reason = 'lost_rotation', state_since = {later}, next_refresh_at = NULL"
    );
    for (index, sql) in [
        (0, "failures = 3, suspicions = 1, suspected_at = 5, last_error = 'invalid_grant', next_refresh_at = 99"),
        (1, &lost),
        (2, "connector_version = 1"),
        (3, "state = 'needs_reauth', state_reason = 'refresh_token_rejected', state_since = 5, next_refresh_at = NULL"),
    ] {
        world.sql(&format!("UPDATE connections SET {sql} WHERE id = ?"), [made[index].as_uuid().into()]).await;
    }
    assert!(
        store.move_change(&moving, MoveState::RollingBack, moving.stage, Some(MoveReason::ErrorRate)).await.unwrap()
    );
    let moving = again(&world, &moving).await;
    let known = store.move_evidence(&moving).await.unwrap();
    assert!(!store.move_rolled_back(&moving, &known).await.unwrap(), "nothing is back yet");
    let place = |_: Timestamp| at(77_000);
    assert_eq!(store.move_take_back(&moving, place, event_at).await.unwrap(), Some(5));
    let moving = again(&world, &moving).await;
    assert_eq!(store.move_take_back(&moving, place, event_at).await.unwrap(), Some(0));
    assert_eq!(versions(&world, &made).await, [1; 6]);

    let failing = world.read(made[0]).await;
    assert_eq!((failing.failures, failing.suspicions, failing.last_error), (0, 0, None));
    assert_eq!(failing.next_refresh_at, Some(at(77_000)));
    let lost = world.read(made[1]).await;
    assert_eq!((lost.state, lost.state_reason), (ConnectionState::Active, StateReason::MoveRolledBack));
    assert_eq!(lost.next_refresh_at, Some(at(77_000)));
    let elsewhere = world.timeline(made[2]).await;
    assert_eq!(elsewhere, [EventKind::Connected, EventKind::Moved], "it consented anew: it was not taken back");
    let before = world.read(made[3]).await;
    assert_eq!(before.state, ConnectionState::NeedsReauth, "it was given up before the move");
    let untouched = world.read(made[4]).await;
    assert_eq!((untouched.next_refresh_at, untouched.failures), (Some(at(1_004)), 0));
    assert_eq!(world.timeline(made[4]).await, [EventKind::Connected, EventKind::Moved, EventKind::Moved]);

    let known = store.move_evidence(&moving).await.unwrap();
    assert_eq!((known.returned, known.moved, known.remaining), (5, 0, 6));
    assert!(store.move_rolled_back(&moving, &known).await.unwrap());
    assert_eq!(again(&world, &moving).await.state, MoveState::RolledBack);
    begin(&world).await;
}

/// What does not fit stays, and does not keep the others from being moved. What fails is given a fresh chance.
async fn what_does_not_fit_stays(backend: Backend) {
    let world = world(backend).await;
    let made = world.many_due(4).await;
    let (store, moving) = (&world.store, begin(&world).await);
    world
        .sql("UPDATE connections SET failures = 4, next_refresh_at = 99 WHERE id = ?", [made[1].as_uuid().into()])
        .await;
    let fits = |candidate: &Candidate| {
        let at_once = candidate.id == made[2] || candidate.id == made[3];
        let renew_at = at_once.then(|| at(55_000));
        let variables = at_once.then(|| [("region".to_owned(), "eu".to_owned())].into());
        (candidate.id != made[0]).then_some(Fit { renew_at, variables })
    };
    let moved = store.move_batch(&moving, &made, fits, event_at).await.unwrap().unwrap();
    assert_eq!((moved.moved, moved.skipped), (3, 1));
    assert_eq!(versions(&world, &made).await, [1, 2, 2, 2]);
    let known = store.move_evidence(&again(&world, &moving).await).await.unwrap();
    assert_eq!((known.moved, known.judged, known.skipped, known.remaining), (3, 2, 1, 0));
    let failing = world.read(made[1]).await;
    assert_eq!(failing.failures, 0);
    assert!(failing.next_refresh_at > Some(at(1_000_000)), "{failing:?}");
    let at_once = world.read(made[2]).await;
    assert_eq!((at_once.next_refresh_at, at_once.variables["region"].as_str()), (Some(at(55_000)), "eu"));
    assert!(failing.variables.is_empty());
    assert!(store.move_complete(&again(&world, &moving).await, &known).await.unwrap());
}

/// A version ends when nothing needs it, and nothing begins with it after that.
async fn a_version_ends(backend: Backend) {
    let world = world(backend).await;
    let (store, name) = (&world.store, &world.app.connector_id);
    let made = world.many_due(2).await;
    let refused = |what: &'static str, ended: Result<bool>| {
        assert!(matches!(ended, Err(StoreError::InUse(found)) if found == what), "{what}: {ended:?}");
    };
    refused("app", store.version_retire(world.env, name, 1).await);
    let moving = begin(&world).await;
    refused("move", store.version_retire(world.env, name, 2).await);
    let pinned = App { connector_version: 2, ..world.app.clone() };
    let moved = store.app_update(world.app.revision, &pinned).await;
    assert!(matches!(moved, Err(StoreError::InUse("move"))), "{moved:?}");
    let renamed = App { client_id: "other".into(), ..world.app.clone() };
    store.app_update(world.app.revision, &renamed).await.unwrap();
    let second = store.move_begin(&new_move(&world)).await;
    assert!(matches!(second, Err(StoreError::Conflict(_))), "{second:?}");

    let (_, moving) = batch(&world, &moving, &made[..1]).await;
    let uses = store.version_uses(world.env, name).await.unwrap().unwrap();
    let uses: Vec<_> = uses.iter().map(|found| (found.version, found.apps, found.connections)).collect();
    assert_eq!(uses, [(2, 0, 1), (1, 1, 1)]);
    let (_, moving) = batch(&world, &moving, &made).await;
    let known = store.move_evidence(&moving).await.unwrap();
    assert!(store.move_complete(&moving, &known).await.unwrap());
    // Somebody who began before it ended comes back with the old version.
    world.store_grant(&world.grant(None)).await;
    refused("connection", store.version_retire(world.env, name, 1).await);
    world.sql("UPDATE connections SET state = 'revoked' WHERE connector_version = ?", [1.into()]).await;
    assert!(store.version_retire(world.env, name, 1).await.unwrap());
    assert!(store.version_retire(world.env, name, 1).await.unwrap(), "twice");
    assert!(!store.version_retire(world.env, name, 9).await.unwrap());
    assert!(!store.version_retire(world.elsewhere().await, name, 1).await.unwrap());

    let back = App { connector_version: 1, ..store.app_get(world.env, &world.app.id).await.unwrap().unwrap() };
    refused("retired version", store.app_update(back.revision, &back).await.map(|_| true));
    let new = App { key: id!(AppKey), id: "second".parse().unwrap(), ..back };
    refused("retired version", store.app_insert(&new).await.map(|()| true));
    let to_old = NewMove { to_version: 1, ..new_move(&world) };
    refused("retired version", store.move_begin(&to_old).await.map(|_| true));
    let unknown = store.move_begin(&NewMove { to_version: 7, ..new_move(&world) }).await;
    assert!(matches!(unknown, Err(StoreError::Missing(_))), "{unknown:?}");
    let list = store.version_uses(world.env, name).await.unwrap().unwrap();
    assert!(list[1].retired_at.is_some() && list[0].retired_at.is_none(), "{list:?}");
}

/// The newest version that may be used is not the newest one, once that is retired; and the same manifest makes a new one.
async fn what_is_retired_never_comes_back(backend: Backend) {
    let world = world(backend).await;
    let (store, name) = (&world.store, &world.app.connector_id);
    assert_eq!(store.newest_usable(world.env, name).await.unwrap(), Some(2));
    assert!(store.version_retire(world.env, name, 2).await.unwrap());
    assert_eq!(store.newest_usable(world.env, name).await.unwrap(), Some(1));
    assert_eq!(add_version(&world, 2).await, 3);
    assert_eq!(add_version(&world, 2).await, 3);
    assert_eq!(store.newest_usable(world.env, name).await.unwrap(), Some(3));
    assert_eq!(store.newest_usable(world.elsewhere().await, name).await.unwrap(), None);
    assert_eq!(store.version_uses(world.elsewhere().await, name).await.unwrap(), None);
}

/// The list is by app, and of one environment.
async fn lists(backend: Backend) {
    let world = world(backend).await;
    let moving = begin(&world).await;
    let page = Page { limit: 10, after: None };
    for (environment, app, expected) in [
        (world.env, None, vec![moving.id]),
        (world.env, Some(world.app.key), vec![moving.id]),
        (world.env, Some(id!(AppKey)), vec![]),
        (world.elsewhere().await, None, vec![]),
    ] {
        let found = world.store.move_list(environment, app, page).await.unwrap().0;
        assert_eq!(found.iter().map(|found| found.id).collect::<Vec<_>>(), expected);
    }
    assert_eq!(world.store.move_of_app(world.app.key).await.unwrap(), Some(moving));
}

on_every_database! {
    from_the_first_to_the_last, nobody_is_disturbed, who_comes_too_late_moves_nothing, taken_back,
    what_does_not_fit_stays, a_version_ends, what_is_retired_never_comes_back, lists,
}
