//! What a fetch serves, and what it costs the provider.

use crate::bench::{Bench, tokens};
use mortise_broker::Error;
use mortise_oauth::{Reply, SendError};
use serde_json::json;
use std::sync::Arc;

async fn expire(bench: &Bench) {
    bench.sql("UPDATE connections SET expires_at = refreshed_at").await;
}

#[tokio::test]
async fn a_live_token_costs_no_request_and_no_write() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    let before = bench.view(id).await.updated_at;
    for _ in 0..20 {
        let answer = bench.token(id, Some(1800)).await.unwrap();
        assert!(answer.expires_in.unwrap() > 3500);
        assert!(answer.refresh_after.unwrap() < answer.expires_at.unwrap());
    }
    assert_eq!(bench.view(id).await.updated_at, before);
    assert_eq!(bench.provider.take_requests().len(), 1);
}

#[tokio::test]
async fn fifty_fetches_of_an_expired_token_are_one_refresh_even_over_two_processes() {
    let bench = Arc::new(Bench::new("F").await);
    let id = bench.connect().await;
    expire(&bench).await;
    bench.provider.then(|_| {
        std::thread::sleep(std::time::Duration::from_millis(300));
        Ok(Reply::new(200, Some("application/json"), tokens(2).to_string()))
    });
    let sibling = bench.sibling().await;
    let fetch = |broker: Arc<mortise_broker::Broker>| {
        let caller = bench.caller.clone();
        async move { broker.token(&caller, id, mortise_broker::TokenRequest::default()).await.unwrap() }
    };
    let all = (0..50).map(|n| fetch(if n % 2 == 0 { bench.broker.clone() } else { sibling.clone() }));
    let answers = futures_util::future::join_all(all).await;
    assert!(answers.iter().all(|answer| answer.access_token.expose() == "at-2"));
    assert_eq!(bench.provider.take_requests().len(), 2);
}

#[tokio::test]
async fn a_min_ttl_beyond_half_of_the_tokens_life_is_refused_without_a_request() {
    let bench = Bench::new("F").await;
    let id = bench.connect().await;
    bench.sql("UPDATE connections SET expires_at = refreshed_at + 60000").await;
    assert!(matches!(bench.token(id, Some(61)).await, Err(Error::MinTtlUnavailable { min_ttl: 61, most: 30 })));
    assert!(bench.token(id, Some(20)).await.is_ok());
    assert!(bench.token(id, None).await.is_ok(), "tokens of a minute are served as they are");
    assert_eq!(bench.provider.take_requests().len(), 1);
}

#[tokio::test]
async fn a_valid_token_is_served_while_refreshing_fails_and_a_named_life_is_kept_or_refused() {
    let bench = Bench::new("N").await;
    let id = bench.connect().await;
    bench.sql("UPDATE connections SET expires_at = expires_at - refreshed_at, refreshed_at = 0").await;
    bench.sql("UPDATE connections SET expires_at = unixepoch() * 1000 + 30000, refreshed_at = unixepoch() * 1000 - 3570000").await;
    bench.provider.fail(SendError::Connect);
    let served = bench.token(id, None).await.unwrap();
    assert_eq!(served.access_token.expose(), "at-1");
    let refused = bench.token(id, Some(60)).await.unwrap_err();
    assert!(matches!(refused, Error::ProviderUnavailable { .. }), "{refused:?}");
    assert_eq!(
        bench.provider.take_requests().len(),
        2,
        "the back-off of the failed attempt holds for the second fetch"
    );
}

#[tokio::test]
async fn an_expired_token_is_never_served() {
    let bench = Bench::new("N").await;
    let id = bench.connect().await;
    expire(&bench).await;
    bench.provider.fail(SendError::Connect);
    assert!(matches!(bench.token(id, None).await, Err(Error::ProviderUnavailable { .. })));
}

#[tokio::test]
async fn scopes_that_were_not_granted_are_named() {
    let bench = Bench::with("  default_scopes: [write]\n").await;
    let id = bench.connect().await;
    let answer = bench.token(id, None).await.unwrap();
    assert_eq!((answer.granted_scopes.join(" "), answer.missing_scopes.join(" ")), ("read".into(), "write".into()));
}

#[tokio::test]
async fn lifted_fields_come_with_the_token() {
    let bench = Bench::with("  token_response:\n    extra:\n      instance_url: /instance_url\n").await;
    let flow = bench.start(&bench.link(None).await).await;
    let mut body = tokens(1);
    body["instance_url"] = json!("https://eu1.acme.example");
    bench.provider.json(200, &body);
    bench.finish(&flow, &[("code", "c"), ("state", &flow.state)]).await.unwrap();
    let (customer, app) = ("c1".parse().unwrap(), "acme".parse().unwrap());
    let request = mortise_broker::TokenRequest::default();
    let answer = bench.broker.token_of(&bench.caller, &customer, &app, request).await.unwrap();
    assert_eq!(answer.extra["instance_url"], "https://eu1.acme.example");
}

#[tokio::test]
async fn an_expired_token_without_a_refresh_token_needs_a_new_consent() {
    let bench = Bench::new("F").await;
    let flow = bench.start(&bench.link(None).await).await;
    bench.provider.json(200, &json!({"access_token": "at", "token_type": "bearer", "expires_in": 60}));
    bench.finish(&flow, &[("code", "c"), ("state", &flow.state)]).await.unwrap();
    expire(&bench).await;
    let (customer, app) = ("c1".parse().unwrap(), "acme".parse().unwrap());
    let refused = bench.broker.token_of(&bench.caller, &customer, &app, mortise_broker::TokenRequest::default()).await;
    assert!(matches!(refused, Err(Error::Unusable(mortise_broker::Unusable::NeedsReauth { .. }))), "{refused:?}");
}
