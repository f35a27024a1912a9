//! What a dead process left is stored, or revoked, and never sent a second time.

use crate::bench::{Bench, tokens};
use mortise_domain::EventKind;
use mortise_oauth::testing::body_params;
use serde_json::json;
use std::path::PathBuf;

const AWAY: &str =
    "CREATE TRIGGER away BEFORE UPDATE OF generation ON connections BEGIN SELECT RAISE(ABORT, 'away'); END";

fn files(bench: &Bench) -> Vec<PathBuf> {
    let files = std::fs::read_dir(bench.folder.path().join("spill")).unwrap();
    files.map(|file| file.unwrap().path()).collect()
}

/// Keeps a copy of what was spilled while the provider's answer was on its way into the database: the database refuses
/// the write, as one that is away would.
async fn interrupted_refresh(bench: &Bench) {
    bench.sql(AWAY).await;
    bench.provider.json(200, &tokens(2));
    bench.make_due().await;
    bench.work().await;
    bench.sql("DROP TRIGGER away").await;
}

#[tokio::test]
async fn a_pair_that_missed_the_database_is_stored_by_the_next_start() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    interrupted_refresh(&bench).await;
    assert_eq!(files(&bench).len(), 1);
    assert_eq!(
        bench.token(id, None).await.unwrap().access_token.expose(),
        "at-1",
        "nothing is published before it is stored"
    );
    bench.sibling().await.check().await.unwrap();
    assert_eq!(files(&bench).len(), 0);
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-2");
    assert_eq!(bench.events(id).await.last(), Some(&EventKind::Recovered));
    bench.provider.json(200, &tokens(3));
    bench.make_due().await;
    bench.work().await;
    let sent = bench.provider.take_requests();
    assert_eq!(body_params(sent.last().unwrap())["refresh_token"], "rt-2");
}

#[tokio::test]
async fn a_pair_that_missed_the_database_is_stored_before_its_own_process_claims_anything_again() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    let worker = bench.sibling().await;
    bench.sql(AWAY).await;
    bench.provider.json(200, &tokens(2));
    bench.make_due().await;
    worker.refresh_due().await.unwrap();
    worker.wait_for_room().await;
    bench.sql("DROP TRIGGER away").await;
    assert_eq!(files(&bench).len(), 1);
    // The lease is over: without the pair on disk the row looks as if it were due.
    bench.make_due().await;
    assert_eq!(worker.refresh_due().await.unwrap().begun, 0);
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-2");
    assert_eq!(files(&bench).len(), 0);
}

#[tokio::test]
async fn one_pair_that_cannot_be_stored_keeps_no_other_waiting() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    interrupted_refresh(&bench).await;
    let whole = std::fs::read_to_string(&files(&bench)[0]).unwrap();
    // Sorted before it: one that does not read, and one that the database refuses.
    std::fs::write(bench.folder.path().join("spill/0.json"), "{").unwrap();
    let mut refused: serde_json::Value = serde_json::from_str(&whole).unwrap();
    refused["access"] = json!("AAAA");
    std::fs::write(bench.folder.path().join("spill/1.json"), refused.to_string()).unwrap();
    let refuse = "CREATE TRIGGER refuse BEFORE UPDATE OF generation ON connections WHEN NEW.access_token = x'000000' \
                  BEGIN SELECT RAISE(ABORT, 'refused'); END";
    bench.sql(refuse).await;
    bench.sibling().await.check().await.unwrap();
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-2");
    assert_eq!(files(&bench).len(), 2, "what could not be stored is still there to be looked at");
}

#[tokio::test]
async fn a_spill_file_holds_no_secret_in_clear() {
    let bench = Bench::new("F").await;
    bench.connect().await;
    interrupted_refresh(&bench).await;
    let text = std::fs::read_to_string(&files(&bench)[0]).unwrap();
    assert!(text.contains("\"refresh\"") && !text.contains("at-2") && !text.contains("rt-2"), "{text}");
}

#[tokio::test]
async fn a_pair_of_a_replaced_grant_is_revoked_and_not_stored() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    interrupted_refresh(&bench).await;
    bench.reconnect(Some(id), 9).await;
    bench.provider.json(200, &json!({})).json(200, &json!({}));
    bench.sibling().await.check().await.unwrap();
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-9");
    let revoked: Vec<_> = bench
        .provider
        .take_requests()
        .iter()
        .filter(|r| r.url.path() == "/revoke")
        .map(|r| body_params(r)["token"].clone())
        .collect();
    assert_eq!(revoked, ["rt-2", "at-2"]);
}

#[tokio::test]
async fn a_first_grant_that_missed_the_database_connects_after_a_restart() {
    let bench = Bench::new("F").await;
    let link = bench.link(None).await;
    let flow = bench.start(&link).await;
    bench.sql("CREATE TRIGGER away BEFORE INSERT ON connections BEGIN SELECT RAISE(ABORT, 'away'); END").await;
    bench.provider.json(200, &tokens(1));
    assert!(bench.finish(&flow, &[("code", "c"), ("state", &flow.state)]).await.is_err());
    bench.sql("DROP TRIGGER away").await;
    assert_eq!(files(&bench).len(), 1);
    bench.sibling().await.check().await.unwrap();
    let (customer, app) = ("c1".parse().unwrap(), "acme".parse().unwrap());
    let request = mortise_broker::TokenRequest::default();
    let answer = bench.broker.token_of(&bench.caller, &customer, &app, request).await.unwrap();
    assert_eq!(answer.access_token.expose(), "at-1");
    assert!(bench.broker.connect_page(&link).await.is_err(), "the link has done its work");
}
