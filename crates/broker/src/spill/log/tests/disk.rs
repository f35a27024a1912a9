//! Disks that wait, fail, or are full.

use super::*;
use std::fs::File;
use std::sync::atomic::AtomicBool;

/// A disk whose flushes wait until it is opened.
#[derive(Default)]
struct Gate(Mutex<bool>, std::sync::Condvar);

impl Gate {
    fn set(&self, open: bool) {
        *self.0.lock().unwrap() = open;
        self.1.notify_all();
    }
}

impl Disk for Gate {
    fn flush(&self, file: &File) -> io::Result<()> {
        drop(self.1.wait_while(self.0.lock().unwrap(), |open| !*open).unwrap());
        file.sync_data()
    }
}

/// A disk that is full, or whose flushes fail.
#[derive(Default)]
struct Bad {
    full: AtomicBool,
    broken: AtomicBool,
}

impl Disk for Bad {
    fn write(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        use std::os::unix::fs::FileExt as _;
        if !self.full.load(Ordering::SeqCst) {
            return file.write_all_at(bytes, at);
        }
        // As much as there is room for.
        file.write_all_at(&bytes[..bytes.len() / 2], at)?;
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&self, file: &File) -> io::Result<()> {
        if self.broken.load(Ordering::SeqCst) { Err(io::Error::other("EIO")) } else { file.sync_data() }
    }
}

#[tokio::test]
async fn a_hundred_who_wait_share_a_flush() {
    let (ground, gate) = (Ground::new(), Arc::new(Gate::default()));
    gate.set(true);
    let log = ground.with(gate.clone()).await;
    gate.set(false);
    let names: Vec<String> = (0..100).map(|n| format!("entry {n:02}")).collect();
    let puts = futures_util::future::join_all(names.iter().map(|name| put(&log, name)));
    // Joined in this order: all hundred are asked for before the first flush may end.
    let (tickets, ()) = tokio::join!(puts, async { gate.set(true) });
    assert_eq!((tickets.len(), log.depth()), (100, 100));
    assert!(log.flushes() <= 2, "{} flushes", log.flushes());
    drop((tickets, log));
    let mut found = waiting(&ground.process().await).await;
    found.sort();
    assert_eq!(found, names);
}

#[tokio::test]
async fn an_entry_whose_asker_hung_up_is_let_go_of() {
    let (ground, gate) = (Ground::new(), Arc::new(Gate::default()));
    gate.set(true);
    let log = ground.with(gate.clone()).await;
    gate.set(false);
    {
        let mut asked = std::pin::pin!(put(&log, "one"));
        assert!(futures_util::poll!(asked.as_mut()).is_pending());
    }
    gate.set(true);
    assert_eq!(waiting(&log).await, ["one"]);
    assert!(log.has_let_go());
}

#[tokio::test]
async fn a_full_disk_refuses_and_keeps_what_it_has() {
    let (ground, disk) = (Ground::new(), Arc::new(Bad::default()));
    let log = ground.with(disk.clone()).await;
    let one = put(&log, "one").await;
    disk.full.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let refused = log.put(b"two".to_vec()).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
        assert!(!log.ready());
        log.prepare().await.unwrap_err();
        assert!(!log.ready(), "a proof that failed proves nothing");
    }
    // What the database has can be crossed off in memory at least.
    log.settle(one).await;
    assert_eq!(log.depth(), 0);
    disk.full.store(false, Ordering::SeqCst);
    assert!(!log.ready(), "nobody knows yet that there is room again");
    log.prepare().await.unwrap();
    assert!(log.ready());
    let three = put(&log, "three").await;
    drop((three, log));
    // The settlement of `one` found no room: storing it once more changes nothing.
    assert_eq!(waiting(&ground.process().await).await, ["one", "three"]);
}

#[tokio::test]
async fn a_look_finds_out_before_an_entry_does() {
    let (ground, disk) = (Ground::new(), Arc::new(Bad::default()));
    let log = ground.with(disk.clone()).await;
    log.prepare().await.unwrap();
    disk.full.store(true, Ordering::SeqCst);
    assert!(log.ready(), "nobody has looked");
    log.prepare().await.unwrap_err();
    assert!(!log.ready());
    disk.full.store(false, Ordering::SeqCst);
    log.prepare().await.unwrap();
    assert!(log.ready() && ground.names().is_empty(), "{:?}", ground.names());
}

#[tokio::test]
async fn a_full_disk_is_not_filled_with_empty_segments() {
    let (ground, disk) = (Ground::new(), Arc::new(Bad::default()));
    let log = ground.with(disk.clone()).await;
    disk.full.store(true, Ordering::SeqCst);
    for _ in 0..5 {
        log.put(b"one".to_vec()).await.unwrap_err();
    }
    assert!(ground.names().is_empty(), "{:?}", ground.names());
}

#[tokio::test]
async fn a_flush_that_failed_is_not_tried_again_on_the_same_file() {
    let (ground, disk) = (Ground::new(), Arc::new(Bad::default()));
    let log = ground.with(disk.clone()).await;
    let one = put(&log, "one").await;
    disk.broken.store(true, Ordering::SeqCst);
    log.put(b"two".to_vec()).await.unwrap_err();
    assert!(!log.ready());
    disk.broken.store(false, Ordering::SeqCst);
    log.prepare().await.unwrap();
    let three = put(&log, "three").await;
    assert_eq!(ground.names().len(), 2, "a new file was begun");
    drop((one, three, log));
    assert_eq!(waiting(&ground.process().await).await, ["one", "three"]);
}
