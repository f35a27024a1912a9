//! Spreading what became overdue.

use crate::conformance::gates::{claim, due};
use crate::conformance::ground::{Ground, Kind};
use crate::world::{at, id};
use mortise_domain::*;
use mortise_store::Overdue;
use std::time::Duration;

async fn what_is_overdue_is_spread_and_nothing_else_is_touched(kind: Kind) {
    let ground = Ground::new(kind).await;
    let other = ground.another_app("other").await;
    let overdue = due(&ground, ground.app(), ground.customer_key, 6, 1_000).await;
    let later = due(&ground, ground.app(), ground.customer_key, 1, 4_000_000_000_000).await;
    let others = due(&ground, other, ground.customer_key, 1, 500).await;
    let taken = claim(&*ground.ledger, 1).await.claimed.remove(0).connection.id;
    assert_eq!(taken, others[0]);
    let taken = claim(&*ground.ledger, 1).await.claimed.remove(0).connection.id;
    assert_eq!(taken, overdue[0]);
    let untouched = [ground.read(taken).await, ground.read(later[0]).await, ground.read(others[0]).await];

    let mut seen = Vec::new();
    let before = ground.ledger.database_now().await.unwrap();
    let mut place = |row: Overdue| {
        seen.push((row.id, row.index, row.total, row.expires_at));
        // A time that is over is no time to wait for.
        if row.index == 0 { at(5) } else { row.now + Duration::from_secs(600 * row.index) }
    };
    assert_eq!(ground.ledger.connections_smear(ground.app_key, &mut place).await.unwrap(), 5);
    let expires_at = Some(at(1_700_003_600_000));
    let expected: Vec<_> = (0..5).map(|n| (overdue[n as usize + 1], n, 5, expires_at)).collect();
    assert_eq!(seen, expected);
    let mut times = Vec::new();
    for id in &overdue[1..] {
        times.push(ground.read(*id).await.next_refresh_at.unwrap());
    }
    assert!(times[0] > before && times[0] < before + Duration::from_secs(600), "{times:?}");
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] > chrono::Duration::seconds(599)), "{times:?}");
    let now = [ground.read(taken).await, ground.read(later[0]).await, ground.read(others[0]).await];
    assert_eq!(now, untouched);
    assert_eq!(ground.ledger.connections_smear(id!(AppKey), &mut |row| row.now).await.unwrap(), 0);
}

on_every_ledger! { what_is_overdue_is_spread_and_nothing_else_is_touched, }
