//! The queue as a whole: its figures.

use crate::gates::{another_app, due};
use crate::world::{World, id};
use mortise_domain::*;
use mortise_store::*;
use mortise_testkit::Backend;
use std::time::Duration;

async fn the_figures_are_of_what_nobody_is_at(backend: Backend) {
    let world = World::new(backend).await;
    assert_eq!(world.store.due_stats().await.unwrap(), DueStats::default());
    let now = world.store.database_now().await.unwrap();
    let rows = due(&world, &world.app, world.customer.key, 3, now.timestamp_millis() - 90_000).await;
    due(&world, &world.app, world.customer.key, 2, now.timestamp_millis() + 3_600_000).await;
    let held = another_app(&world, "held").await;
    due(&world, &held, world.customer.key, 4, 1_000).await;
    assert!(world.store.app_hold(held.key, "invalid_client", now, now).await.unwrap());

    let stats = world.store.due_stats().await.unwrap();
    assert_eq!((stats.due, stats.lapsed_leases, stats.held_apps), (3, 0, 1));
    assert!(stats.oldest_overdue >= Duration::from_secs(90), "{stats:?}");
    assert!(stats.oldest_overdue < Duration::from_secs(90 + 600), "{stats:?}");

    let held = [held.key];
    let room = ClaimRoom { provider_room: 9, ..ClaimRoom::of(2, &held) };
    let terms = crate::world::terms(id!(LeaseOwner));
    let claims = world.store.connections_claim(&terms, &room, || id!(AttemptId), || id!(EventId)).await.unwrap();
    assert_eq!(claims.claimed.len(), 2);
    assert_eq!(world.store.due_stats().await.unwrap().due, 1);
    let lapse = "UPDATE connections SET lease_until = 1, attempt_deadline = 1 WHERE id = ?";
    assert_eq!(world.sql(lapse, [rows[0].as_uuid().into()]).await, 1);
    let stats = world.store.due_stats().await.unwrap();
    assert_eq!((stats.due, stats.lapsed_leases), (2, 1));
}

on_every_database! { the_figures_are_of_what_nobody_is_at, }
