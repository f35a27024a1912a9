//! Claims that gates let pass, or do not.

use super::{at_once, claim, claim_in, down, due, gate, ids, provider, quiet, rate};
use crate::conformance::ground::{Ground, Kind};
use crate::world::{event, failure, id, result, terms};
use mortise_domain::gate::{GateId, Outcome};
use mortise_domain::*;
use mortise_store::*;

async fn one(ground: &Ground, id: ConnectionId) -> ClaimOne {
    let terms = terms(id!(LeaseOwner));
    let claim = ground.ledger.connection_claim_one(&terms, ground.env, id, 1, id!(AttemptId), id!(EventId));
    claim.await.unwrap()
}

async fn a_closed_provider_keeps_nobody_else_waiting(kind: Kind) {
    let ground = Ground::new(kind).await;
    let other = ground.another_app("other").await;
    let closed = due(&ground, ground.app(), ground.customer_key, 6, 1_000).await;
    let open = due(&ground, other, ground.customer_key, 2, 2_000).await;
    quiet(&ground, ground.app(), 600).await;
    let claims = claim(&*ground.ledger, 4).await;
    assert_eq!(ids(&claims), open);
    let until = gate(&*ground.ledger, provider(ground.app())).await.unwrap().closed_until;
    assert_eq!(claims.gated, until);
    let ClaimOne::Gated { until: told, now } = one(&ground, closed[0]).await else { panic!("it must not be asked") };
    assert!(Some(told) == until && now < told);
    let terms = terms(id!(LeaseOwner));
    let probe = ground.ledger.connection_claim_probe(&terms, ground.app_key, id!(AttemptId), id!(EventId));
    assert_eq!(probe.await.unwrap(), None, "not even to probe");
    assert!(closed.contains(&ground.read(closed[0]).await.id) && ground.read(closed[0]).await.lease_until.is_none());

    ground.wait_is_over().await;
    let claims = claim(&*ground.ledger, 9).await;
    assert_eq!((ids(&claims), claims.gated), (closed, None));
}

async fn an_open_breaker_gives_one_probe_at_a_time(kind: Kind) {
    let ground = Ground::new(kind).await;
    let rows = due(&ground, ground.app(), ground.customer_key, 5, 1_000).await;
    down(&ground, ground.app(), 5).await;
    let waiting = claim(&*ground.ledger, 9).await;
    assert!(waiting.claimed.is_empty() && waiting.gated.is_some());
    ground.wait_is_over().await;
    let probe = claim(&*ground.ledger, 9).await;
    assert_eq!(ids(&probe), rows[..1], "one of them, whatever the room");
    assert!(probe.gated.is_some() && claim(&*ground.ledger, 9).await.claimed.is_empty());
    ground.wait_is_over().await;
    let ClaimOne::Claimed(_) = one(&ground, rows[3]).await else { panic!("a caller's request is as good a probe") };
    let ClaimOne::Gated { .. } = one(&ground, rows[4]).await else { panic!("the next probe is not due") };
    let good = [(provider(ground.app()), Outcome::Answered)];
    ground.ledger.gates_note(&good).await.unwrap();
    assert_eq!(claim(&*ground.ledger, 9).await.claimed.len(), 3);
}

async fn a_rate_is_of_all_claims_together(kind: Kind) {
    let ground = Ground::new(kind).await;
    let rows = due(&ground, ground.app(), ground.customer_key, 9, 1_000).await;
    ground.ledger.gate_limit(provider(ground.app()), rate(5, 3_600)).await.unwrap();
    // Five an hour are two at once, and then one every quarter of an hour.
    let claims = claim(&*ground.ledger, 9).await;
    assert_eq!(ids(&claims), rows[..2]);
    let (now, until) = (claims.claimed[0].now, claims.gated.unwrap());
    assert_eq!(until - now, chrono::Duration::seconds(900));
    assert!(claim(&*ground.ledger, 9).await.claimed.is_empty());
    let ClaimOne::Gated { until: told, .. } = one(&ground, rows[8]).await else { panic!("the rate is used up") };
    assert_eq!(told, until);
}

async fn what_is_under_way_fills_a_gate_until_it_ends(kind: Kind) {
    let ground = Ground::new(kind).await;
    let other = ground.another_app("other").await;
    let rows = due(&ground, ground.app(), ground.customer_key, 6, 1_000).await;
    due(&ground, other, ground.customer_key, 1, 5_000).await;
    ground.ledger.gate_limit(provider(ground.app()), at_once(3)).await.unwrap();
    let first = claim(&*ground.ledger, 5).await;
    assert_eq!(first.claimed.len(), 4, "three, and the other provider's");
    assert_eq!(ids(&first)[..3], rows[..3]);
    assert!(claim(&*ground.ledger, 5).await.claimed.is_empty());
    let ClaimOne::Gated { .. } = one(&ground, rows[5]).await else { panic!("three are under way") };
    let committed =
        ground.ledger.refresh_commit(&result(&first.claimed[0]), event(EventKind::Refreshed)).await.unwrap();
    assert_eq!(committed, CommitOutcome::Committed);
    assert!(ground.ledger.refresh_failed(&failure(&first.claimed[1]), event(EventKind::RefreshFailed)).await.unwrap());
    let ClaimOne::Claimed(_) = one(&ground, rows[5]).await else { panic!("two are under way") };
    // A lease that ran out counts no more, and the connection is the next.
    ground.lapse(rows[2]).await;
    assert_eq!(claim(&*ground.ledger, 2).await.claimed.len(), 2);
}

async fn an_apps_own_gate_leaves_the_provider_open(kind: Kind) {
    let ground = Ground::new(kind).await;
    let sibling = ground.sibling_app().await;
    due(&ground, ground.app(), ground.customer_key, 4, 1_000).await;
    let open = due(&ground, sibling, ground.customer_key, 2, 2_000).await;
    ground.ledger.gate_limit(GateId::App(ground.app_key), at_once(1)).await.unwrap();
    let claims = claim(&*ground.ledger, 4).await;
    assert_eq!(ids(&claims)[1..], open);
    assert_eq!(claims.claimed[0].connection.app, ground.app_key);
    assert!(claims.claimed.iter().all(|claim| claim.provider == ground.provider_key));
    assert!(claim(&*ground.ledger, 4).await.claimed.is_empty(), "one is under way");
}

async fn retries_wait_where_first_attempts_pass(kind: Kind) {
    let ground = Ground::new(kind).await;
    let rows = due(&ground, ground.app(), ground.customer_key, 3, 1_000).await;
    down(&ground, ground.app(), 1).await;
    for claimed in claim(&*ground.ledger, 3).await.claimed {
        let failed = RefreshFailed { next_refresh_at: crate::world::at(500), ..failure(&claimed) };
        assert!(ground.ledger.refresh_failed(&failed, event(EventKind::RefreshFailed)).await.unwrap());
    }
    let first = due(&ground, ground.app(), ground.customer_key, 12, 2_000).await;
    let claims = claim(&*ground.ledger, 6).await;
    assert_eq!(claims.claimed.len(), 6);
    let retried = ids(&claims).into_iter().filter(|id| rows.contains(id)).count();
    assert_eq!(retried, 1, "the floor allows one");
    assert!(ids(&claims).iter().filter(|id| first.contains(id)).count() == 5 && claims.gated.is_some());
    let waiting = rows.iter().find(|id| !ids(&claims).contains(id)).unwrap();
    let ClaimOne::Gated { .. } = one(&ground, *waiting).await else { panic!("eight first attempts earn no retry") };
    assert_eq!(claim(&*ground.ledger, 9).await.claimed.len(), 7, "what is left of the first attempts");
    let ClaimOne::Claimed(_) = one(&ground, *waiting).await else { panic!("fifteen first attempts earn one retry") };
}

/// More retries than a claim looks at must not hide what has not been tried.
async fn a_heap_of_retries_hides_no_first_attempt(kind: Kind) {
    let ground = Ground::new(kind).await;
    due(&ground, ground.app(), ground.customer_key, 40, 1_000).await;
    let retried = claim(&*ground.ledger, 40).await.claimed;
    assert_eq!(retried.len(), 40);
    down(&ground, ground.app(), 1).await;
    for (n, claimed) in retried.iter().enumerate() {
        // One that is suspected has been tried like one that failed.
        let (failures, suspicions) = if n.is_multiple_of(2) { (1, 0) } else { (0, 1) };
        let next_refresh_at = crate::world::at(500 + i64::try_from(n).unwrap());
        let failed = RefreshFailed { next_refresh_at, failures, suspicions, ..failure(claimed) };
        assert!(ground.ledger.refresh_failed(&failed, event(EventKind::RefreshFailed)).await.unwrap());
    }
    let first = due(&ground, ground.app(), ground.customer_key, 2, 9_000).await;
    let claims = claim(&*ground.ledger, 2).await;
    assert_eq!(ids(&claims), [retried[0].connection.id, first[0]], "the floor allows one retry");
    assert_eq!(ids(&claim(&*ground.ledger, 2).await), first[1..]);
}

async fn held_apps_are_left_out_whatever_their_gates_say(kind: Kind) {
    let ground = Ground::new(kind).await;
    due(&ground, ground.app(), ground.customer_key, 2, 1_000).await;
    ground.ledger.gate_limit(provider(ground.app()), at_once(1)).await.unwrap();
    let held = [ground.app_key];
    let room = ClaimRoom { provider_room: 5, ..ClaimRoom::of(5, &held) };
    assert_eq!(claim_in(&*ground.ledger, &room).await, DueClaims::default());
    let probe = async || {
        let terms = terms(id!(LeaseOwner));
        ground.ledger.connection_claim_probe(&terms, ground.app_key, id!(AttemptId), id!(EventId)).await.unwrap()
    };
    assert!(probe().await.is_some());
    assert_eq!(probe().await, None, "one is all that may be under way");
}

on_every_ledger! {
    a_closed_provider_keeps_nobody_else_waiting,
    an_open_breaker_gives_one_probe_at_a_time,
    a_rate_is_of_all_claims_together,
    what_is_under_way_fills_a_gate_until_it_ends,
    an_apps_own_gate_leaves_the_provider_open,
    retries_wait_where_first_attempts_pass,
    a_heap_of_retries_hides_no_first_attempt,
    held_apps_are_left_out_whatever_their_gates_say,
}
