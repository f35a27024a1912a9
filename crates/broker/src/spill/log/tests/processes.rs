//! Several processes on one folder.

use super::*;

#[tokio::test]
async fn what_a_living_process_holds_is_nobody_elses() {
    let ground = Ground::new();
    let (one, two) = (ground.process().await, ground.process().await);
    let _a = put(&one, "a").await;
    let _b = put(&two, "b").await;
    assert_eq!(ground.names().len(), 2);
    drop(put(&one, "let go").await);
    assert!(one.has_let_go() && !two.has_let_go());
    assert!(waiting(&two).await.is_empty());
    assert_eq!(waiting(&one).await, ["let go"]);
    assert!(recent(&two).await.is_empty());
}

#[tokio::test]
async fn what_a_dead_process_held_is_taken_over_by_one() {
    let ground = Ground::new();
    let (dead, one, two) = (ground.process().await, ground.process().await, ground.process().await);
    let kept = put(&dead, "kept").await;
    let stored = put(&dead, "stored").await;
    dead.settle(stored).await;
    assert!(waiting(&one).await.is_empty());
    drop(dead);
    let (found, tickets) = left(&one).await;
    assert_eq!(found, ["kept"]);
    assert!(waiting(&two).await.is_empty(), "the other one has it");
    assert_eq!((recent(&one).await, recent(&two).await), (vec!["stored".to_owned()], vec![]));
    // Let go of, it is still the same process's; dead as well, it is the next one's.
    drop(tickets);
    assert!(waiting(&two).await.is_empty());
    drop(one);
    settle_all(&two).await;
    drop(two);
    let last = ground.process().await;
    assert!(waiting(&last).await.is_empty());
    assert_eq!(recent(&last).await, ["kept", "stored"]);
    // The ticket of a log that is gone is worth nothing, and harms nothing.
    drop(kept);
}

#[tokio::test]
async fn many_processes_take_over_each_entry_once() {
    let ground = Ground::new();
    let mut expected = Vec::new();
    for n in 0..8 {
        let dead = ground.process().await;
        drop(put(&dead, &n.to_string()).await);
        expected.push(n.to_string());
    }
    let heirs = [ground.process().await, ground.process().await, ground.process().await];
    let found = futures_util::future::join_all(heirs.iter().map(left)).await;
    let mut found: Vec<String> = found
        .into_iter()
        .flat_map(|(found, tickets)| {
            drop(tickets);
            found
        })
        .collect();
    found.sort();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn entries_of_several_dead_processes_come_in_the_order_of_their_time() {
    let ground = Ground::new();
    for entry in ["first", "second", "third"] {
        let dead = ground.process().await;
        drop(put(&dead, entry).await);
        ground.clock.advance_seconds(1);
    }
    let log = ground.process().await;
    assert_eq!(waiting(&log).await, ["first", "second", "third"]);
    settle_all(&log).await;
    assert_eq!(recent(&log).await, ["first", "second", "third"]);
}
