//! Entries as the version before wrote them, a file each; and what cannot be stored.

use super::interrupted_refresh;
use crate::bench::Bench;
use mortise_broker::Entry;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Turns the entry on disk into a file of the version before.
fn older(bench: &Bench) -> (PathBuf, Value) {
    let spill = bench.folder.path().join("spill");
    let bytes = bench.spilled()[0].to_bytes().unwrap();
    let mut entry: Value = serde_json::from_slice(&bytes).unwrap();
    for unknown in ["previous_refresh", "grant_expires_at", "refresh_idle_at"] {
        entry.as_object_mut().unwrap().remove(unknown);
    }
    std::fs::remove_dir_all(&spill).unwrap();
    std::fs::create_dir(&spill).unwrap();
    let path = spill.join(format!("{}.json", entry["attempt"].as_str().unwrap()));
    std::fs::write(&path, entry.to_string()).unwrap();
    (path, entry)
}

#[tokio::test]
async fn a_pair_that_the_version_before_left_is_stored_and_its_file_removed() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    interrupted_refresh(&bench).await;
    let (file, _) = older(&bench);
    bench.sibling().await.check().await.unwrap();
    assert!(!file.exists());
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-2");
}

#[tokio::test]
async fn one_pair_that_cannot_be_stored_keeps_no_other_waiting() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    interrupted_refresh(&bench).await;
    let (file, mut refused) = older(&bench);
    // Sorted before it: one that does not read, and one that the database refuses.
    let spill = file.parent().unwrap();
    std::fs::write(spill.join("0.json"), "{").unwrap();
    refused["access"] = json!("AAAA");
    std::fs::write(spill.join("1.json"), refused.to_string()).unwrap();
    let refuse = "CREATE TRIGGER refuse BEFORE UPDATE OF generation ON connections WHEN NEW.access_token = x'000000' \
                  BEGIN SELECT RAISE(ABORT, 'refused'); END";
    bench.sql(refuse).await;
    let process = bench.sibling().await;
    process.check().await.unwrap();
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-2");
    let left = || {
        let files = std::fs::read_dir(spill).unwrap().map(|file| file.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|extension| extension == "json")).count()
    };
    assert_eq!(left(), 2, "what could not be stored is still there to be looked at");
    // It is not tried again at every claim, but it is at every look.
    assert_eq!(process.refresh_due().await.unwrap().begun, 0);
    bench.sql("DROP TRIGGER refuse").await;
    process.replay_spill().await.unwrap();
    assert_eq!(left(), 1, "now it was told that another pair is stored");
    let unreadable = std::fs::read(spill.join("0.json")).unwrap();
    assert!(Entry::from_bytes(&unreadable).is_err());
}
