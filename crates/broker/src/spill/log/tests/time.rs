//! Rotation, and how long what is stored is kept.

use super::*;

#[tokio::test]
async fn a_segment_takes_entries_for_a_minute() {
    let ground = Ground::new();
    let log = ground.process().await;
    let _one = put(&log, "one").await;
    ground.clock.advance_seconds(59);
    let _two = put(&log, "two").await;
    assert_eq!(ground.names().len(), 1);
    ground.clock.advance_seconds(1);
    let _three = put(&log, "three").await;
    assert_eq!(ground.names().len(), 2);
    assert_eq!(SpillLog::waiting(&ground.spill()).unwrap(), [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
}

#[tokio::test]
async fn a_segment_takes_sixteen_mebibytes() {
    let ground = Ground::new();
    let log = ground.process().await;
    let mut tickets = Vec::new();
    for _ in 0..17 {
        tickets.push(log.put(vec![b'x'; 1 << 20]).await.unwrap());
    }
    assert_eq!(ground.names().len(), 2);
    drop((tickets, log));
    assert_eq!(waiting(&ground.process().await).await.len(), 17);
}

#[tokio::test]
async fn a_segment_goes_ten_minutes_after_all_of_it_is_settled() {
    let ground = Ground::new();
    let log = ground.process().await;
    let one = put(&log, "one").await;
    let two = put(&log, "two").await;
    log.settle(one).await;
    ground.clock.advance_seconds(7200);
    assert!(waiting(&log).await.is_empty());
    assert_eq!(ground.names().len(), 1, "one of its entries is in hand");
    log.settle(two).await;
    ground.clock.advance_seconds(599);
    assert_eq!(recent(&log).await, ["one", "two"]);
    ground.clock.advance_seconds(1);
    settle_all(&log).await;
    assert!(recent(&log).await.is_empty());
    drop(log);
    assert!(ground.names().is_empty(), "{:?}", ground.names());
}

#[tokio::test]
async fn what_a_dead_process_had_stored_is_kept_as_long() {
    let ground = Ground::new();
    let dead = ground.process().await;
    let one = put(&dead, "one").await;
    dead.settle(one).await;
    drop(dead);
    ground.clock.advance_seconds(400);
    let log = ground.process().await;
    assert!(waiting(&log).await.is_empty());
    assert_eq!(recent(&log).await, ["one"]);
    ground.clock.advance_seconds(199);
    assert_eq!(recent(&log).await, ["one"]);
    ground.clock.advance_seconds(1);
    settle_all(&log).await;
    drop(log);
    assert!(ground.names().is_empty(), "{:?}", ground.names());
}

#[tokio::test]
async fn pages_of_what_was_stored_are_segments_in_their_order() {
    let ground = Ground::new();
    let log = ground.process().await;
    let mut held = Vec::new();
    for n in 0..5 {
        let (stored, in_hand) = (put(&log, &format!("stored {n}")).await, put(&log, &format!("held {n}")).await);
        log.settle(stored).await;
        held.push(in_hand);
        ground.clock.advance_seconds(61);
    }
    let first = log.recent(None).await.unwrap();
    assert_eq!((first.entries.len(), first.next.is_some()), (1, true));
    assert_eq!(recent(&log).await, ["stored 0", "stored 1", "stored 2", "stored 3", "stored 4"]);
}
