//! The spill folder itself: without it nothing starts.

use crate::world::{START, World};
use mortise_testkit::Backend;

#[tokio::test]
async fn without_a_writable_spill_folder_nothing_starts() {
    let world = World::prepared(Backend::Sqlite, "dev").await;
    let folder = tempfile::tempdir().unwrap();
    // Below a file no folder can be made, by root neither.
    std::fs::write(folder.path().join("file"), "").unwrap();
    let spill = folder.path().join("file/spill");
    for command in ["serve", "worker"] {
        let mut process = world.launch(&[command]).env("MORTISE_SPILL_DIR", &spill).start();
        let status = process.ended(START).await;
        let error = process.stderr();
        assert_eq!(status.code(), Some(1), "{error}");
        for part in ["the spill folder", spill.to_str().unwrap(), "cannot be written", "MORTISE_SPILL_DIR"] {
            assert!(error.contains(part), "{command} does not say `{part}`: {error}");
        }
    }
    world.end().await;
}
