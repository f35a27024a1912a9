//! One client secret replaces another: until the provider knows the newer one, nothing fails for want of it.

use crate::bench::{Bench, tokens};
use mortise_broker::{ConnectFault, Error, Started};
use mortise_domain::EventKind;
use mortise_oauth::testing::body_params;
use mortise_oauth::{FailureClass, Reply, SendError};
use serde_json::json;
use std::collections::BTreeMap;

const POST: &str = "  client_authentication: client_secret_post\n";

/// An app that was told of a new secret, at a provider that may not have been.
async fn rotating(auth: &str) -> Bench {
    let bench = Bench::with(&format!("{POST}{auth}")).await;
    bench.broker.update_app(&bench.caller, &"acme".parse().unwrap(), bench.app("newer")).await.unwrap();
    bench
}

fn refuse(bench: &Bench) {
    bench.provider.json(401, &json!({"error": "invalid_client"}));
}

/// Where the client has asked since the last look, for what, and with which secret.
fn asked(bench: &Bench, of: &str) -> Vec<(String, String, String)> {
    let sent = bench.provider.take_requests();
    let told = sent.iter().map(|request| {
        let mut parameters = body_params(request);
        let mut take = |name: &str| parameters.remove(name).unwrap_or_default();
        (request.url.path().to_owned(), take(of), take("client_secret"))
    });
    told.collect()
}

fn said(path: &str, what: &str, secret: &str) -> (String, String, String) {
    (path.to_owned(), what.to_owned(), secret.to_owned())
}

async fn come_back(bench: &Bench) -> Result<(), Error> {
    let flow = bench.start(&bench.link(None).await).await;
    bench.finish(&flow, &[("code", "c-1"), ("state", &flow.state)]).await.map(drop)
}

#[tokio::test]
async fn a_code_is_shown_with_the_older_secret_where_the_newer_one_is_refused() {
    let bench = rotating("").await;
    refuse(&bench);
    bench.provider.json(200, &tokens(1));
    come_back(&bench).await.unwrap();
    assert_eq!(asked(&bench, "code"), [said("/token", "c-1", "newer"), said("/token", "c-1", "secret")]);
    // What the provider has heard of by now is all that it is asked with.
    bench.provider.json(200, &tokens(2));
    come_back(&bench).await.unwrap();
    assert_eq!(asked(&bench, "code"), [said("/token", "c-1", "newer")]);
}

/// A code is good for one use: whoever may have looked at it does not see it twice (RFC 6749 section 4.1.2).
#[tokio::test]
async fn a_code_that_may_have_been_looked_at_is_not_shown_again() {
    for (status, answer) in [
        (400, json!({"error": "invalid_grant"})),
        (400, json!({"error": "unauthorized_client"})),
        (400, json!({"error": "invalid_request"})),
        (403, json!({})),
        (429, json!({"error": "invalid_client"})),
        (500, json!({"error": "invalid_client"})),
        (200, json!({"token_type": "Bearer"})),
    ] {
        let bench = rotating("").await;
        bench.provider.json(status, &answer);
        assert!(come_back(&bench).await.is_err(), "{status} {answer}");
        assert_eq!(asked(&bench, "code"), [said("/token", "c-1", "newer")], "{status} {answer}");
    }
    let bench = rotating("").await;
    bench.provider.fail(SendError::Timeout);
    assert!(come_back(&bench).await.is_err());
    assert_eq!(asked(&bench, "code").len(), 1);
}

#[tokio::test]
async fn where_no_secret_is_accepted_the_client_is_to_blame() {
    let bench = rotating("").await;
    refuse(&bench);
    refuse(&bench);
    let expected =
        ConnectFault::Exchange { class: FailureClass::AppMisconfigured, code: Some("invalid_client".to_owned()) };
    match come_back(&bench).await {
        Err(Error::Connect(fault)) => assert_eq!(fault, expected),
        other => panic!("{other:?}"),
    }
    assert_eq!(asked(&bench, "code").len(), 2);
    // There is one secret as long as nothing replaces it.
    let bench = Bench::with(POST).await;
    refuse(&bench);
    assert!(come_back(&bench).await.is_err());
    assert_eq!(asked(&bench, "code"), [said("/token", "c-1", "secret")]);
}

#[tokio::test]
async fn a_request_is_pushed_with_the_older_secret_too() {
    let bench = rotating("  pushed_authorization_request_url: https://acme.example/par\n").await;
    refuse(&bench);
    bench.provider.json(201, &json!({"request_uri": "urn:acme:1", "expires_in": 60}));
    let link = bench.link(None).await;
    let started = bench.broker.start_connect(&link, &"acme".parse().unwrap(), &BTreeMap::new()).await.unwrap();
    let Started::Redirect { location, .. } = started else { panic!("{started:?}") };
    assert!(location.query_pairs().any(|(name, value)| name == "request_uri" && value == "urn:acme:1"), "{location}");
    assert_eq!(asked(&bench, "client_id"), [said("/par", "client", "newer"), said("/par", "client", "secret")]);
}

#[tokio::test]
async fn a_token_is_made_to_last_with_the_older_secret_too() {
    let bench = rotating(
        "  long_lived_exchange: {url: https://acme.example/token, grant_type: swap, token_parameter: swap_token}\n",
    )
    .await;
    refuse(&bench);
    bench.provider.json(200, &tokens(1));
    refuse(&bench);
    bench.provider.json(200, &tokens(2));
    come_back(&bench).await.unwrap();
    let swaps = [said("/token", "at-1", "newer"), said("/token", "at-1", "secret")];
    assert_eq!(asked(&bench, "swap_token")[2..], swaps);
}

#[tokio::test]
async fn tokens_are_revoked_with_the_older_secret_too() {
    let bench = Bench::with(POST).await;
    let id = bench.connect().await;
    bench.provider.take_requests();
    bench.broker.update_app(&bench.caller, &"acme".parse().unwrap(), bench.app("newer")).await.unwrap();
    for _ in 0..2 {
        refuse(&bench);
        bench.provider.reply(Reply::new(200, None, ""));
    }
    bench.broker.delete_connection(&bench.caller, id).await.unwrap();
    let expected = ["rt-1", "at-1"].map(|token| [said("/revoke", token, "newer"), said("/revoke", token, "secret")]);
    assert_eq!(asked(&bench, "token"), expected.concat());
    assert_eq!(bench.events(id).await.last(), Some(&EventKind::RevokedUpstream));
}
