//! Ends of connections and customers.

use crate::bench::{Bench, tokens};
use mortise_domain::{ConnectionState, EventKind};
use mortise_oauth::testing::body_params;
use mortise_oauth::{Reply, SendError};
use serde_json::json;

fn revoked(bench: &Bench) -> Vec<String> {
    let sent = bench.provider.take_requests();
    sent.iter().filter(|r| r.url.path() == "/revoke").map(|r| body_params(r)["token"].clone()).collect()
}

#[tokio::test]
async fn deleting_revokes_both_tokens_and_a_second_time_changes_nothing() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    bench.provider.json(200, &json!({})).json(200, &json!({}));
    bench.broker.delete_connection(&bench.caller, id).await.unwrap();
    bench.broker.delete_connection(&bench.caller, id).await.unwrap();
    assert_eq!(revoked(&bench), ["rt-1", "at-1"]);
    assert_eq!(bench.view(id).await.state, ConnectionState::Revoked);
    assert_eq!(bench.events(id).await[1..], [EventKind::Revoked, EventKind::RevokedUpstream]);
}

#[tokio::test]
async fn a_provider_that_is_down_hears_of_the_end_later() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    bench.provider.fail(SendError::Connect);
    bench.broker.delete_connection(&bench.caller, id).await.unwrap();
    assert_eq!(bench.view(id).await.state, ConnectionState::Revoked, "the local end does not wait");
    bench.sql("UPDATE revocations SET due_at = 1").await;
    bench.provider.json(200, &json!({})).json(200, &json!({}));
    assert_eq!(bench.broker.revoke_due().await.unwrap(), 1);
    assert_eq!(revoked(&bench), ["rt-1", "rt-1", "at-1"]);
    assert_eq!(bench.broker.revoke_due().await.unwrap(), 0);
}

#[tokio::test]
async fn a_pair_that_arrives_after_the_end_is_revoked() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    bench.make_due().await;
    let (provider, broker, caller) = (bench.provider.clone(), bench.broker.clone(), bench.caller.clone());
    let handle = tokio::runtime::Handle::current();
    // The connection ends while the provider is thinking.
    provider.then(move |_| {
        let ended = std::thread::spawn(move || handle.block_on(broker.delete_connection(&caller, id)));
        ended.join().unwrap().unwrap();
        Ok(Reply::new(200, Some("application/json"), tokens(2).to_string()))
    });
    for _ in 0..4 {
        bench.provider.json(200, &json!({}));
    }
    bench.work().await;
    assert_eq!(revoked(&bench), ["rt-1", "at-1", "rt-2", "at-2"]);
    assert!(bench.events(id).await.contains(&EventKind::LateReply));
}

#[tokio::test]
async fn deleting_a_customer_ends_everything_of_theirs_and_their_key() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    bench.provider.json(200, &json!({})).json(200, &json!({}));
    let customer = "c1".parse().unwrap();
    bench.broker.delete_customer(&bench.caller, &customer).await.unwrap();
    assert_eq!(revoked(&bench), ["rt-1", "at-1"]);
    assert_eq!(bench.view(id).await.state, ConnectionState::Revoked);
    assert!(bench.broker.customer(&bench.caller, &customer).await.is_err());
    let status = bench.broker.key_status().await.unwrap();
    assert_eq!(status[0].data_keys, 2, "the system's and the environment's are left");
}
