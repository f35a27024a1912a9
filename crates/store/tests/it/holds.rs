//! Holds: what they reach, what they leave alone, and what a lift brings back.

use crate::world::{World, at, event, id, result};
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;
use serde_json::json;

fn hold_of(world: &World, reach: Reach) -> NewHold {
    NewHold {
        id: id!(HoldId),
        environment: world.env,
        reach,
        name: "what it is called".into(),
        reason: "something is wrong".into(),
        by: id!(ApiKeyId),
        at: at(1_000),
    }
}

fn switch(reach: Reach, reason: StateReason) -> Switch {
    Switch { reach, reason, detail: json!({"scope": "test"}) }
}

fn event_at(now: Timestamp) -> EventId {
    EventId::generate_at(now, &OsEntropy)
}

async fn off(world: &World, reach: Reach) -> u64 {
    world.store.connections_hold(&switch(reach, StateReason::HeldByAdmin), event_at).await.unwrap()
}

async fn on(world: &World, reach: Reach, reason: StateReason) -> u64 {
    let place = |waiting: Waiting| waiting.expires_at.filter(|_| waiting.refreshable);
    world.store.connections_release(&switch(reach, reason), place, event_at).await.unwrap()
}

/// Every reach switches off what is within it, once, keeps whoever is at it, and brings it back.
async fn each_reach(backend: Backend) {
    let world = World::new(backend).await;
    let made = world.many_due(3).await;
    let reaches = [
        (Reach::Connection(made[0]), 1),
        (Reach::App(world.app.key), 3),
        (Reach::Version(world.app.key, 1), 3),
        (Reach::Version(world.app.key, 2), 0),
        (Reach::Connector(world.app.connector), 3),
        (Reach::Customer(world.customer.key), 3),
        (Reach::Environment(world.env), 3),
        (Reach::App(id!(AppKey)), 0),
        (Reach::Environment(id!(EnvironmentKey)), 0),
    ];
    let claimed = world.claim(1).await.remove(0);
    let taken = world.read(claimed.connection.id).await;
    for (reach, count) in reaches {
        assert_eq!(off(&world, reach).await, count, "{reach:?}");
        assert_eq!(off(&world, reach).await, 0, "{reach:?} again");
        assert_eq!(world.store.connections_held(reach, StateReason::HeldByAdmin).await.unwrap(), count);
        if count == 3 {
            assert!(world.claim(10).await.is_empty(), "{reach:?}: a held connection was claimed");
            let held = world.read(taken.id).await;
            assert_eq!((held.state, held.state_reason), (ConnectionState::Held, StateReason::HeldByAdmin));
            assert_eq!(held.next_refresh_at, None);
            let theirs =
                |row: &Connection| (row.lease_owner, row.lease_until, row.attempt, row.attempt_deadline, row.fence);
            assert_eq!(theirs(&held), theirs(&taken), "whoever is at it has lost it");
        }
        assert_eq!(on(&world, reach, StateReason::RestoredFromBackup).await, 0, "held for another reason");
        assert_eq!(on(&world, reach, StateReason::HeldByAdmin).await, count, "{reach:?}");
        let row = world.read(made[0]).await;
        assert_eq!(row.state, ConnectionState::Active);
        if count > 0 {
            assert_eq!((row.state_reason, row.next_refresh_at), (StateReason::HoldLifted, row.expires_at));
        }
    }
    let told = world.timeline(made[0]).await;
    let count = |kind| told.iter().filter(|told| **told == kind).count();
    assert_eq!((count(EventKind::Held), count(EventKind::Released)), (6, 6), "{told:?}");
}

/// More than one transaction's worth.
async fn many(backend: Backend) {
    let world = World::new(backend).await;
    world.many_due(1_101).await;
    let reach = Reach::App(world.app.key);
    assert_eq!(off(&world, reach).await, 1_101);
    assert_eq!(on(&world, reach, StateReason::HeldByAdmin).await, 1_101);
}

/// A reply that comes late is stored, and the connection stays off.
async fn a_late_reply(backend: Backend) {
    let world = World::new(backend).await;
    world.due().await;
    let claimed = world.claim(1).await.remove(0);
    let id = claimed.connection.id;
    off(&world, Reach::Connection(id)).await;
    let committed = world.store.refresh_commit(&result(&claimed), event(EventKind::Refreshed)).await.unwrap();
    assert_eq!(committed, CommitOutcome::Committed);
    let row = world.read(id).await;
    assert_eq!((row.state, row.generation, row.next_refresh_at), (ConnectionState::Held, 2, None));
}

/// What a standing hold reaches is stored switched off, and no lift of another hold, nor of a doubt, brings it back.
async fn what_stands(backend: Backend) {
    let world = World::new(backend).await;
    let store = &world.store;
    let wide = store.hold_insert(&hold_of(&world, Reach::Connector(world.app.connector))).await.unwrap();
    let again = store.hold_insert(&hold_of(&world, Reach::Connector(world.app.connector))).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    let grant = world.grant(Some(at(1_000)));
    let connected = event(EventKind::Connected);
    let connected = NewEvent { at: SystemClock::new().now(), ..connected };
    store.connection_store_grant(&grant, connected, None).await.unwrap();
    let row = world.read(grant.id).await;
    assert_eq!((row.state, row.next_refresh_at), (ConnectionState::Held, None));
    assert_eq!(world.timeline(grant.id).await, [EventKind::Connected, EventKind::Held]);

    let narrow = store.hold_insert(&hold_of(&world, Reach::Connection(grant.id))).await.unwrap();
    assert_eq!(off(&world, narrow.reach).await, 0, "it is off already");
    let by = id!(ApiKeyId);
    assert!(store.hold_lift(world.env, wide.id, by, at(2_000)).await.unwrap());
    assert!(!store.hold_lift(world.env, wide.id, by, at(3_000)).await.unwrap(), "lifted twice");
    assert!(!store.hold_lift(id!(EnvironmentKey), narrow.id, by, at(3_000)).await.unwrap(), "from elsewhere");
    assert_eq!(on(&world, wide.reach, StateReason::HeldByAdmin).await, 0, "the narrow one stands");

    let at_work: Vec<_> = store.holds_at_work(at(2_000)).await.unwrap().into_iter().map(|hold| hold.id).collect();
    assert_eq!(at_work, [wide.id, narrow.id]);
    let at_work: Vec<_> = store.holds_at_work(at(2_001)).await.unwrap().into_iter().map(|hold| hold.id).collect();
    assert_eq!(at_work, [narrow.id]);

    // A doubt goes over an admin's hold, and outlives it.
    let doubt = switch(Reach::Environment(world.env), StateReason::RestoredFromBackup);
    assert_eq!(store.connections_hold(&doubt, event_at).await.unwrap(), 1);
    assert!(store.hold_lift(world.env, narrow.id, by, at(3_000)).await.unwrap());
    assert_eq!(on(&world, narrow.reach, StateReason::HeldByAdmin).await, 0);
    assert_eq!(world.read(grant.id).await.state_reason, StateReason::RestoredFromBackup);
    assert_eq!(on(&world, narrow.reach, StateReason::RestoredFromBackup).await, 1);

    let read = store.hold_get(world.env, wide.id).await.unwrap().unwrap();
    assert_eq!((read.scope, read.reach, read.lifted_at), (HoldScope::Connector, wide.reach, Some(at(2_000))));
    assert_eq!((read.lifted_by, store.hold_get(id!(EnvironmentKey), wide.id).await.unwrap()), (Some(by), None));
    let page = store.hold_list(world.env, Page { limit: 1, after: None }).await.unwrap();
    assert_eq!((page.0.len(), page.1), (1, Some(wide.id.as_uuid())));
    // It may be switched off once more.
    store.hold_insert(&hold_of(&world, Reach::Connector(world.app.connector))).await.unwrap();
    assert_eq!(store.connection_makes().await.unwrap(), [(world.app.key, 1)]);
}

on_every_database! { each_reach, many, a_late_reply, what_stands, }
