//! What lies in a folder: permissions, the version before, strangers.

use super::*;
use std::os::unix::fs::PermissionsExt as _;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn folder_and_segments_are_their_owners_only() {
    let ground = Ground::new();
    let log = ground.process().await;
    let _ticket = put(&log, "one").await;
    assert_eq!((mode(&ground.spill()), mode(&ground.segment())), (0o700, 0o600));
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_told_at_the_start() {
    let ground = Ground::new();
    fs::write(ground.spill(), "a file").unwrap();
    let log = SpillLog::new(ground.spill(), ground.clock.clone(), Arc::new(OsEntropy));
    log.prepare().await.unwrap_err();
    log.put(b"one".to_vec()).await.unwrap_err();
    log.left().await.unwrap_err();
    assert!(!log.ready());
}

#[tokio::test]
async fn a_segment_that_somebody_deletes_takes_no_more_entries() {
    let ground = Ground::new();
    let log = ground.process().await;
    let one = put(&log, "one").await;
    fs::remove_file(ground.segment()).unwrap();
    let two = put(&log, "two").await;
    drop((one, two, log));
    assert_eq!(waiting(&ground.process().await).await, ["two"]);
    fs::remove_dir_all(ground.spill()).unwrap();
}

#[tokio::test]
async fn entries_of_the_version_before_are_answered_and_removed() {
    let ground = Ground::new();
    fs::create_dir(ground.spill()).unwrap();
    for (name, entry) in [("b.json", "second"), ("a.json", "first"), ("c.new", "half")] {
        fs::write(ground.spill().join(name), entry).unwrap();
    }
    let log = ground.process().await;
    let _mine = put(&log, "mine").await;
    let (found, mut tickets) = left(&log).await;
    assert_eq!(found, ["first", "second"]);
    assert!(waiting(&log).await.is_empty(), "in hand");
    log.settle(tickets.remove(0)).await;
    let names = ground.names();
    assert!(!names.contains(&"a.json".to_owned()) && names.contains(&"b.json".to_owned()), "{names:?}");
    drop(tickets);
    assert_eq!(waiting(&log).await, ["second"]);
    settle_all(&log).await;
    assert!(!ground.names().contains(&"b.json".to_owned()));
    assert_eq!(log.depth(), 1);
}

#[tokio::test]
async fn what_is_no_segment_is_left_alone() {
    let ground = Ground::new();
    fs::create_dir(ground.spill()).unwrap();
    let strangers = ["README", "notes.spill", "zzzzzzzzzzzzzzzz.spill", "old.damaged"];
    for name in strangers {
        fs::write(ground.spill().join(name), "hello").unwrap();
    }
    fs::create_dir(ground.spill().join("0000000000000001.spill")).unwrap();
    let log = ground.process().await;
    assert!(waiting(&log).await.is_empty());
    ground.clock.advance_seconds(3600);
    assert!(waiting(&log).await.is_empty());
    let names = ground.names();
    assert!(strangers.iter().all(|name| names.iter().any(|there| there == name)), "{names:?}");
}

#[tokio::test]
async fn a_look_from_outside_sees_what_waits_and_changes_nothing() {
    let ground = Ground::new();
    let log = ground.process().await;
    let one = put(&log, "one").await;
    let two = put(&log, "two").await;
    log.settle(one).await;
    fs::write(ground.spill().join("a.json"), "old").unwrap();
    let look = || SpillLog::waiting(&ground.spill()).unwrap().iter().map(|entry| text(entry)).collect::<Vec<_>>();
    assert_eq!(look(), ["old", "two"]);
    assert_eq!(look(), ["old", "two"]);
    log.settle(two).await;
    assert_eq!(look(), ["old"]);
}
