//! The promises of the seam, of both sides of it.

use super::{Left, MemorySpill, Spill, SpillLog};
use mortise_domain::{ManualClock, OsEntropy};
use std::sync::Arc;

fn both(folder: &tempfile::TempDir) -> [Arc<dyn Spill>; 2] {
    let clock = Arc::new(ManualClock::at_unix(1_700_000_000));
    let log = SpillLog::new(folder.path().join("spill"), clock.clone(), Arc::new(OsEntropy));
    [Arc::new(log), Arc::new(MemorySpill::new(clock))]
}

fn entries(left: &[Left]) -> Vec<&[u8]> {
    left.iter().map(|left| &*left.entry).collect()
}

#[tokio::test]
async fn an_entry_is_in_one_hand_until_it_is_settled() {
    let folder = tempfile::tempdir().unwrap();
    for spill in both(&folder) {
        spill.prepare().await.unwrap();
        assert!(spill.ready() && !spill.has_let_go());
        let one = spill.put(b"one".to_vec()).await.unwrap();
        let two = spill.put(b"two".to_vec()).await.unwrap();
        let three = spill.put(b"three".to_vec()).await.unwrap();
        assert_eq!((spill.depth(), spill.left().await.unwrap().len()), (3, 0), "{spill:?}");

        // Let go of, by name or by neglect, it is the next one's; taken, it is nobody else's.
        spill.let_go(three);
        drop(one);
        assert!(spill.has_let_go());
        let mut left = spill.left().await.unwrap();
        assert_eq!(entries(&left), [b"one".as_slice(), b"three"], "{spill:?}");
        assert!(!spill.has_let_go() && spill.left().await.unwrap().is_empty());

        spill.settle(two).await;
        spill.settle(left.remove(0).ticket).await;
        assert_eq!(spill.depth(), 1, "{spill:?}");
        drop(left);
        let left = spill.left().await.unwrap();
        assert_eq!(entries(&left), [b"three"], "{spill:?}");
        assert_eq!(spill.recent(None).await.unwrap().entries, [b"one".to_vec(), b"two".to_vec()]);
        for left in left {
            spill.settle(left.ticket).await;
        }
        assert_eq!((spill.depth(), spill.has_let_go()), (0, false));
        assert_eq!(spill.recent(None).await.unwrap().entries.len(), 3);
    }
}

#[tokio::test]
async fn any_bytes_are_an_entry() {
    let folder = tempfile::tempdir().unwrap();
    for spill in both(&folder) {
        spill.prepare().await.unwrap();
        let all: Vec<Vec<u8>> =
            vec![vec![], vec![0; 3], (0..=255).collect(), b"\xf5ms\xff".repeat(9), vec![7; 1 << 20]];
        for bytes in &all {
            drop(spill.put(bytes.clone()).await.unwrap());
        }
        let left = spill.left().await.unwrap();
        assert!(left.iter().map(|left| &left.entry).eq(&all), "{spill:?}");
    }
}
