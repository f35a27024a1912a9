//! What one customer and one provider get of a claim.

use super::{claim, claim_in, due, ids};
use crate::conformance::ground::{Ground, Kind};
use mortise_domain::*;
use mortise_store::*;
use std::collections::BTreeMap;

fn by_customer(claims: &DueClaims) -> BTreeMap<CustomerKey, usize> {
    let mut counts = BTreeMap::new();
    for claim in &claims.claimed {
        *counts.entry(claim.connection.customer).or_default() += 1;
    }
    counts
}

async fn a_backlog_of_one_customer_leaves_room_for_others(kind: Kind) {
    let ground = Ground::new(kind).await;
    let hog = ground.customer_key;
    let backlog = due(&ground, ground.app(), hog, 40, 1_000).await;
    let others = [ground.customer("ann").await, ground.customer("bob").await];
    for other in &others {
        due(&ground, ground.app(), *other, 5, 9_000).await;
    }
    // A quarter for each while others wait; then the room that is left, in turns.
    let claims = claim(&*ground.ledger, 16).await;
    assert_eq!(by_customer(&claims), BTreeMap::from([(hog, 6), (others[0], 5), (others[1], 5)]));
    assert_eq!(ids(&claims)[..6], backlog[..6], "the most overdue of each");
    let due_times: Vec<_> = claims.claimed.iter().map(|claim| claim.connection.next_refresh_at).collect();
    assert!(due_times.is_sorted());
    // Nobody else waits any more.
    assert_eq!(ids(&claim(&*ground.ledger, 16).await), backlog[6..22]);
}

/// What became due last is looked at for others, as far as four claims go; of them the most overdue come first.
async fn others_are_looked_for_among_what_became_due_last(kind: Kind) {
    let ground = Ground::new(kind).await;
    let (ann, bob, cid) = (ground.customer("ann").await, ground.customer("bob").await, ground.customer("cid").await);
    let backlog = due(&ground, ground.app(), ground.customer_key, 20, 1_000).await;
    due(&ground, ground.app(), ground.customer_key, 20, 3_000).await;
    let anns = due(&ground, ground.app(), ann, 5, 9_000).await;
    let bobs = due(&ground, ground.app(), bob, 5, 9_100).await;
    // In the middle of the backlog, where its turn comes when it comes.
    due(&ground, ground.app(), cid, 1, 2_000).await;
    let claims = claim(&*ground.ledger, 4).await;
    assert_eq!(ids(&claims), [&backlog[..2], &anns[..1], &bobs[..1]].concat());
}

async fn a_claim_of_one_takes_the_most_overdue(kind: Kind) {
    let ground = Ground::new(kind).await;
    let rows = due(&ground, ground.app(), ground.customer_key, 3, 1_000).await;
    for row in rows {
        assert_eq!(ids(&claim(&*ground.ledger, 1).await), [row]);
    }
}

async fn one_provider_does_not_take_all_of_a_process(kind: Kind) {
    let ground = Ground::new(kind).await;
    let (hanging, well) = (ground.app(), ground.another_app("well").await);
    let slow = due(&ground, hanging, ground.customer_key, 20, 1_000).await;
    let fast = due(&ground, well, ground.customer_key, 4, 9_000).await;
    let with = async |limit, rooms: &[(ConnectorKey, usize)]| {
        let room = ClaimRoom { provider_room: 3, rooms, ..ClaimRoom::of(limit, &[]) };
        claim_in(&*ground.ledger, &room).await
    };
    let claims = with(5, &[(hanging.connector, 2)]).await;
    assert_eq!(ids(&claims), [&slow[..2], &fast[..3]].concat());
    assert_eq!(claims.gated, None, "no time will tell when there is room");
    assert_eq!(ids(&with(5, &[(hanging.connector, 0), (well.connector, 1)]).await), fast[3..]);
    assert_eq!(ids(&with(9, &[(hanging.connector, 0)]).await), []);
}

on_every_ledger! {
    a_backlog_of_one_customer_leaves_room_for_others,
    others_are_looked_for_among_what_became_due_last,
    a_claim_of_one_takes_the_most_overdue,
    one_provider_does_not_take_all_of_a_process,
}
