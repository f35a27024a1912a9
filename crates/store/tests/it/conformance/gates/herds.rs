//! What everybody missed: much of it at one provider has to be given other times before any of it is taken.

use super::{claim_in, down, due, ids};
use crate::conformance::ground::{Ground, Kind};
use mortise_store::*;
use std::time::Duration;

/// As a process claims that takes a minute late for missed.
async fn claim(ground: &Ground, limit: usize) -> DueClaims {
    let room = ClaimRoom { missed_after: Duration::from_secs(60), ..ClaimRoom::of(limit, &[]) };
    claim_in(&*ground.ledger, &room).await
}

async fn a_herd_is_left_alone_and_told_of(kind: Kind) {
    let ground = Ground::new(kind).await;
    let other = ground.another_app("other").await;
    due(&ground, ground.app(), ground.customer_key, 40, 1_000).await;
    // Late, but nothing that anybody missed.
    let now = ground.ledger.database_now().await.unwrap().timestamp_millis();
    let late = due(&ground, other, ground.customer_key, 2, now - 5_000).await;
    let claims = claim(&ground, 48).await;
    assert_eq!((ids(&claims), &claims.herds), (late, &vec![ground.provider_key]));
    let again = claim(&ground, 48).await;
    assert_eq!((again.claimed.len(), again.herds), (0, vec![ground.provider_key]));

    let mut place = |row: Overdue| row.now;
    assert_eq!(ground.ledger.connections_smear(ground.provider_key, &[], &mut place).await.unwrap(), Some(40));
    let spread = ground.ledger.database_now().await.unwrap();
    while ground.ledger.database_now().await.unwrap() <= spread + Duration::from_millis(1) {}
    let claims = claim(&ground, 48).await;
    assert_eq!(
        (claims.claimed.len(), claims.herds.len()),
        (40, 0),
        "what has another time is taken when that has come"
    );
}

async fn a_few_that_were_missed_are_no_herd(kind: Kind) {
    let ground = Ground::new(kind).await;
    let few = due(&ground, ground.app(), ground.customer_key, 31, 1_000).await;
    let claims = claim(&ground, 48).await;
    assert_eq!((ids(&claims), claims.herds), (few, vec![]));
}

async fn a_herd_waits_for_the_probe_of_its_provider(kind: Kind) {
    let ground = Ground::new(kind).await;
    due(&ground, ground.app(), ground.customer_key, 40, 1_000).await;
    down(&ground, ground.app(), 5).await;
    ground.wait_is_over().await;
    let claims = claim(&ground, 48).await;
    assert_eq!((claims.claimed.len(), claims.herds.len()), (1, 0), "one probe, and no spreading before it succeeds");
    assert!(claims.opens_in.is_some_and(|wait| wait < Duration::from_secs(60)), "{:?}", claims.opens_in);
}

on_every_ledger! {
    a_herd_is_left_alone_and_told_of,
    a_few_that_were_missed_are_no_herd,
    a_herd_waits_for_the_probe_of_its_provider,
}
