//! Many writers at once.

use crate::book::claim;
use crate::conformance::races::end;
use crate::world::{World, at, event, id};
use futures_util::future::join_all;
use mortise_domain::*;
use mortise_testkit::Backend;

/// The statement mix of a busy product. On SQLite a deferred transaction would fail here with code 517, and two processes
/// that did not wait for each other with code 5.
async fn sixteen_writers_never_fail(backend: Backend) {
    let world = World::new(backend).await;
    let other = world.other_process().await;
    let rows = world.many_due(64).await;
    let writers = (0..16).map(|n: usize| {
        let store = if n.is_multiple_of(2) { world.store.clone() } else { other.clone() };
        let (env, id) = (world.env, rows[n]);
        let customer: CustomerId = format!("w{}", n % 4).parse().unwrap();
        async move {
            for round in 0..20 {
                for claimed in claim(&store, 4).await {
                    end(&store, &claimed, round).await;
                }
                let metadata = serde_json::json!({"round": round});
                assert!(store.connection_set_metadata(env, id, &metadata).await.unwrap());
                let put = store.customer_put(env, id!(CustomerKey), &customer, None, &metadata, at(1));
                put.await.unwrap();
                store.event_append(id, &event(EventKind::LateReply)).await.unwrap();
            }
        }
    });
    join_all(writers).await;
}

on_every_database! { sixteen_writers_never_fail, }
