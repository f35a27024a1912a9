//! Spreading what became overdue.

use crate::conformance::gates::{claim, due};
use crate::conformance::ground::{Ground, Kind};
use crate::world::{at, id};
use mortise_domain::*;
use mortise_store::{Connection, NewGrant, Overdue};
use std::time::Duration;

async fn what_is_overdue_is_spread_and_nothing_else_is_touched(kind: Kind) {
    let ground = Ground::new(kind).await;
    let (other, held) = (ground.another_app("other").await, ground.sibling_app().await);
    let overdue = due(&ground, ground.app(), ground.customer_key, 6, 1_000).await;
    let later = due(&ground, ground.app(), ground.customer_key, 1, 4_000_000_000_000).await;
    let waits = due(&ground, held, ground.customer_key, 1, 2_000).await;
    let others = due(&ground, other, ground.customer_key, 1, 500).await;
    let taken = claim(&*ground.ledger, 1).await.claimed.remove(0).connection.id;
    assert_eq!(taken, others[0]);
    let taken = claim(&*ground.ledger, 1).await.claimed.remove(0).connection.id;
    assert_eq!(taken, overdue[0]);
    let left_alone = [taken, later[0], waits[0], others[0]];
    let untouched = read(&ground, &left_alone).await;

    let mut seen = Vec::new();
    let before = ground.ledger.database_now().await.unwrap();
    let mut place = |row: Overdue| {
        seen.push((row.id, row.app, row.index, row.total, row.expires_at));
        // A time that is over is no time to wait for.
        if row.index == 0 { at(5) } else { row.now + Duration::from_secs(600 * row.index) }
    };
    let provider = ground.provider_key;
    assert_eq!(ground.ledger.connections_smear(provider, &[held.key], &mut place).await.unwrap(), Some(5));
    let expires_at = Some(at(1_700_003_600_000));
    let expected: Vec<_> = (0..5).map(|n| (overdue[n as usize + 1], ground.app_key, n, 5, expires_at)).collect();
    assert_eq!(seen, expected);
    let times: Vec<_> = read(&ground, &overdue[1..]).await.iter().map(|row| row.next_refresh_at.unwrap()).collect();
    assert!(times[0] > before && times[0] < before + Duration::from_secs(600), "{times:?}");
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] > chrono::Duration::seconds(599)), "{times:?}");
    assert_eq!(read(&ground, &left_alone).await, untouched);
    assert_eq!(ground.ledger.connections_smear(id!(ConnectorKey), &[], &mut |row| row.now).await.unwrap(), Some(0));
}

/// Whose grant ends first comes first, whichever way it ends; then whoever was used last; all apps of a provider together.
async fn the_most_urgent_come_first(kind: Kind) {
    let ground = Ground::new(kind).await;
    let sibling = ground.sibling_app().await;
    let grant = async |app: AppKey, due, idle: Option<i64>, whole: Option<i64>| {
        let grant = NewGrant {
            app,
            refresh_idle_at: idle.map(at),
            grant_expires_at: whole.map(at),
            ..ground.grant(Some(at(due)))
        };
        ground.store_grant(&grant).await;
        grant.id
    };
    let endless = grant(ground.app_key, 1_000, None, None).await;
    let in_use = grant(sibling.key, 3_000, None, None).await;
    let idles = grant(sibling.key, 4_000, Some(2_000_000_000_000), None).await;
    let ends = grant(ground.app_key, 5_000, Some(2_500_000_000_000), Some(1_900_000_000_000)).await;
    ground.use_now(in_use).await;
    let mut order = Vec::new();
    let mut place = |row: Overdue| {
        order.push(row.id);
        row.now
    };
    assert_eq!(ground.ledger.connections_smear(ground.provider_key, &[], &mut place).await.unwrap(), Some(4));
    assert_eq!(order, [ends, idles, in_use, endless]);
}

/// Several begin at once: each row is moved by one of them, once.
async fn many_spread_as_one(kind: Kind) {
    let ground = Ground::new(kind).await;
    due(&ground, ground.app(), ground.customer_key, 60, 1_000).await;
    let moved = futures_util::future::join_all((0..4).map(|_| async {
        let ledger = ground.other_process().await;
        let mut place = |row: Overdue| row.now + Duration::from_secs(3_600);
        ledger.connections_smear(ground.provider_key, &[], &mut place).await.unwrap()
    }));
    let moved = moved.await;
    assert_eq!(moved.iter().flatten().sum::<u64>(), 60, "{moved:?}");
    assert!(claim(&*ground.ledger, 9).await.claimed.is_empty());
}

async fn read(ground: &Ground, ids: &[ConnectionId]) -> Vec<Connection> {
    let mut rows = Vec::new();
    for id in ids {
        rows.push(ground.read(*id).await);
    }
    rows
}

on_every_ledger! {
    what_is_overdue_is_spread_and_nothing_else_is_touched,
    the_most_urgent_come_first,
    many_spread_as_one,
}
