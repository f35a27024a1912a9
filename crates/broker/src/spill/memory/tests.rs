use super::*;
use mortise_domain::ManualClock;

fn spill() -> (MemorySpill, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at_unix(1_700_000_000));
    (MemorySpill::new(clock.clone()), clock)
}

async fn put(spill: &MemorySpill, entry: &str) -> Ticket {
    spill.put(entry.as_bytes().to_vec()).await.unwrap()
}

async fn left(spill: &MemorySpill) -> (Vec<String>, Vec<Ticket>) {
    let text = |entry| String::from_utf8(entry).unwrap();
    spill.left().await.unwrap().into_iter().map(|left| (text(left.entry), left.ticket)).unzip()
}

#[tokio::test]
async fn what_a_process_held_when_it_died_is_the_next_ones() {
    let (spill, _) = spill();
    let one = put(&spill, "one").await;
    let two = put(&spill, "two").await;
    let beside = spill.another();
    assert!(left(&beside).await.0.is_empty(), "held by a living process");
    spill.settle(two).await;
    spill.crash();
    // What the dead process still does counts for nothing.
    drop(one);
    assert!(spill.put(b"late".to_vec()).await.is_err());
    let (found, tickets) = left(&beside).await;
    assert_eq!(found, ["one"]);
    assert!(left(&spill.another()).await.0.is_empty());
    assert_eq!(beside.recent(None).await.unwrap().entries, [b"two".to_vec()]);
    drop(tickets);
}

#[tokio::test]
async fn a_dead_process_settles_nothing() {
    let (spill, _) = spill();
    let ticket = put(&spill, "one").await;
    spill.crash();
    spill.settle(ticket).await;
    assert_eq!(left(&spill.another()).await.0, ["one"]);
}

#[tokio::test]
async fn a_power_failure_forgets_what_was_settled_since_the_last_entry() {
    let (spill, _) = spill();
    let one = put(&spill, "one").await;
    spill.settle(one).await;
    let two = put(&spill, "two").await;
    spill.settle(two).await;
    spill.lose_power();
    let after = spill.another();
    assert_eq!(left(&after).await.0, ["two"]);
}

#[tokio::test]
async fn a_full_disk_refuses_until_it_is_proved_again() {
    let (spill, _) = spill();
    let one = put(&spill, "one").await;
    spill.set_full(true);
    assert!(spill.ready());
    assert_eq!(spill.put(b"two".to_vec()).await.unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert!(!spill.ready() && spill.prepare().await.is_err());
    spill.set_full(false);
    assert!(!spill.ready());
    spill.prepare().await.unwrap();
    assert!(spill.ready());
    spill.settle(one).await;
    assert_eq!(spill.depth(), 0);
}

#[tokio::test]
async fn what_is_settled_goes_after_ten_minutes() {
    let (spill, clock) = spill();
    for n in 0..200 {
        let ticket = put(&spill, &n.to_string()).await;
        spill.settle(ticket).await;
    }
    let (mut seen, mut after) = (0, None);
    loop {
        let page = spill.recent(after).await.unwrap();
        seen += page.entries.len();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, 200);
    clock.advance_seconds(600);
    assert!(spill.recent(None).await.unwrap().entries.is_empty());
    let ticket = put(&spill, "last").await;
    spill.settle(ticket).await;
    assert_eq!(spill.process.lock().entries.len(), 1, "what is old is not kept in memory");
}
