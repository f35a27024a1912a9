//! What a dead process left is stored, or revoked, and never sent a second time.

mod forgotten;
mod full;
mod older;

use crate::bench::{Bench, tokens};
use mortise_domain::EventKind;
use mortise_oauth::testing::body_params;
use serde_json::json;

const AWAY: &str =
    "CREATE TRIGGER away BEFORE UPDATE OF generation ON connections BEGIN SELECT RAISE(ABORT, 'away'); END";

/// Leaves the provider's answer in the spill: the database refuses the write, as one that is away would, and the process
/// ends.
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
    assert_eq!(bench.spilled().len(), 1);
    assert_eq!(
        bench.token(id, None).await.unwrap().access_token.expose(),
        "at-1",
        "nothing is published before it is stored"
    );
    bench.sibling().await.check().await.unwrap();
    assert_eq!(bench.spilled().len(), 0);
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
    assert_eq!(bench.spilled().len(), 1);
    // The lease is over: without the pair on disk the row looks as if it were due.
    bench.make_due().await;
    assert_eq!(worker.refresh_due().await.unwrap().begun, 0);
    assert_eq!(bench.token(id, None).await.unwrap().access_token.expose(), "at-2");
    assert_eq!(bench.spilled().len(), 0);
}

#[tokio::test]
async fn a_spilled_pair_holds_no_secret_in_clear() {
    let bench = Bench::new("F").await;
    bench.connect().await;
    interrupted_refresh(&bench).await;
    let mut seen = 0;
    for file in std::fs::read_dir(bench.folder.path().join("spill")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for secret in ["at-1", "rt-1", "at-2", "rt-2"] {
            assert!(!text.contains(secret), "{text}");
        }
        seen += text.matches("\"kind\":\"refresh\"").count();
    }
    assert_eq!(seen, 1);
}

#[tokio::test]
async fn a_pair_of_a_replaced_grant_is_revoked_and_not_stored() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    interrupted_refresh(&bench).await;
    bench.reconnect(Some(id), 9).await;
    bench.provider.json(200, &json!({})).json(200, &json!({}));
    // The second start finds it among what was dealt with of late, and leaves it.
    bench.sibling().await.check().await.unwrap();
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
    let mut bench = Bench::new("F").await;
    let link = bench.link(None).await;
    let flow = bench.start(&link).await;
    bench.sql("CREATE TRIGGER away BEFORE INSERT ON connections BEGIN SELECT RAISE(ABORT, 'away'); END").await;
    bench.provider.json(200, &tokens(1));
    assert!(bench.finish(&flow, &[("code", "c"), ("state", &flow.state)]).await.is_err());
    bench.sql("DROP TRIGGER away").await;
    assert_eq!(bench.spilled().len(), 1);
    // As long as its process lives, it is that one's to store.
    bench.sibling().await.check().await.unwrap();
    assert_eq!(bench.spilled().len(), 1);
    bench.restart().await;
    bench.broker.check().await.unwrap();
    let (customer, app) = ("c1".parse().unwrap(), "acme".parse().unwrap());
    let request = mortise_broker::TokenRequest::default();
    let answer = bench.broker.token_of(&bench.caller, &customer, &app, request).await.unwrap();
    assert_eq!(answer.access_token.expose(), "at-1");
    assert!(bench.broker.connect_page(&link).await.is_err(), "the link has done its work");
}
