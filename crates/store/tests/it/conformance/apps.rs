//! Holding an app and trying it again.

use crate::conformance::ground::{Ground, Kind};
use crate::world::{at, id};
use futures_util::future::join_all;
use mortise_domain::AppKey;

async fn held_and_probed_by_one(kind: Kind) {
    let ground = Ground::new(kind).await;
    let (ledger, app) = (&ground.ledger, ground.app_key);
    assert!(!ledger.app_release(app).await.unwrap());
    assert!(ledger.app_hold(app, &"é".repeat(400), at(10), at(20)).await.unwrap());
    assert!(!ledger.app_hold(app, "again", at(11), at(21)).await.unwrap(), "held already");
    assert_eq!(ground.held_reason().await, Some("é".repeat(255)));
    assert_eq!(ledger.apps_held().await.unwrap(), [(app, Some(at(20)))]);

    assert!(!ledger.app_probe_claim(app, None, at(30)).await.unwrap());
    let probes = join_all((0..10).map(|_| ledger.app_probe_claim(app, Some(at(20)), at(30)))).await;
    assert_eq!(probes.into_iter().filter(|probe| *probe.as_ref().unwrap()).count(), 1);
    assert_eq!(ledger.apps_held().await.unwrap(), [(app, Some(at(30)))]);
    assert!(ledger.app_release(app).await.unwrap());
    assert!(ledger.apps_held().await.unwrap().is_empty());
    assert_eq!(ground.held_reason().await, None);
    assert!(!ledger.app_probe_claim(app, Some(at(30)), at(40)).await.unwrap(), "it is not held any more");
}

async fn an_app_that_is_not_there(kind: Kind) {
    let ground = Ground::new(kind).await;
    let nobodys = id!(AppKey);
    assert!(!ground.ledger.app_hold(nobodys, "invalid_client", at(10), at(20)).await.unwrap());
    assert!(!ground.ledger.app_release(nobodys).await.unwrap());
    assert!(ground.ledger.apps_held().await.unwrap().is_empty());
}

on_every_ledger! { held_and_probed_by_one, an_app_that_is_not_there, }
