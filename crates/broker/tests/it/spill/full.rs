//! A disk that takes nothing: no refresh begins, and what is under way is not lost for it.

use crate::bench::{Bench, tokens};
use mortise_broker::RefreshWish;
use std::path::PathBuf;

/// The folder of a process that has no segment yet turns into something that takes none.
fn block(bench: &Bench) -> PathBuf {
    let spill = bench.folder.path().join("spill");
    std::fs::rename(&spill, bench.folder.path().join("aside")).unwrap();
    std::fs::write(&spill, "no folder").unwrap();
    spill
}

fn unblock(bench: &Bench) {
    let spill = bench.folder.path().join("spill");
    std::fs::remove_file(&spill).unwrap();
    std::fs::rename(bench.folder.path().join("aside"), &spill).unwrap();
}

#[tokio::test]
async fn a_reply_that_finds_no_room_is_stored_and_no_other_is_asked_for() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    let worker = bench.sibling().await;
    worker.check().await.unwrap();
    assert!(worker.spill_ready());
    block(&bench);
    bench.provider.json(200, &tokens(2));
    bench.make_due().await;
    assert_eq!(worker.refresh_due().await.unwrap().begun, 1);
    worker.wait_for_room().await;
    // The reply in hand goes to the database all the same.
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-2");
    assert!(!worker.spill_ready());

    bench.make_due().await;
    bench.provider.take_requests();
    for _ in 0..3 {
        assert_eq!(worker.refresh_due().await.unwrap().begun, 0);
    }
    assert!(bench.provider.take_requests().is_empty(), "nothing was sent");
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-2", "a live token is served on");

    unblock(&bench);
    assert!(!worker.spill_ready(), "remembered, not looked at");
    bench.provider.json(200, &tokens(3));
    assert_eq!(worker.refresh_due().await.unwrap().begun, 1);
    worker.drain().await;
    assert!(worker.spill_ready());
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-3");
    assert!(bench.spilled().is_empty());
}

#[tokio::test]
async fn a_caller_who_needs_a_refresh_is_told_to_come_again() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    let server = bench.sibling().await;
    server.check().await.unwrap();
    block(&bench);
    bench.provider.json(200, &tokens(2));
    server.refresh_connection(&bench.caller, id, RefreshWish::default(), None).await.unwrap();
    assert!(!server.spill_ready());
    bench.provider.take_requests();
    assert!(server.refresh_connection(&bench.caller, id, RefreshWish::default(), None).await.is_err());
    assert!(bench.provider.take_requests().is_empty(), "nothing was sent");
    unblock(&bench);
}

#[tokio::test]
async fn no_refresh_begins_that_could_not_be_spilled() {
    let bench = Bench::new("F").await;
    bench.connect().await;
    let worker = bench.sibling().await;
    block(&bench);
    bench.make_due().await;
    bench.provider.take_requests();
    assert_eq!(worker.refresh_due().await.unwrap().begun, 0);
    assert!(bench.provider.take_requests().is_empty(), "nothing was sent");
    unblock(&bench);
    bench.provider.json(200, &tokens(2));
    assert_eq!(worker.refresh_due().await.unwrap().begun, 1);
    worker.drain().await;
}
