//! What is known of a grant beside its tokens: doubts about its refresh token, and when it ends.

use crate::conformance::ground::{Ground, Kind};
use crate::world::{at, ending, event, failure, result, sealed};
use mortise_domain::*;
use mortise_store::*;

const DAY: i64 = 86_400_000;
const END: i64 = 1_800_000_000_000;

async fn suspicions_are_kept_until_a_pair_comes(kind: Kind) {
    let ground = Ground::new(kind).await;
    let row = ground.due().await;
    let claimed = ground.claim(1).await.remove(0);
    let suspected = RefreshFailed { suspicions: 2, suspected_at: Some(at(77)), ..failure(&claimed) };
    assert!(ground.ledger.refresh_failed(&suspected, event(EventKind::RefreshSuspected)).await.unwrap());
    let stored = ground.read(row.id).await;
    assert_eq!((stored.suspicions, stored.suspected_at), (2, Some(at(77))));

    let claimed = ground.claim(1).await.remove(0);
    assert_eq!((claimed.connection.suspicions, claimed.connection.suspected_at), (2, Some(at(77))));
    ground.ledger.refresh_commit(&result(&claimed), event(EventKind::Refreshed)).await.unwrap();
    let stored = ground.read(row.id).await;
    assert_eq!((stored.suspicions, stored.suspected_at), (0, None));
}

async fn the_sibling_and_the_idle_end_are_those_of_the_last_pair(kind: Kind) {
    let ground = Ground::new(kind).await;
    let row = ground.due().await;
    for (sibling, idle) in [(Some(sealed("spent")), Some(at(88))), (None, None)] {
        let claimed = ground.claim(1).await.remove(0);
        let pair = RefreshResult {
            previous_refresh: sibling.clone(),
            refresh_idle_at: idle,
            next_refresh_at: Some(at(1_000)),
            ..result(&claimed)
        };
        ground.ledger.refresh_commit(&pair, event(EventKind::Refreshed)).await.unwrap();
        let stored = ground.read(row.id).await;
        assert_eq!((stored.previous_refresh, stored.refresh_idle_at), (sibling, idle));
    }
}

/// The end that a reply tells is kept until another does; a warning holds for the end that it told of.
async fn an_end_that_moves_is_warned_of_anew(kind: Kind) {
    let ground = Ground::new(kind).await;
    let grant = NewGrant { grant_expires_at: Some(at(END)), ..ground.grant(Some(at(1_000))) };
    ground.store_grant(&grant).await;
    for (told, end, warned) in [
        (None, END, Some(30)),
        (Some(END - 5 * DAY), END - 5 * DAY, Some(30)),
        (Some(END - 4 * DAY), END - 4 * DAY, Some(30)),
        (Some(END - 3 * DAY + 1), END - 3 * DAY + 1, None),
    ] {
        ground.warn(grant.id, 30).await;
        let claimed = ground.claim(1).await.remove(0);
        let pair =
            RefreshResult { grant_expires_at: told.map(at), next_refresh_at: Some(at(1_000)), ..result(&claimed) };
        ground.ledger.refresh_commit(&pair, event(EventKind::Refreshed)).await.unwrap();
        let stored = ground.read(grant.id).await;
        assert_eq!((stored.grant_expires_at, stored.reauth_warned), (Some(at(end)), warned), "{told:?}");
    }
}

async fn nothing_is_known_of_another_grant_or_of_none(kind: Kind) {
    let ground = Ground::new(kind).await;
    let grant =
        NewGrant { grant_expires_at: Some(at(END)), refresh_idle_at: Some(at(END)), ..ground.grant(Some(at(1_000))) };
    ground.store_grant(&grant).await;
    ground.warn(grant.id, 7).await;
    let claimed = ground.claim(1).await.remove(0);
    let suspected = RefreshFailed { suspicions: 1, suspected_at: Some(at(77)), ..failure(&claimed) };
    assert!(ground.ledger.refresh_failed(&suspected, event(EventKind::RefreshSuspected)).await.unwrap());
    let next =
        NewGrant { id: grant.id, replaces_family: Some(1), generation: 2, granted_at: at(9), ..ground.grant(None) };
    ground.ledger.connection_store_grant(&next, event(EventKind::Reconnected), None).await.unwrap();
    let row = ground.read(grant.id).await;
    assert_eq!((row.suspicions, row.suspected_at, row.reauth_warned), (0, None, None));
    assert_eq!((row.grant_expires_at, row.refresh_idle_at, &row.previous_refresh), (None, None, &None));

    let next = NewGrant { replaces_family: Some(2), generation: 3, granted_at: at(10), ..next };
    let next = NewGrant { grant_expires_at: Some(at(END)), refresh_idle_at: Some(at(END)), ..next };
    ground.ledger.connection_store_grant(&next, event(EventKind::Reconnected), None).await.unwrap();
    let end = ending(&ground.read(grant.id).await);
    assert!(ground.ledger.connection_revoke(&end, StateReason::Disconnected, at(11)).await.unwrap());
    let row = ground.read(grant.id).await;
    assert_eq!((row.grant_expires_at, row.refresh_idle_at, row.expires_at), (None, None, None));
}

on_every_ledger! {
    suspicions_are_kept_until_a_pair_comes,
    the_sibling_and_the_idle_end_are_those_of_the_last_pair,
    an_end_that_moves_is_warned_of_anew,
    nothing_is_known_of_another_grant_or_of_none,
}
